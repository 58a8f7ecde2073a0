"""How many CPUs this process may really use, and a pool of that size for inference."""

import asyncio
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from servicekit import cgroups
from servicekit.cgroups import ROOT

T = TypeVar("T")


def effective_cpus(root: Path = ROOT) -> int:
    """Returns the least of the affinity mask and the CPU quotas of the control groups (v1 or v2), at least 1."""
    return max(1, math.ceil(min([float(len(os.sched_getaffinity(0))), *_quotas(root)])))


def _quotas(root: Path) -> Iterator[float]:
    """Yields, in CPUs, the quotas of this process's group and of those above it."""
    for folder in cgroups.groups("cpu", root):
        words = cgroups.read(folder, "cpu.max") or cgroups.read(folder, "cpu.cfs_quota_us", "cpu.cfs_period_us")
        if words and words[0] not in ("max", "-1"):
            yield int(words[0]) / int(words[1])


class Pool:
    """Runs what takes a millisecond or more, as many at once as there are CPUs; the rest waits, but not in anyio's."""

    def __init__(self, name: str, workers: int | None = None) -> None:
        self._executor = ThreadPoolExecutor(workers or effective_cpus(), thread_name_prefix=name)

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *arguments)

    async def run_to_the_end(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs it as `run` does; who is cancelled meanwhile leaves when the thread has ended, and not before."""
        running = asyncio.ensure_future(self.run(function, *arguments))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody else looks at it
            await asyncio.wait((running,))
            raise

    def close(self) -> None:
        self._executor.shutdown(wait=True)
