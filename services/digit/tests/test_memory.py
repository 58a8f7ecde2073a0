"""Memory stays within 150 MB above idle, whatever comes: the real process, sent the worst files side by side."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import hostile
import httpx2

MOST_MB = 150


def memory_mb(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1000


def worst(zipped: Callable[..., bytes]) -> list[tuple[str, str, bytes]]:
    """Returns paths, fields and files."""
    large = hostile.blank(5000, 5000, colour=hostile.RGB_ALPHA)
    dense = hostile.sound() + random.Random(0).randbytes(10_000_000)
    files = [
        large,
        hostile.blank(4900, 5000, 16, hostile.RGB_ALPHA),
        hostile.large_progressive(4000),
        hostile.many_scans(),
        hostile.claims(20_000, 20_000),
        dense,
        dense[:200_000],
    ]
    archives = [
        zipped(*((f"{i}.png", large) for i in range(6))),
        zipped(*((f"{i}.png", dense) for i in range(6))),
        hostile.million_entries(),
        hostile.honest_bomb(),
        hostile.lying_bomb(),
        hostile.overlapping_bomb(),
    ]
    batches = [("/predict_batch?on_error=skip", "files", file) for file in archives]
    return [("/predict", "file", file) for file in files for _ in range(3)] + batches


def test_memory_stays_within_its_limit_whatever_comes(start: Callable[..., Any], zipped: Callable[..., bytes]) -> None:
    with start() as server, httpx2.Client(base_url=server.url, timeout=300) as client:

        def send(request: tuple[str, str, bytes]) -> int:
            path, field, data = request
            return client.post(path, files={field: ("a.png", data)}).status_code

        assert send(("/predict", "file", hostile.sound())) == 200
        idle = memory_mb(server.process.pid, "VmRSS")
        with ThreadPoolExecutor(12) as threads:
            statuses = set(threads.map(send, worst(zipped)))
        assert statuses <= {200, 422}
        assert memory_mb(server.process.pid, "VmHWM") - idle <= MOST_MB
        assert send(("/predict", "file", hostile.sound())) == 200
