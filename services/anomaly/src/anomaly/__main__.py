"""`python -m anomaly`: serve, train, threshold, score, import, key, migrate."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from servicekit import commandline

from anomaly.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m anomaly", description="Anomaly detection for sensor vectors.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commandline.add_serve(commands, "anomaly")
    cli.add_commands(commands)
    commandline.add_key(commands, "anomaly", admin="read scores; admin also changes")
    migrate = commands.add_parser("migrate", help="bring the database to this version's tables")
    migrate.set_defaults(run=_migrate)
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


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
