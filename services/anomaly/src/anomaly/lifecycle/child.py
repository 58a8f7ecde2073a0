"""The child process that reads tables and trains: what can crash, hang or grow does so outside the service.

The request goes in by the pipe, lines of JSON come back; nothing touches the disk, and the child knows no settings,
no database and no secrets. When the service dies, the pipe breaks and the child with it.
"""

import asyncio
import base64
import contextlib
import logging
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, Literal

import msgspec
from servicekit.problems import Problem

from anomaly.problems import TableInvalid, TrainingFailed, TrainingImpossible

logger = logging.getLogger(__name__)

MAX_LINE_BYTES = 8 * 1024 * 1024  # a model of 4 MiB in base64
MAX_STDERR_CHARS = 2000
END_GRACE_S = 5.0
PIECE_BYTES = 65_536  # what a pipe holds: more would only be copied about


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What the child is asked for: the first line that it reads; the deflated CSV follows."""

    task: str  # check or train
    options: dict[str, Any]
    sensors: list[dict[str, Any]]  # known ones, whose units and ranges are taken over by name
    max_bytes: int  # of the CSV
    memory_bytes: int
    ranges: list[str] = []  # NAME=LOW:HIGH
    units: list[str] = []  # NAME=TEXT


class Line(msgspec.Struct, omit_defaults=True):
    """What the child says: a progress, a refusal, or a result."""

    progress: float = 0.0
    message: str = ""
    refusal: Literal["table", "training"] | None = None
    row: int | None = None
    rows: int | None = None
    model: str | None = None  # safetensors in base64
    report: dict[str, Any] | None = None


async def check(order: Order, data: bytes, timeout_s: float) -> int:
    """Reads the whole table and returns its number of rows; raises TableInvalid or TrainingImpossible."""
    limit = TrainingImpossible(f"reading the table takes more than {timeout_s:g} s, which is the limit")
    async with _within(timeout_s, limit), aclosing(_talk(order, data)) as lines:
        async for line in lines:
            if line.rows is not None:
                return line.rows
    raise TrainingFailed("the process that reads tables ended without a result")


async def train(
    order: Order, data: bytes, timeout_s: float, progress: Callable[[float, str], None]
) -> tuple[bytes, dict[str, Any]]:
    """Trains and returns the model's file and its report; raises a Problem with the reason where it fails."""
    limit = TrainingFailed(f"it took more than {timeout_s:g} s, which is the limit")
    async with _within(timeout_s, limit), aclosing(_talk(order, data)) as lines:
        async for line in lines:
            if line.model is not None:
                return base64.b64decode(line.model), line.report or {}
            progress(line.progress, line.message)
    raise TrainingFailed("the training process ended without a result")


@asynccontextmanager
async def _within(timeout_s: float, refusal: Problem) -> AsyncGenerator[None, None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise refusal from None


async def _talk(order: Order, data: bytes) -> AsyncGenerator[Line, None]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "anomaly.lifecycle.worker"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=MAX_LINE_BYTES,
        env={"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"},
        start_new_session=True,  # Ctrl-C is for the service, which ends the child itself
    )
    feeding = asyncio.create_task(_feed(process, msgspec.json.encode(order) + b"\n", data))
    errors = asyncio.create_task(_tail(process))
    try:
        assert process.stdout
        async for text in process.stdout:
            yield _refuse(msgspec.json.decode(text, type=Line))
        _explain_end(await process.wait(), await errors)
    except ValueError as error:  # no JSON, or a line without an end
        logger.error("the training process said what is no line: %s", error)
        raise TrainingFailed("the training process failed, the service's log tells why") from error
    finally:
        await _end(process, feeding, errors)


async def _feed(process: asyncio.subprocess.Process, head: bytes, data: bytes) -> None:
    assert process.stdin
    with contextlib.suppress(ConnectionError):  # it ended early and says why on its other pipe
        process.stdin.write(head)
        for start in range(0, len(data), PIECE_BYTES):
            process.stdin.write(data[start : start + PIECE_BYTES])
            await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()


async def _tail(process: asyncio.subprocess.Process) -> str:
    """Returns the last that the child wrote to its stderr, however much that was."""
    assert process.stderr
    kept = b""
    while piece := await process.stderr.read(65_536):
        kept = (kept + piece)[-MAX_STDERR_CHARS:]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process, feeding: "asyncio.Task[None]", errors: "asyncio.Task[str]") -> None:
    """Ends the child, and reads its pipes to their ends: only then are they closed on this side."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    feeding.cancel()
    assert process.stdin
    process.stdin.close()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(END_GRACE_S):
            await asyncio.gather(feeding, errors, _discard(process), process.wait(), return_exceptions=True)
    errors.cancel()


async def _discard(process: asyncio.subprocess.Process) -> None:
    assert process.stdout
    while await process.stdout.read(PIECE_BYTES):
        pass


def _refuse(line: Line) -> Line:
    if line.refusal == "table":
        raise TableInvalid(line.message, row=line.row)
    if line.refusal == "training":
        raise TrainingImpossible(line.message)
    return line


def _explain_end(code: int, errors: str) -> None:
    if code == 0:
        return
    logger.error("the training process ended with %d: %s", code, errors)
    if code < 0:
        name = signal.Signals(-code).name
        hint = ", probably for want of memory" if code == -signal.SIGKILL else ""
        raise TrainingFailed(f"the training process was ended by {name}{hint}")
    raise TrainingFailed("the training process failed, the service's log tells why")
