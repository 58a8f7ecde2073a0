"""Durable uploads of 300 kB pictures by 8 clients, against a bare loop on the same disk: that of the temporary files.

The loop does for each picture what a store that loses nothing cannot do without: write, fsync, rename, fsync of the
folder. Once one picture after the other, as a loop does, and once on as many threads as there are clients. `TMPDIR`
chooses the disk.
"""

import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median

from bench import load, pictures_cars, servers
from bench.pictures_digit import form
from bench.report import Row

ROUNDS = 5
CLIENTS = 8
UPLOADS = 400  # of a round
PICTURE_BYTES = 300_000
LEAST = 0.5


def measure() -> Iterator[Row]:
    picture = pictures_cars.of_bytes(PICTURE_BYTES)
    rates: list[tuple[float, float, float]] = []
    with tempfile.TemporaryDirectory() as folder, servers.cars(Path(folder)) as server:
        for round_ in range(ROUNDS + 1):
            pictures = [pictures_cars.unlike(picture, round_ * UPLOADS + number) for number in range(UPLOADS)]
            bare = Path(folder, f"bare-{round_}")
            rate = (
                _uploads(server, pictures),
                _bare(bare / "one", pictures, 1),
                _bare(bare / "all", pictures, CLIENTS),
            )
            if round_:  # the first warms up
                rates.append(rate)
    what = f"uploads per second, {CLIENTS} clients, / bare loop"
    for index, (how, goal) in enumerate((("", f"at least {LEAST}"), (f" on {CLIENTS} threads", "for comparison"))):
        ratio = median(rate[0] / rate[1 + index] for rate in rates)
        yield Row(what + how, ratio, goal, None if index else ratio >= LEAST)
    for index, name in enumerate(("uploads", "pictures of the bare loop", f"the same on {CLIENTS} threads")):
        yield Row(f"{name} per second", median(rate[index] for rate in rates), "for the record", None)


def _uploads(server: servers.Server, pictures: Sequence[bytes]) -> float:
    """Returns the uploads per second."""
    requests = [load.request_bytes("/upload/", *form("file", "car.jpg", picture), {}) for picture in pictures]
    done = load.run_each(server.port, requests, connections=CLIENTS)
    if done.failed:
        raise RuntimeError(f"{done.failed} of {done.requests} uploads failed")
    return done.requests / done.seconds


def _bare(folder: Path, pictures: Sequence[bytes], threads: int) -> float:
    """Returns the pictures per second."""
    folder.mkdir(parents=True)
    started = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(_store, [folder / str(number) for number in range(len(pictures))], pictures))
    return len(pictures) / (time.perf_counter() - started)


def _store(path: Path, data: bytes) -> None:
    temporary = path.with_suffix(".part")
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    os.write(file, data)
    os.fsync(file)
    os.close(file)
    temporary.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(folder)
    os.close(folder)
