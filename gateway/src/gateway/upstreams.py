"""Where the services are when each is a process of its own: `digit=http://digit:8000,…`."""

from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import httpx2

# Checks and documents are small and few; what a service does for clients goes past this process.
LIMITS = httpx2.Limits(max_connections=32, max_keepalive_connections=4, keepalive_expiry=30)

Upstreams = Mapping[str, Sequence[str]]


def parse(entries: Iterable[str], known: Sequence[str]) -> dict[str, list[str]]:
    """Returns the addresses of each service out of `name=address address…`; raises ValueError for what is wrong."""
    upstreams: dict[str, list[str]] = {}
    for entry in entries:
        name, _, addresses = (part.strip() for part in entry.partition("="))
        if name not in known:
            raise ValueError(f"{name!r} is not a service, expected some of {', '.join(known)}")
        if name in upstreams:
            raise ValueError(f"{name} is named twice; several addresses are separated by blanks")
        upstreams[name] = [checked(address) for address in addresses.split()]
        if not upstreams[name]:
            raise ValueError(f"{name} has no address, expected {name}=http://host:port")
    return upstreams


def checked(address: str) -> str:
    """Returns the address without a slash at its end; raises ValueError where it is none."""
    url = urlsplit(address)
    try:
        is_address = url.scheme in ("http", "https") and url.hostname and url.port != 0
    except ValueError:  # a port that is no number, or too large
        is_address = False
    if not is_address or url.username is not None or url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError(f"{address!r} is not an address, expected http://host:port")
    return address.rstrip("/")


def require(upstreams: Upstreams, known: Sequence[str]) -> None:
    """Raises ValueError unless every service has an address."""
    missing = [name for name in known if name not in upstreams]
    if missing:
        example = f"{missing[0]}=http://{missing[0]}:8000"
        raise ValueError(f"GATEWAY_UPSTREAMS has no address of {', '.join(missing)}: add {example}")


def clients(upstreams: Upstreams) -> dict[str, dict[str, httpx2.AsyncClient]]:
    """Returns a pooled client for each address of each service; what is in the environment of proxies is not for us."""
    return {
        name: {
            address: httpx2.AsyncClient(base_url=address, limits=LIMITS, trust_env=False, headers={"Accept": "*/*"})
            for address in addresses
        }
        for name, addresses in upstreams.items()
    }
