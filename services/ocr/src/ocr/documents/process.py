"""A process with limits on the other end of a socket. What it answers is not trusted further than its types."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from ocr.pdf.wire import Wire

START_S = 60.0  # a machine that swaps
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # all of it: nothing of ours is handed on
MAX_SAID = 2000
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class ProcessEnded(Exception):  # noqa: N818 - what it means is for the caller to judge
    """The process ended of itself: `signal` is what ended it, where one did; `said` what it wrote before."""

    def __init__(self, status: int, said: str) -> None:
        self.signal = signal.Signals(-status) if status < 0 else None
        self.said = said
        super().__init__(f"by {self.signal.name}" if self.signal else f"with status {status}")


class Process:
    """Runs `python -m module`, which says when it is ready. Used by one thread at a time; any may kill it."""

    def __init__(self, module: str, start: Callable[[int], msgspec.Struct]) -> None:
        """`start` is told our process's number. Raises ProcessEnded and TimeoutError."""
        ours, theirs = socket.socketpair()
        text = msgspec.json.encode(start(os.getpid())).decode()
        command = [sys.executable, "-I", "-m", module, str(theirs.fileno()), text]
        with theirs:
            self._process = subprocess.Popen(
                command,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a Ctrl-C is ours
            )
        self._wire = Wire(ours)
        self.answered = 0
        self.killed = False
        self.number = self._process.pid
        try:
            self._receive(START_S, MAX_SAID)
        except BaseException:
            self.close()
            raise

    def tell(self, message: bytes) -> None:
        """Sends what is not answered; that it cannot be sent shows at the next question."""
        try:
            self._wire.send(message)
        except OSError:
            self.kill()

    def ask(self, message: bytes, seconds: float, most: int) -> tuple[bytearray, bytearray]:
        """Raises ProcessEnded, TimeoutError, and WireError for an answer of more than `most` bytes."""
        try:
            self._wire.send(message)
        except OSError:
            raise self._ended() from None
        answer = self._receive(seconds, most)
        self.answered += 1
        return answer

    def _receive(self, seconds: float, most: int) -> tuple[bytearray, bytearray]:
        try:
            return self._wire.receive(most, seconds)
        except TimeoutError:
            self.kill()
            raise
        except (EOFError, ConnectionError):
            raise self._ended() from None

    def _ended(self) -> ProcessEnded:
        """Waits for the end of a process that has closed its socket; it can do so alive only if it was taken over."""
        try:
            self._process.wait(1.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
        assert self._process.stderr is not None
        said = self._process.stderr.read(MAX_SAID).decode("utf-8", "replace")
        return ProcessEnded(self._process.wait(), said)

    @property
    def memory_bytes(self) -> int:
        """The address space that it has taken; 0 when it has ended."""
        try:
            words = Path(f"/proc/{self.number}/statm").read_text(encoding="ascii").split()
        except OSError:
            return 0
        return int(words[0]) * PAGE_BYTES

    def kill(self) -> None:
        """Ends it at once; whoever waits for its answer is told that it ended."""
        self.killed = True
        self._process.kill()

    def close(self) -> None:
        """Ends it and waits for that, which the kernel does within milliseconds."""
        self._process.kill()
        self._process.wait()
        self._wire.close()
        if self._process.stderr is not None:
            self._process.stderr.close()
