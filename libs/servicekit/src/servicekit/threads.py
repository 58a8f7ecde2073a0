"""How many CPUs this process may really use, and a pool of that size for inference."""

import asyncio
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

ROOT = Path("/")


def effective_cpus(root: Path = ROOT) -> int:
    """Returns the least of the affinity mask and the CPU quotas of the control groups (v1 or v2), at least 1."""
    return max(1, math.ceil(min([float(len(os.sched_getaffinity(0))), *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Yields, in CPUs, the quotas of this process's group and of those above it."""
    for folder in _groups(root):
        words = _read(folder, "cpu.max") or _read(folder, "cpu.cfs_quota_us", "cpu.cfs_period_us")
        if words and words[0] not in ("max", "-1"):
            yield int(words[0]) / int(words[1])


def _groups(root: Path) -> Iterator[Path]:
    """Yields the folders of the groups that can limit the CPU; a container sees its own group as the uppermost."""
    mounts = root / "sys/fs/cgroup"
    for line in _read(root, "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            mount = mounts / "cpu" if controllers else mounts
            group = mount / path.lstrip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def _read(folder: Path, *names: str) -> list[str]:
    try:
        return [word for name in names for word in (folder / name).read_text().split()]
    except OSError:
        return []


class Pool:
    """Runs what takes a millisecond or more, as many at once as there are CPUs; the rest waits, but not in anyio's."""

    def __init__(self, name: str, workers: int | None = None) -> None:
        self._executor = ThreadPoolExecutor(workers or effective_cpus(), thread_name_prefix=name)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    def close(self) -> None:
        self._executor.shutdown(wait=True)
