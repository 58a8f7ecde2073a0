"""What the commands of every service do alike: serve, key, help that teaches, one line for an error, whole files."""

import argparse
import importlib
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


def add_serve(commands: Any, service: str, *, sockets: bool = False) -> None:
    """Adds `serve` for the package `service`, which has `app.create_app` and `settings.Settings`."""
    text = f"Settings are read from {service.upper()}_…."
    parser = commands.add_parser("serve", help="answer over HTTP", description=text)
    parser.set_defaults(run=lambda _: _serve(service, sockets=sockets))


def add_key(commands: Any, service: str, *, admin: str) -> None:
    """Adds `key`; `admin` says what that scope is for."""
    parser = commands.add_parser("key", help="make an API key", description="Prints a new key and its settings line.")
    parser.add_argument("--name", required=True, help="who will use it: letters, digits, dot, dash, underscore")
    parser.add_argument("--scope", choices=("read", "admin"), default="read", help=admin)
    parser.set_defaults(run=lambda arguments: _key(service, arguments))


def _serve(service: str, *, sockets: bool) -> int:
    # Imported here: the other commands need no server.
    from servicekit import server
    from servicekit.settings import load, refuse

    create_app = importlib.import_module(f"{service}.app").create_app
    settings = load(importlib.import_module(f"{service}.settings").Settings)
    listener = server.bind(settings)
    try:
        app = create_app(settings)
        app.prepare()
    except ValueError as error:  # a setting that only its part, or this machine, can judge
        refuse(" ".join(str(error).split()))
    server.announce(f"Lineside {service}", server.address(settings, listener), server.LINKS)
    return server.run(app, settings, listener, app.state.drain, sockets=sockets)


def _key(service: str, arguments: argparse.Namespace) -> int:
    from servicekit import auth

    secret, line = auth.generate(arguments.name, arguments.scope)
    print(f"{'key (shown once):':22}{secret}\n{f'for {service.upper()}_API_KEYS:':22}{line}")
    return 0


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
