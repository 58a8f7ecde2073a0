"""`python -m digit`: serve, predict, load, augment, key."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from digit.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m digit", description="Reads handwritten digits.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = commands.add_parser("serve", help="answer over HTTP", description="Settings are read from DIGIT_….")
    serve.set_defaults(run=_serve)
    cli.add_commands(commands)
    key = commands.add_parser("key", help="make an API key", description="Prints a new key and its settings line.")
    key.add_argument("--name", required=True, help="who will use it: letters, digits, dot, dash, underscore")
    key.add_argument("--scope", choices=("read", "admin"), default="read", help="nothing of this service needs admin")
    key.set_defaults(run=_key)
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


def _serve(_arguments: argparse.Namespace) -> int:
    from servicekit import server
    from servicekit.settings import load, refuse

    from digit.app import create_app
    from digit.settings import Settings

    settings = load(Settings)
    listener = server.bind(settings)
    try:
        app = create_app(settings)
    except ValueError as error:  # a setting that only its part can judge
        refuse(str(error))
    server.announce("Lineside digit", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.state.drain, sockets=True)


def _key(arguments: argparse.Namespace) -> int:
    from servicekit import auth

    secret, line = auth.generate(arguments.name, arguments.scope)
    print(f"key (shown once):     {secret}\nfor DIGIT_API_KEYS:   {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
