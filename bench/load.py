"""A bounded load of HTTP/1.1 requests over keep-alive connections, cheap enough not to be the bottleneck."""

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import repeat


@dataclass(frozen=True)
class Load:
    """What a run of `requests` answers took; latencies in seconds, sorted."""

    requests: int
    failed: int
    seconds: float
    latencies_s: list[float]

    def percentile(self, percent: float) -> float:
        return self.latencies_s[min(len(self.latencies_s) - 1, int(len(self.latencies_s) * percent / 100))]


def request_bytes(path: str, body: bytes, content_type: str, headers: dict[str, str]) -> bytes:
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body)}",
    ]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, request: bytes, *, connections: int, requests: int) -> Load:
    """Sends the same request so often over `connections` and returns what came of it."""
    share = requests // connections
    return asyncio.run(_run(port, [repeat(request, share) for _ in range(connections)]))


def run_each(port: int, requests: Iterable[bytes], *, connections: int) -> Load:
    """Sends each of the requests once; a connection that has its answer takes the next one."""
    return asyncio.run(_run(port, [iter(requests)] * connections))


async def _run(port: int, requests: list[Iterator[bytes]]) -> Load:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    clients = [_Client(each, loop.create_future()) for each in requests]
    for client in clients:
        await loop.create_connection(partial(_itself, client), "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    latencies = sorted(latency for client in clients for latency in client.latencies_s)
    return Load(len(latencies), sum(client.failed for client in clients), seconds, latencies)


def _itself(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, requests: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self.requests = requests
        self.done = done
        self.failed = 0
        self.latencies_s: list[float] = []
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send()

    def _send(self) -> None:
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            self.done.set_result(None)
            return
        self.sent = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        self.latencies_s.append(time.perf_counter() - self.sent)
        self.failed += not head.startswith(b"HTTP/1.1 2")
        self._send()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))
