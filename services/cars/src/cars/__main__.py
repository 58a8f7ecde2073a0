"""`python -m cars`: serve, recognize, import, export, key."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from servicekit import commandline

from cars.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m cars", description="Names make, model and year of cars in photographs."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commandline.add_serve(commands, "cars")
    cli.add_commands(commands)
    commandline.add_key(commands, "cars", admin="read uploads and recognises; admin also deletes files")
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
