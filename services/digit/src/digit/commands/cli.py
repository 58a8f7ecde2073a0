"""The commands that work on folders of pictures: predict, load, augment."""

import argparse
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servicekit import commandline
from servicekit.progress import Progress

PROGRAM = "digit"
MAX_SECONDS = 86_400
PREDICT = """Reads the digit in every PNG and JPEG below a folder, also those in ZIP files, without a server.

The columns are name, prediction, confidence, is_digit, model, error. A file that cannot be read is a row with an error
and makes the exit status 1; the others are read all the same. Where names say what the pictures show, as in
img_0_label_6.png, the accuracy is told at the end.

  python -m digit predict scans --output result.csv
  python -m digit predict scans --model cnn --detail --format ndjson --output result.ndjson
  python -m digit predict scans.zip
"""
LOAD = """Sends pictures to a running service, each connection its next one when the last is answered, and tells
throughput, latencies and errors. It ends by itself; Ctrl+C ends it early and tells what there is.

  python -m digit load pictures --concurrency 16 --duration 10
  python -m digit load pictures --requests 5000 --url https://factory.example/digit --api-key @key.txt
"""
AUGMENT = """Makes many copies of pictures, each varied in its own way and named after its origin, to test with.

img_0_label_6.png becomes img_0_label_6_copy_3_rotation-jpeg.jpg and so on. A digit that only the folder's name tells
goes into the names. The same seed makes the same files. With --plain only the names are new.

  python -m digit augment pictures --output many --copies 20
  python -m digit augment pictures --output load --copies 500 --plain
"""


def main(argv: Sequence[str]) -> int:
    """Runs one of the commands; returns 0, or 1 after one line on stderr; raises SystemExit(2) for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m digit", description="Reads handwritten digits.")
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def add_commands(commands: Any) -> None:
    """Adds the commands to argparse's subparsers; each sets `run`, a function of the arguments to the exit status."""
    _add_predict(commands)
    _add_load(commands)
    _add_augment(commands)


def _add_predict(commands: Any) -> None:
    parser = _command(commands, "predict", "read the pictures of a folder", PREDICT, _predict)
    parser.add_argument("place", type=Path, metavar="DIR", help="a folder, a picture or a ZIP")
    parser.add_argument("--output", type=Path, metavar="FILE", help="where the rows go (default: standard output)")
    parser.add_argument("--format", choices=("csv", "json", "ndjson"), default="csv", help="default csv")
    parser.add_argument("--model", metavar="NAME", help="one of the models (default: the service's default)")
    parser.add_argument("--detail", action="store_true", help="add the ten probabilities and the digit's box")
    parser.add_argument("--weights", type=Path, metavar="DIR", help="other weights than those that are shipped")
    parser.add_argument("--workers", type=_between(1, 256), metavar="N", help="processes (default: one for each CPU)")


def _add_load(commands: Any) -> None:
    parser = _command(commands, "load", "measure a running service", LOAD, _load)
    parser.add_argument("place", type=Path, metavar="DIR", help="a folder of pictures, or one picture")
    parser.add_argument("--url", default="http://127.0.0.1:8080/digit", help="the service (default %(default)s)")
    parser.add_argument("--concurrency", type=_between(1, 1024), default=8, metavar="N", help="connections (default 8)")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--duration", type=_seconds, default=10.0, metavar="S", help="seconds (default 10)")
    end.add_argument("--requests", type=_between(1, 10**9), metavar="N", help="requests in all, instead of --duration")
    parser.add_argument("--timeout", type=_seconds, default=30.0, metavar="S", help="for one answer (default 30)")
    parser.add_argument("--model", metavar="NAME", help="one of the models (default: the service's default)")
    parser.add_argument("--api-key", metavar="KEY", help="a key, or @FILE with the key in it")


def _add_augment(commands: Any) -> None:
    parser = _command(commands, "augment", "make varied copies of pictures", AUGMENT, _augment)
    parser.add_argument("place", type=Path, metavar="DIR", help="a folder of pictures, or one picture")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="a folder that is new or empty")
    parser.add_argument("--copies", type=_between(1, 100_000), default=10, metavar="N", help="of each (default 10)")
    parser.add_argument("--seed", type=_between(0, 2**32 - 1), default=0, metavar="S", help="default 0")
    parser.add_argument("--plain", action="store_true", help="copy the files as they are, under new names")


def _command(
    commands: Any, name: str, summary: str, text: str, run: Callable[[argparse.Namespace], int | None]
) -> argparse.ArgumentParser:
    return commandline.add(commands, PROGRAM, name, summary, text, run)


# Each imports what it needs when it runs: the server, too, asks for the parsers above.


def _predict(arguments: argparse.Namespace) -> int:
    from servicekit.threads import effective_cpus

    from digit.commands import predict

    writing = predict.Writing(arguments.output, arguments.format, arguments.detail)
    task = predict.task_of(arguments.model, arguments.weights)
    with _progress() as progress:
        summary = predict.run(arguments.place, writing, task, arguments.workers or effective_cpus(), progress)
    print(*summary.lines(), sep="\n", file=sys.stderr)
    return 1 if summary.failed else 0


def _load(arguments: argparse.Namespace) -> int:
    from digit.commands import load, tally
    from digit.commands.target import target_of

    target = target_of(arguments.url, arguments.model, arguments.api_key)
    requests, duration_s = arguments.requests or math.inf, math.inf if arguments.requests else arguments.duration
    bounds = load.Bounds(arguments.concurrency, requests, duration_s, arguments.timeout)
    with _progress() as progress:
        outcome = load.run(target, load.shots_of(arguments.place), bounds, progress)
    print(*tally.lines(outcome.tally, outcome.seconds, bounds.concurrency), sep="\n")
    if outcome.interrupted:
        return commandline.refuse(PROGRAM, "interrupted", commandline.INTERRUPTED)
    return 1 if outcome.tally.failed else 0


def _augment(arguments: argparse.Namespace) -> int:
    from digit.commands import augment

    copies = augment.Copies(arguments.output, arguments.copies, arguments.seed, arguments.plain)
    with _progress() as progress:
        made, refused = augment.copy(arguments.place, copies, progress)
    print(f"{made:,} copies in {arguments.output}")
    for reason in refused:
        commandline.refuse(PROGRAM, reason)
    return 1 if refused else 0


@contextmanager
def _progress() -> Iterator[Progress]:
    progress = Progress()
    try:
        yield progress
    finally:
        progress.close()


def _between(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return number


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and {MAX_SECONDS} seconds")
    return value
