"""What the commands of every service do alike: help that teaches, one line for an error, files that are whole."""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from servicekit.weights import WeightsError

INTERRUPTED = 130  # as a shell has it: 128 and the number of SIGINT

Run = Callable[[argparse.Namespace], int | None]


def add(commands: Any, program: str, name: str, summary: str, text: str, run: Run) -> argparse.ArgumentParser:
    """Adds a command to argparse's subparsers; its `run` is a function of the arguments to the exit status."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=summary, description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.set_defaults(run=lambda arguments: guarded(program, run, arguments))
    return parser


def guarded(program: str, run: Run, arguments: argparse.Namespace) -> int:
    """Returns what `run` returns (None is 0); what users can cause is one line on stderr and status 1.

    Commands raise ValueError for what they refuse.
    """
    try:
        status = run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return refuse(program, f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (ValueError, MemoryError, WeightsError, BrokenExecutor) as error:
        return refuse(program, str(error) or "out of memory")
    except KeyboardInterrupt:
        return refuse(program, "interrupted", INTERRUPTED)
    return status or 0


def refuse(program: str, reason: str, status: int = 1) -> int:
    """Prints the reason as one line on stderr; returns the status."""
    print(f"{program}: {' '.join(reason.split())}", file=sys.stderr)
    return status


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """Gives a file to write; at the end of the block it is at `path`, whole, or after an error nothing has changed."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
