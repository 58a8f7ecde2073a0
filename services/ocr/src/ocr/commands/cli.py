"""The command that works on files: read."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from servicekit import commandline
from servicekit.progress import Progress

PROGRAM = "ocr"
FORMATS = ("text", "markdown", "json", "ndjson", "hocr", "alto", "pdf")
READ = """Reads the text of images and PDFs, without a server. Folders are walked.

One file goes to standard output unless --output names a folder; there each file becomes one of the same name with
another ending, and nothing is overwritten without --force. A file that cannot be read is told on standard error and
makes the exit status 1; the others are read all the same.

PNG, JPEG, TIFF (every page), WebP, BMP, GIF (the first picture) and PDF. Settings are read from OCR_….

  python -m ocr read letter.jpg
  python -m ocr read scans contract.pdf --format pdf --output searchable
  python -m ocr read book.pdf --pages 1-20 --format markdown > book.md
  python -m ocr read scans --format ndjson | grep -i invoice
  curl -s https://example.org/paper.pdf | python -m ocr read -
"""


def main(argv: Sequence[str]) -> int:
    """Runs the command; returns 0, or 1 after a line on stderr; raises SystemExit(2) for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m ocr", description="Reads text in images and PDFs.")
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def add_commands(commands: Any) -> None:
    """Adds the command to argparse's subparsers; it sets `run`, a function of the arguments to the exit status."""
    parser = commandline.add(commands, PROGRAM, "read", "read images and PDFs", READ, _read)
    parser.add_argument(
        "places", nargs="+", metavar="FILE", help="an image, a PDF, a folder of them; - reads standard input"
    )
    parser.add_argument("--output", type=Path, metavar="DIR", help="folder for the texts (default: standard output)")
    parser.add_argument("--format", choices=FORMATS, default="text", help="default text; pdf is a searchable PDF")
    parser.add_argument("--force", action="store_true", help="overwrite what is in the folder")
    parser.add_argument("--workers", type=_whole(1, 256), metavar="N", help="pages read at once (default: the CPUs)")
    _add_documents(parser)
    _add_reading(parser)


def _add_documents(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("PDFs")
    group.add_argument(
        "--mode", choices=("auto", "text", "ocr"), default="auto",
        help="auto (the default) takes a page's own text where it is good; text and ocr take only the one",
    )  # fmt: skip
    group.add_argument("--pages", metavar="RANGE", help="as in 1-3,7,10- (default: all)")
    group.add_argument("--dpi", type=_whole(72, 600), metavar="N", help="resolution to read at (default: OCR_PDF_DPI)")
    group.add_argument("--password-file", type=Path, metavar="FILE", help="file with the password in its first line")


def _add_reading(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("reading")
    group.add_argument("--words", action="store_true", help="add each word's box to json and ndjson")
    group.add_argument("--no-det", action="store_true", help="take each picture as one line")
    group.add_argument("--no-cls", action="store_true", help="turn nothing")
    group.add_argument("--no-rec", action="store_true", help="find the lines, do not read them")
    group.add_argument("--text-score", type=_number(0, 1), metavar="P", help="least confidence of a line, 0 to 1")
    group.add_argument("--box-thresh", type=_number(0, 1), metavar="P", help="least mean probability in a box, 0 to 1")
    group.add_argument("--unclip-ratio", type=_number(1, 4), metavar="R", help="how far boxes are widened, 1 to 4")


def _read(arguments: argparse.Namespace) -> int:
    # Imports what it needs when it runs: the server, too, asks for the parser above.
    from ocr.commands import read, request
    from ocr.commands.targets import Writing

    writing = Writing(arguments.output, arguments.format, arguments.words, arguments.force)
    progress = Progress()

    def complain(reason: str) -> None:
        progress.close()  # no moving line within another
        commandline.refuse(PROGRAM, reason)

    try:
        summary = read.run(arguments.places, request.of(arguments), writing, progress, complain)
    finally:
        progress.close()
    if writing.output or summary.failed:
        print(summary, file=sys.stderr)
    return 1 if summary.failed else 0


def _whole(low: int, high: int) -> Callable[[str], int]:
    def whole(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value} is not between {low} and {high}")
        return value

    return whole


def _number(low: float, high: float) -> Callable[[str], float]:
    def number(text: str) -> float:
        value = float(text)
        if not low <= value <= high:  # NaN is not, either
            raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
        return value

    return number
