"""A service that does to a gateway what a real one does only when it is broken, and keeps what it was sent."""

import contextlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HEALTHY = {"status": "healthy", "model": "none", "version": "0"}


@dataclass(frozen=True)
class Seen:
    method: str
    path: str
    headers: list[tuple[str, str]]

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class StandIn:
    """Answers `/NAME/…/close` by closing, `…/hang` once `release` is set, `…/own/STATUS` in its own words, else 200."""

    url: str = ""
    ready: bool = True
    seen: list[Seen] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512
    standin: StandIn


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        standin = self.server.standin
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/health" in self.path:
            self.say(200 if standin.ready else 503, HEALTHY)
            return
        standin.seen.append(Seen(self.command, self.path, self.headers.items()))
        if self.path.endswith("/close"):
            self.close_connection = True
        elif "/own/" in self.path:
            self.say(int(self.path.rpartition("/")[2]), {"own": True}, **{"Retry-After": "77"})
        else:
            if self.path.endswith("/hang"):
                standin.release.wait(30)
            self.say(200, {"length": len(body)})

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815  the base class's names

    def say(self, status: int, value: Any, **headers: str) -> None:
        data = json.dumps(value).encode()
        with contextlib.suppress(OSError):  # the gateway has given up
            self.send_response(status)
            for name, text in {"Content-Type": "application/json", "Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Says nothing."""


@contextlib.contextmanager
def standing_in() -> Iterator[StandIn]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.standin = StandIn(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server.standin
    finally:
        server.standin.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
