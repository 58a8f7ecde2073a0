"""Requests byte by byte, which no client library would send."""

import contextlib
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit


@contextlib.contextmanager
def connected(base: str, timeout_s: float = 10, own_address: str = "127.0.0.1") -> Iterator[socket.socket]:
    url = urlsplit(base)
    assert url.hostname
    with socket.create_connection((url.hostname, url.port or 80), timeout_s, (own_address, 0)) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    """Returns what comes until the end, or until nothing more comes."""
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while chunk := connection.recv(65_536):
            received += chunk
    return received


def exchange(base: str, data: bytes, timeout_s: float = 3) -> bytes:
    with connected(base, timeout_s) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        return read_all(connection)


def get(base: str, target: str, *headers: str) -> bytes:
    """Returns the answer to a GET of exactly that target."""
    lines = [f"GET {target} HTTP/1.1", "Host: lineside.example", "Connection: close", *headers]
    return exchange(base, ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"), timeout_s=10)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else 0
