"""One process for a folder: a lock of the system's, which a process that dies loses with everything else."""

import fcntl
import os
from pathlib import Path


class StoreInUse(OSError):  # noqa: N818 - reads as what it says
    """Another process works off the jobs of this folder."""


class Lock:
    """Held from `take` to `give_back`; not inherited by processes that are started meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def take(self) -> None:
        """Raises StoreInUse."""
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise StoreInUse(
                f"OCR_JOBS_DIR={self._path.parent}: another process keeps its jobs in this folder; each needs its own"
            ) from None
        self._descriptor = descriptor

    def give_back(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
