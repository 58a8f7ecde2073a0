"""A bounded load of identical HTTP/1.1 requests over keep-alive connections, cheap enough not to be the bottleneck."""

import asyncio
import time
from dataclasses import dataclass
from functools import partial


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
    """Sends `requests` in all over `connections` and returns what came of it."""
    return asyncio.run(_run(port, request, connections, requests))


async def _run(port: int, request: bytes, connections: int, requests: int) -> Load:
    loop = asyncio.get_running_loop()
    share = requests // connections
    started = time.perf_counter()
    clients = [_Client(request, share, loop.create_future()) for _ in range(connections)]
    for client in clients:
        await loop.create_connection(partial(_itself, client), "127.0.0.1", port)
    await asyncio.gather(*(client.done for client in clients))
    seconds = time.perf_counter() - started
    latencies = sorted(latency for client in clients for latency in client.latencies_s)
    return Load(share * connections, sum(client.failed for client in clients), seconds, latencies)


def _itself(client: "_Client") -> "_Client":
    return client


class _Client(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is whole."""

    def __init__(self, request: bytes, count: int, done: "asyncio.Future[None]") -> None:
        self.request = request
        self.left = count
        self.done = done
        self.failed = 0
        self.latencies_s: list[float] = []
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self._send()

    def _send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(self.request)

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
        self.failed += not head.startswith(b"HTTP/1.1 200")
        self.left -= 1
        if self.left:
            self._send()
        else:
            self.transport.close()
            self.done.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server closed the connection"))
