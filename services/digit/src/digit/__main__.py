"""`python -m digit`: serve, predict, load, augment, key."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from servicekit import commandline

from digit.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m digit", description="Reads handwritten digits.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commandline.add_serve(commands, "digit", sockets=True)
    cli.add_commands(commands)
    commandline.add_key(commands, "digit", admin="nothing of this service needs admin")
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
