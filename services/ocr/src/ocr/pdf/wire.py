"""Messages over a socket between two processes: two lengths, the message, and bytes that go along with it."""

import socket
import struct
import time

LENGTHS = struct.Struct("!II")  # bytes of the message, bytes that go along


class WireError(Exception):
    """What came is longer than it may be."""


class Wire:
    """One end of a connected stream socket."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, message: bytes, along: bytes | bytearray = b"") -> None:
        self._end.settimeout(None)
        self._end.sendall(LENGTHS.pack(len(message), len(along)) + message)
        if along:
            self._end.sendall(along)

    def receive(self, most: int, seconds: float | None = None) -> tuple[bytearray, bytearray]:
        """Waits for a message of at most `most` bytes in all; raises EOFError, TimeoutError and WireError."""
        deadline = None if seconds is None else time.monotonic() + seconds
        length, along = LENGTHS.unpack(self._take(LENGTHS.size, deadline))
        if length + along > most:
            raise WireError(f"the answer has {length + along} bytes, at most {most} are taken")
        return self._take(length, deadline), self._take(along, deadline)

    def _take(self, n_bytes: int, deadline: float | None) -> bytearray:
        taken = bytearray(n_bytes)
        view = memoryview(taken)
        while view:
            self._end.settimeout(None if deadline is None else max(0.001, deadline - time.monotonic()))
            read = self._end.recv_into(view)
            if not read:
                raise EOFError("the other process ended")
            view = view[read:]
        return taken

    def close(self) -> None:
        self._end.close()
