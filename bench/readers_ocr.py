"""`python -m bench.readers_ocr NAME`: one engine in a process of its own.

It reads each picture whose path comes on standard input, and answers with a line of JSON: the lines of text, and the
CPU seconds of all its threads from the file on the disk to the text. The first line says that it has warmed up.
"""

import contextlib
import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
Read = Callable[[Path], list[str]]


@dataclass(frozen=True)
class Answer:
    lines: list[str]
    cpu_s: float


class Engine:
    """The other side of such a process."""

    def __init__(self, asked: IO[str], answers: IO[str]) -> None:
        self._asked = asked
        self._answers = answers

    def read(self, path: Path) -> Answer:
        self._asked.write(f"{path}\n")
        self._asked.flush()
        return Answer(**json.loads(self._answers.readline()))


@contextlib.contextmanager
def start(name: str, python: str = sys.executable) -> Iterator[Engine]:
    """Runs the engine `ours` or `rapidocr` until the block ends."""
    process = subprocess.Popen(
        [python, "-m", "bench.readers_ocr", name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdin
    assert process.stdout
    try:
        if not process.stdout.readline():
            raise RuntimeError(f"{name} ended before it could read")
        yield Engine(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def ours() -> Read:
    """Returns the service's own way from a file to lines, with its defaults."""
    from ocr.options import Options
    from ocr.pictures import decoded, limits_of
    from ocr.pipeline import Pipeline
    from ocr.settings import Settings

    settings = Settings()
    pipeline, limits, options = Pipeline(settings), limits_of(settings), Options()
    pipeline.warm_up(lambda _: None)

    def read(path: Path) -> list[str]:
        page = pipeline.read(decoded(path.read_bytes(), 0, limits), options)
        return [line.text for line in page.lines]

    return read


def rapidocr() -> Read:
    """Returns `rapidocr` with its defaults."""
    import numpy as np
    from rapidocr import RapidOCR

    logging.disable(logging.CRITICAL)
    engine: Any = RapidOCR()

    def read(path: Path) -> list[str]:
        return list(engine(str(path)).txts or ())

    engine(np.full((200, 600, 3), 255, np.uint8))  # warms up the detector; the others have no first time to speak of
    return read


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what an engine prints is no answer
    read = {"ours": ours, "rapidocr": rapidocr}[sys.argv[1]]()
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        started = time.process_time()
        lines = read(Path(line.rstrip("\n")))
        print(json.dumps({"lines": lines, "cpu_s": time.process_time() - started}), file=answers, flush=True)


if __name__ == "__main__":
    main()
