"""`python -m ocr`: serve, read, key."""

import argparse
import sys

from servicekit import lean

lean.prepare()

from servicekit import commandline

from ocr.commands import cli


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ocr", description="Reads text in images and PDFs.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    commandline.add_serve(commands, "ocr")
    cli.add_commands(commands)
    commandline.add_key(commands, "ocr", admin="read; admin also sees everybody's jobs")
    arguments = parser.parse_args()
    status: int = arguments.run(arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
