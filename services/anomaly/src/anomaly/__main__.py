"""`python -m anomaly`: serve, train, threshold, score, import, key, migrate."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from anomaly.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m anomaly", description="Anomaly detection for sensor vectors.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    serve = commands.add_parser("serve", help="answer over HTTP", description="Settings are read from ANOMALY_….")
    serve.set_defaults(run=_serve)
    cli.add_commands(commands)
    key = commands.add_parser("key", help="make an API key", description="Prints a new key and its settings line.")
    key.add_argument("--name", required=True, help="who will use it: letters, digits, dot, dash, underscore")
    key.add_argument("--scope", choices=("read", "admin"), default="read", help="read scores; admin also changes")
    key.set_defaults(run=_key)
    migrate = commands.add_parser("migrate", help="bring the database to this version's tables")
    migrate.set_defaults(run=_migrate)
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


def _serve(_arguments: argparse.Namespace) -> int:
    from servicekit import server
    from servicekit.settings import load, refuse

    from anomaly.app import create_app
    from anomaly.settings import Settings

    settings = load(Settings)
    listener = server.bind(settings)
    try:
        app = create_app(settings)
    except ValueError as error:  # a setting that only its part can judge
        refuse(str(error))
    server.announce("Lineside anomaly", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.state.drain)


def _key(arguments: argparse.Namespace) -> int:
    from servicekit import auth

    secret, line = auth.generate(arguments.name, arguments.scope)
    print(f"key (shown once):     {secret}\nfor ANOMALY_API_KEYS: {line}")
    return 0


def _migrate(_arguments: argparse.Namespace) -> int:
    from servicekit.problems import Problem
    from servicekit.settings import load, refuse

    from anomaly.settings import Settings
    from anomaly.storage import migrate

    try:
        migrate.ensure(load(Settings).database_url)
    except (migrate.MigrationError, ValueError, Problem) as error:
        refuse(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
