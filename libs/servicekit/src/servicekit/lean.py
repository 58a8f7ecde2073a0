"""What a process says before anything large is imported; only a `__main__` calls it, and calls it first."""

import contextlib
import ctypes
import os
import sys

OLDEST_PYTHON = (3, 11)
M_MMAP_THRESHOLD = -3  # mallopt's, in malloc.h of glibc
LARGE_BYTES = 1 << 20


def prepare() -> None:
    """Refuses an older Python with one line, and keeps the process small."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(f"lineside: needs Python 3.11 or newer, this is {sys.version.split()[0]}")
    # Rows are small: a second BLAS thread only costs memory and fights the first.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # noqa: TID251 - NumPy reads it, not we
    _return_large_blocks()
    # FastAPI looks whether a type is a model of pydantic 1, and would load 3 MB to learn that we have none.
    sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type] # how Python marks a module as missing


def give_back() -> None:
    """Returns to the system what has been freed between small blocks: tens of megabytes after models were loaded."""
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        ctypes.CDLL(None).malloc_trim(0)


def _return_large_blocks() -> None:
    """Has large blocks of memory go back to the system when they are freed.

    glibc raises the size from which it does that to the largest block freed so far, up to 32 MiB; what one picture
    took would stay with the process then, once for each thread.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # no glibc
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
