"""The ocr service's peers: `rapidocr` 3.10 with its defaults, and `rapidocr_api` 0.2, which serves it over HTTP.

The first comes with our own dependencies. The second wants `rapidocr`, `fastapi`, `python-multipart`, `pillow` and
`uvicorn`, most easily in a Python of its own.
"""

import contextlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from bench import servers

SERVER = ("-m", "uvicorn", "rapidocr_api.main:app", "--host", "127.0.0.1", "--port", "{port}")


@dataclass(frozen=True)
class Pythons:
    """The interpreters that can run the peers; empty where there is none."""

    rapidocr: str
    rapidocr_api: str


def pythons(named: str | None) -> Pythons:
    """Returns the named interpreter for both, or this one where it has what is needed."""
    found = (
        named or (sys.executable if importlib.util.find_spec(name) else "") for name in ("rapidocr", "rapidocr_api")
    )
    return Pythons(*found)


@contextlib.contextmanager
def start(python: str) -> Iterator[servers.Server]:
    """Runs `rapidocr_api` until the block ends."""
    with servers.start(*SERVER, ready="/", environment={}, python=python) as server:
        yield server
