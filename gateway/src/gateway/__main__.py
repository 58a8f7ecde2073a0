"""`python -m gateway`: all services in one process, on one address."""

import sys

from servicekit import lean

lean.prepare()

from servicekit import server
from servicekit.settings import load, refuse

from gateway.app import create_app
from gateway.settings import Settings


def main() -> int:
    settings = load(Settings)
    listener = server.bind(settings)
    try:
        app = create_app(settings)
        app.prepare()
    except ValueError as error:  # a setting that only its part, or this machine, can judge
        refuse(" ".join(str(error).split()))
    server.announce("Lineside", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.front.state.drain, sockets=True)


if __name__ == "__main__":
    sys.exit(main())
