"""Traefik's routing configuration out of the table of services: what `gateway/routes.yml` holds."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from servicekit.settings import split_commas

from gateway import upstreams
from gateway.routes import ROUTES, Route

HEADER = """\
# Traefik's routes, for its file provider. Written by `python -m gateway routes`; docs/adr/0035 has the reasons.
"""

IN_FLIGHT = 128  # requests of one client at one service: twice what a service serves at once
FRONT_S = 10
# Highest first. Without numbers Traefik takes the longest rule.
STRANGE, PRIVATE, SERVICE, REST = 400, 300, 200, 100

# Traefik hands paths on as they came, and so does every service read them; what proxies, caches and file systems read
# in more than one way is refused for all. A backslash, NUL and other controls are decoded before rules are matched.
STRANGE_PATH = r"//|/\.\.?(/|$)|%(23|25|2F|3B|3F)|[\\\x00-\x1f\x7f]"
# Prometheus scrapes each service itself. /errors/ is for the middleware below, which does not come by a route.
PRIVATE_PATH = r"^(/errors/.*|(/[^/]+)?/metrics)$"


def generate(addresses: str = "", front: str = "http://front:8000", routes: Sequence[Route] = ROUTES) -> str:
    """Returns the file's text; raises ValueError for an address that is none."""
    names = [route.name for route in routes]
    given = upstreams.parse(split_commas(addresses), names)  # type: ignore[arg-type] # of a text it makes a list
    everywhere = {name: given.get(name, [f"http://{name}:8000"]) for name in names}
    return HEADER + "\n".join(_yaml({"http": _http(routes, everywhere, upstreams.checked(front))})) + "\n"


def _http(routes: Sequence[Route], addresses: upstreams.Upstreams, front: str) -> dict[str, Any]:
    return {
        "routers": {
            "strange": _router(f"PathRegexp(`{STRANGE_PATH}`)", STRANGE, "front", ["not-found"]),
            "private": _router(f"PathRegexp(`{PRIVATE_PATH}`)", PRIVATE, "front", ["not-found"]),
            **{
                # PathPrefix alone compares strings: /anomalyx would match.
                route.name: _router(
                    f"Path(`{route.prefix}`) || PathPrefix(`{route.prefix}/`)",
                    SERVICE,
                    f"{route.name}-or-front",
                    ["problems", "in-flight"],
                )
                for route in routes
            },
            "rest": _router("PathPrefix(`/`)", REST, "front", ["problems", "in-flight"]),
        },
        "middlewares": {
            # Replaces whatever has such a status, the service's own too: so only what services never answer, and 429.
            "problems": {
                "errors": {
                    "status": ["429", "502", "504"],
                    "service": "front",
                    "query": "/errors/{status}",
                    "errorRequestHeaders": ["X-Request-ID", "Origin"],
                }
            },
            "in-flight": {"inFlightReq": {"amount": IN_FLIGHT, "sourceCriterion": {"ipStrategy": {"ipv6Subnet": 64}}}},
            "not-found": {"replacePath": {"path": "/errors/404"}},
            "strict-transport": {"headers": {"stsSeconds": 31_536_000}},
        },
        "services": {
            "front": _balancer("front", [front]),
            **{name: _balancer(name, addresses[name]) for name in addresses},
            **{
                # While no address of a service is ready, the front says so as a problem.
                f"{name}-or-front": {"failover": {"service": name, "fallback": "front"}}
                for name in addresses
            },
        },
        "serversTransports": {
            "front": _transport(FRONT_S),
            **{route.name: _transport(route.answer_s) for route in routes},
        },
    }


def _router(rule: str, priority: int, service: str, middlewares: list[str]) -> dict[str, Any]:
    return {
        "rule": rule,
        "priority": priority,
        "entryPoints": ["web", "websecure"],
        "middlewares": middlewares,
        "service": service,
    }


def _balancer(name: str, addresses: Sequence[str]) -> dict[str, Any]:
    return {
        "loadBalancer": {
            "serversTransport": name,
            "servers": [{"url": address} for address in addresses],
            "healthCheck": {"path": "/health/ready", "interval": "2s", "timeout": "1500ms"},
            "passHostHeader": True,
            "responseForwarding": {"flushInterval": "-1ms"},  # each piece at once: streams, and nothing is buffered
        }
    }


def _transport(answer_s: int) -> dict[str, Any]:
    return {
        "maxIdleConnsPerHost": IN_FLIGHT,  # else 2, and every other request would open a connection
        "forwardingTimeouts": {
            "dialTimeout": "2s",
            "responseHeaderTimeout": f"{answer_s}s",  # from the end of the body to the head of the answer
            "idleConnTimeout": "60s",  # shorter than a service's 75 s: who closes first must be who sends
        },
    }


def _yaml(node: dict[str, Any], indent: str = "") -> Iterator[str]:
    """Yields lines of YAML: mappings of mappings, lists and scalars are all that is needed."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from _yaml(value, indent + "  ")
        else:
            yield f"{indent}{key}: {json.dumps(value)}"
