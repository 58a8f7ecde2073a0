"""The commands that work on pictures: recognize, import, export."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servicekit import commandline
from servicekit.progress import Progress

PROGRAM = "cars"
STATUSES = ("pending", "processing", "recognized", "unrecognized", "failed")
RECOGNIZE = """Names make, model and year of cars in pictures, without a server. Folders are walked, nothing is kept.

A line for each picture, in the order in which they were named. A file that cannot be recognised is told on standard
error and makes the exit status 1; the others are recognised all the same. A picture in which no known car is found is
no failure. Settings, such as CARS_BACKEND and CARS_MODEL_DIR, are read from CARS_….

  python -m cars recognize car.jpg
  python -m cars recognize photographs --csv > cars.csv
  python -m cars recognize street.jpg --bbox 420,310,600,280 --json
"""
IMPORT = """Stores every JPEG and PNG below a folder: in the archive of CARS_DATABASE_URL and CARS_STORAGE_URL, or
with --url in that of a running service.

Again after an interruption, it goes on: a picture that is in the archive is told by its SHA-256 and not stored again.
With --url a file in the folder (--state) says which have been sent; without it they are sent again, and found to be
there. A picture that is refused is told on standard error and makes the exit status 1; the others are stored all the
same. A service that does not answer is waited for half a minute; then the import ends, to be started again.

  python -m cars import photographs
  python -m cars import photographs --recognize
  python -m cars import photographs --url https://factory.example/cars --api-key @key.txt
"""
EXPORT = """Writes what the archive knows to a file, of all pictures or of some, newest first. The service may run on.

csv and xlsx are tables, report is an HTML page with plots and the newest 200 pictures, which needs nothing else.

  python -m cars export --format csv --output cars.csv
  python -m cars export --format xlsx --output teslas.xlsx --make Tesla
  python -m cars export --format report --output cars.html
  python -m cars export --format csv --output - | grep Audi
"""


def main(argv: Sequence[str]) -> int:
    """Runs one of the commands; returns 0, or 1 after a line on stderr; raises SystemExit(2) for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m cars", description="Names make, model and year of cars.")
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def add_commands(commands: Any) -> None:
    """Adds the commands to argparse's subparsers; each sets `run`, a function of the arguments to the exit status."""
    _add_recognize(commands)
    _add_import(commands)
    _add_export(commands)


def _add_recognize(commands: Any) -> None:
    parser = commandline.add(commands, PROGRAM, "recognize", "name the cars in pictures", RECOGNIZE, _recognize)
    parser.add_argument("places", nargs="+", type=Path, metavar="FILE", help="a JPEG, a PNG, or a folder of them")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="a line of JSON for each, as POST /recognize answers")
    form.add_argument("--csv", action="store_true", help="a header and a row for each")
    parser.add_argument(
        "--bbox", type=_box, metavar="X,Y,W,H", help="the part to read, in pixels of the upright picture"
    )


def _add_import(commands: Any) -> None:
    parser = commandline.add(commands, PROGRAM, "import", "store a folder of pictures", IMPORT, _import)
    parser.add_argument("place", type=Path, metavar="DIR", help="a folder of pictures, or one picture")
    parser.add_argument("--recognize", action="store_true", help="also recognise what nobody has recognised yet")
    parser.add_argument("--url", help="a running service, such as http://127.0.0.1:8080/cars")
    parser.add_argument("--api-key", metavar="KEY", help="with --url: a key, or @FILE with the key in it")
    parser.add_argument("--state", type=Path, metavar="FILE", help="with --url (default: DIR/.cars-import.jsonl)")
    parser.add_argument("--concurrency", type=_between(1, 64), default=4, metavar="N", help="at once (default 4)")


def _add_export(commands: Any) -> None:
    parser = commandline.add(commands, PROGRAM, "export", "write a table or a report", EXPORT, _export)
    parser.add_argument("--format", choices=("csv", "xlsx", "report"), default="csv", help="default csv")
    parser.add_argument("--output", required=True, metavar="FILE", help="where it goes; - is standard output")
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")
    group = parser.add_argument_group("which files (tables only)")
    group.add_argument("--status", choices=STATUSES)
    group.add_argument("--make")
    group.add_argument("--model")
    group.add_argument("--q", metavar="TEXT", help="a part of the file's name or of its label")


# Each imports what it needs when it runs: the server, too, asks for the parsers above.


def _recognize(arguments: argparse.Namespace) -> int:
    from cars.commands import recognize

    form = "json" if arguments.json else "csv" if arguments.csv else "text"
    with _progress() as (progress, complain):
        work = recognize.run(arguments.places, form, arguments.bbox, progress, complain)
        failed = _wait(work)
    return 1 if failed else 0


def _import(arguments: argparse.Namespace) -> int:
    from cars.commands import importing

    wanted = importing.Wanted(
        place=arguments.place,
        url=arguments.url,
        api_key=arguments.api_key,
        state=arguments.state,
        recognize=arguments.recognize,
        concurrency=arguments.concurrency,
    )
    with _progress() as (progress, complain):
        summary = _wait(importing.run(wanted, progress, complain))
    print(summary, file=sys.stderr)
    return 1 if summary.refused else 0


def _export(arguments: argparse.Namespace) -> int:
    from cars.commands import export

    chosen = {name: getattr(arguments, name) for name in ("status", "make", "model", "q")}
    _wait(export.run(arguments.format, arguments.output, chosen, force=arguments.force))
    return 0


def _wait(work: Coroutine[Any, Any, Any]) -> Any:
    """Returns what the work returns; a Problem, such as a database that is away, is a ValueError with its detail."""
    from servicekit.problems import Problem

    try:
        return asyncio.run(work)
    except Problem as problem:
        raise ValueError(str(problem.detail)) from problem


@contextmanager
def _progress() -> Iterator[tuple[Progress, Callable[[str], None]]]:
    """Gives a progress, and what tells a complaint on a line of its own."""
    progress = Progress()

    def complain(reason: str) -> None:
        progress.close()  # no moving line within another
        commandline.refuse(PROGRAM, reason)

    try:
        yield progress, complain
    finally:
        progress.close()


def _box(text: str) -> tuple[int, int, int, int]:
    parts = [int(part) for part in text.split(",")]
    if len(parts) != 4:
        raise argparse.ArgumentTypeError(f"{text} is not X,Y,WIDTH,HEIGHT")
    return parts[0], parts[1], parts[2], parts[3]


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return number
