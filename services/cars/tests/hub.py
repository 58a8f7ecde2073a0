"""A remote recogniser on loopback that answers in every way that one can: `with Hub(answer, …) as hub`."""

import contextlib
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

Answer = Callable[[socket.socket, threading.Event], None]

CARS: list[dict[str, Any]] = [
    {"label": "Tesla Model S Sedan 2012", "score": 0.7},
    {"label": "Audi A5 Coupe 2012", "score": 0.15},
    {"label": "Audi S5 Coupe 2012", "score": 0.1},
    {"label": "Audi S4 Sedan 2007", "score": 0.03},
    {"label": "Honda Accord Sedan 2012", "score": 0.02},
]
IMAGENET: list[dict[str, Any]] = [
    {"label": "sports car, sport car", "score": 0.9},
    {"label": "convertible", "score": 0.05},
    {"label": "racer, race car, racing car", "score": 0.02},
]
HTML = "<!doctype html><html><body><h1>Bad Gateway</h1><script>alert(1)</script></body></html>"


@dataclass(frozen=True)
class Request:
    """What came in, with header names in lower case."""

    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hub:
    """Answers each request with the next of its answers, the last one again and again."""

    answers: list[Answer]
    tls: ssl.SSLContext | None = None
    greeting: bytes = b""  # sent before anything is read
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)
    gone: threading.Event = field(default_factory=threading.Event)  # a connection has ended

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://localhost:{self.port}/models"

    def __enter__(self) -> Self:
        self._accepting = threading.Thread(target=self._accept)
        self._accepting.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            pass
        for thread in (self._accepting, *self._threads):
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self.ended.is_set():
            connection, _ = self._listener.accept()
            thread = threading.Thread(target=self._talk, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _talk(self, connection: socket.socket) -> None:
        connection.settimeout(0.1)
        with connection, contextlib.suppress(OSError):
            talking = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
            with talking:
                self.connections += 1
                talking.sendall(self.greeting)
                while request := self._read(talking):
                    with self._lock:
                        self.requests.append(request)
                        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                    answer(talking, self.ended)
        self.gone.set()

    def _read(self, talking: socket.socket) -> Request | None:
        """Returns the next request, None where the client or the test has gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (more := self._receive(talking)):
                return None
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        line, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            if not (more := self._receive(talking)):
                return None
            body += more
        return Request(line.split(" ")[1], headers, body)

    def _receive(self, talking: socket.socket) -> bytes:
        while not self.ended.is_set():
            with contextlib.suppress(TimeoutError):
                return talking.recv(65_536)
        return b""


def reply(status: int, body: bytes | str = b"", *headers: str) -> Answer:
    """Answers over a connection that stays open."""
    content = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(content)}", *headers, "", ""]
    return raw("\r\n".join(lines).encode() + content)


def says(value: object, status: int = 200, *headers: str) -> Answer:
    """Answers JSON; NaN and Infinity are written as Python's json does."""
    return reply(status, json.dumps(value), "Content-Type: application/json", *headers)


def html(status: int) -> Answer:
    return reply(status, HTML, "Content-Type: text/html; charset=utf-8")


def plain(status: int, text: str) -> Answer:
    return reply(status, text, "Content-Type: text/plain")


def raw(data: bytes) -> Answer:
    return lambda talking, _ended: talking.sendall(data)


def hang(talking: socket.socket, ended: threading.Event) -> None:
    """Never answers, until the client has gone."""
    while not ended.is_set():
        try:
            if not talking.recv(1):
                raise ConnectionError("the client has gone")
        except TimeoutError:
            continue


def drip(talking: socket.socket, ended: threading.Event) -> None:
    """Sends a body of 100,000 bytes, one every 50 ms."""
    talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while not ended.wait(0.05):
        talking.sendall(b" ")


def flood(talking: socket.socket, ended: threading.Event) -> None:
    """Sends 100 MB, or as much as the client reads."""
    talking.settimeout(10)
    talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n[")
    for _ in range(100):
        if ended.is_set():
            return
        talking.sendall(b" " * 1_000_000)


def reset(talking: socket.socket, _ended: threading.Event) -> None:
    """Resets the connection in the middle of the body."""
    talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{")
    talking.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    raise ConnectionError("reset")


def cut(talking: socket.socket, _ended: threading.Event) -> None:
    """Closes the connection before the announced end of the body."""
    talking.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"label"')
    raise ConnectionError("cut")


def closed_port() -> int:
    """Returns a port of loopback where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
