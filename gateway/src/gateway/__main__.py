"""`python -m gateway`: all services in one process, on one address. `front` and `routes` are what Traefik needs."""

import argparse
import sys
from typing import Any

from servicekit import lean

lean.prepare()

from servicekit import commandline, server
from servicekit.settings import load, refuse

ALL = """Runs all services in one process, on one address. Settings are read from GATEWAY_… and from each service's own.
With a command it does a part of that for services that run as processes of their own."""
FRONT = """Answers what no service does when Traefik stands before them: landing page, aggregated health, one
document, and the words of what Traefik refuses. GATEWAY_UPSTREAMS names the address of each service."""
ROUTES = """Prints Traefik's routing configuration, gateway/routes.yml, out of the table of services."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m gateway", description=ALL)
    parser.set_defaults(run=_all)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    front = commands.add_parser("front", help="the gateway's own routes, beside Traefik", description=FRONT)
    front.set_defaults(run=_front)
    routes = commandline.add(commands, "python -m gateway", "routes", "print Traefik's routes", ROUTES, _routes)
    routes.add_argument(
        "--upstreams", default="", metavar="LIST", help="as GATEWAY_UPSTREAMS; else http://NAME:8000 for each service"
    )
    routes.add_argument(
        "--front", default="http://front:8000", metavar="URL", help="address of `front` (default: %(default)s)"
    )
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


def _all(_arguments: argparse.Namespace) -> int:
    from gateway.app import create_app

    return _serve(create_app, sockets=True)


def _front(_arguments: argparse.Namespace) -> int:
    from gateway.front import create_app

    return _serve(create_app, sockets=False)


def _serve(create_app: Any, *, sockets: bool) -> int:
    from gateway.settings import Settings

    settings = load(Settings)
    listener = server.bind(settings)
    try:
        app = create_app(settings)
        app.prepare()
    except ValueError as error:  # a setting that only its part, or this machine, can judge
        refuse(" ".join(str(error).split()))
    server.announce("Lineside", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.state.drain, sockets=sockets)


def _routes(arguments: argparse.Namespace) -> None:
    from gateway import traefik

    print(traefik.generate(arguments.upstreams, arguments.front), end="")


if __name__ == "__main__":
    sys.exit(main())
