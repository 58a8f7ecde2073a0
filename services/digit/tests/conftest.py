"""The whole service with its shipped models, and digits drawn here."""

import io
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from digit.app import create_app
from digit.numbers.pieces import Pieces
from digit.reader import Reader
from digit.settings import Settings
from PIL import Image, ImageDraw
from starlette.testclient import TestClient

# Corners of strokes in a unit box, y downwards.
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    0: [[(0.5, 0), (0.15, 0.2), (0.1, 0.6), (0.4, 1), (0.75, 0.8), (0.85, 0.35), (0.5, 0)]],
    1: [[(0.5, 0), (0.45, 1)]],
    2: [[(0.15, 0.2), (0.45, 0), (0.8, 0.2), (0.6, 0.55), (0.1, 1), (0.9, 0.97)]],
    3: [[(0.2, 0.05), (0.65, 0), (0.8, 0.2), (0.4, 0.48), (0.8, 0.7), (0.6, 0.98), (0.15, 0.92)]],
    4: [[(0.25, 0), (0.15, 0.55), (0.85, 0.5)], [(0.7, 0.1), (0.65, 1)]],
    5: [[(0.85, 0), (0.25, 0.03), (0.2, 0.45), (0.65, 0.45), (0.8, 0.75), (0.5, 1), (0.1, 0.92)]],
    6: [[(0.65, 0), (0.25, 0.4), (0.2, 0.8), (0.5, 1), (0.8, 0.8), (0.6, 0.58), (0.25, 0.7)]],
    7: [[(0.1, 0.05), (0.85, 0), (0.5, 0.5), (0.35, 1)]],
    8: [
        [(0.5, 0), (0.25, 0.1), (0.22, 0.3), (0.5, 0.47), (0.78, 0.3), (0.75, 0.1), (0.5, 0)],
        [(0.5, 0.47), (0.2, 0.62), (0.18, 0.85), (0.5, 1), (0.82, 0.85), (0.8, 0.62), (0.5, 0.47)],
    ],
    9: [[(0.75, 0.2), (0.4, 0), (0.2, 0.3), (0.5, 0.5), (0.75, 0.2), (0.7, 0.6), (0.6, 1)]],
}


def draw(digit: int, side: int = 28, seed: int = 0, *, ink: int = 0, paper: int = 255) -> Image.Image:
    """Returns a picture (L) of a digit; another seed, another hand."""
    hand = random.Random(seed)
    picture = Image.new("L", (4 * side, 4 * side), paper)
    brush = ImageDraw.Draw(picture)
    width = round(side * hand.uniform(0.3, 0.5))

    def place(x: float, y: float) -> tuple[float, float]:
        return side * 4 * (0.25 + 0.5 * x + hand.gauss(0, 0.008)), side * 4 * (0.17 + 0.66 * y + hand.gauss(0, 0.008))

    for stroke in STROKES[digit]:
        corners = [place(x, y) for x, y in stroke]
        brush.line(corners, fill=ink, width=width, joint="curve")
        for x, y in (corners[0], corners[-1]):
            brush.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=ink)
    return picture.resize((side, side), Image.Resampling.BOX)


def encode(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """Makes the PNG of a drawn digit: `png(7, side=28, seed=0)`."""
    return lambda digit, side=28, seed=0, **colours: encode(draw(digit, side, seed, **colours))


def pack(*files: tuple[str, bytes]) -> bytes:
    """Returns a ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return file.getvalue()


@pytest.fixture(scope="session")
def zipped() -> Callable[..., bytes]:
    """Makes a ZIP: `zipped((name, data), …)`."""
    return pack


@dataclass(frozen=True)
class Server:
    """A running `python -m digit serve`."""

    port: int
    process: "subprocess.Popen[str]"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def environment(**settings: str) -> dict[str, str]:
    """Returns this process's environment with no setting of ours but these."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("DIGIT_", "LINESIDE_"))}
    return {**others, **settings}


@contextmanager
def serving(**settings: str) -> Iterator[Server]:
    command = [sys.executable, "-m", "digit", "serve"]
    process = subprocess.Popen(
        command,
        env=environment(**{"DIGIT_PORT": "0", "DIGIT_DRAIN_S": "0", **settings}),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout
        yield Server(int(process.stdout.readline().rpartition(":")[2]), process)
    finally:
        process.terminate()
        process.communicate(timeout=30)


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[Server]]:
    """Runs the real process until the block ends: `with start(DIGIT_MODEL="cnn") as server:`."""
    return serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The real process, over real sockets."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The whole service, as it is started."""
    with TestClient(create_app(Settings(access_log=False))) as client:
        yield client


@pytest.fixture
def reader() -> Iterator[Reader]:
    """A reader with its models, without HTTP."""
    reader = Reader(Settings())
    reader.open()
    yield reader
    reader.close()


@pytest.fixture
def pieces_of() -> Callable[..., Pieces]:
    """Makes pieces of a number out of filled boxes (left, top, right, bottom); each seam crosses 1.5 strokes."""

    def make(*boxes: tuple[int, int, int, int], joints: tuple[tuple[int, int], ...] = ()) -> Pieces:
        label = np.full((80, 300), -1, np.int16)
        for number, (left, top, right, bottom) in enumerate(boxes):
            label[top:bottom, left:right] = number
        return Pieces(
            (label >= 0).astype(np.float32),
            label,
            np.array(boxes, np.intp),
            np.array([(right - left) * (bottom - top) for left, top, right, bottom in boxes], np.intp),
            np.array(joints, np.intp).reshape(-1, 2),
            np.full(len(joints), 1.5),
            tall=60.0,
            stroke=6.0,
        )

    return make
