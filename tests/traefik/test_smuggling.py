"""No request hides in another: what Traefik takes for one request, a service takes for one."""

import json

import httpx2
import pytest
from deployments import Deployment

from traefik import raw

# Traefik lets no such path through. Where a service sees it, it came within another request.
PATH = "/anomaly/../smuggled"
HIDDEN = b"GET " + PATH.encode() + b" HTTP/1.1\r\nHost: x\r\nX-Request-ID: smuggled\r\n\r\n"
POST = b"POST /anomaly HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
CHUNKED = b"0\r\n\r\n"
LENGTH = str(len(HIDDEN)).encode()

ATTEMPTS = {
    "a length and chunks": POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + HIDDEN,
    "chunks and a length": POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED + HIDDEN,
    "a length over both": POST + b"Transfer-Encoding: chunked\r\nContent-Length: " + str(5 + len(HIDDEN)).encode()
    + b"\r\n\r\n" + CHUNKED + HIDDEN,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "two lengths in one": POST + b"Content-Length: 0, " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a signed length": POST + b"Content-Length: +" + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a length with a blank": POST + b"Content-Length : " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a folded line": POST + b"X-A: b\r\n Content-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "folded chunks": POST + b"Transfer-Encoding:\r\n chunked\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "xchunked": POST + b"Transfer-Encoding: xchunked\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "identity and chunked": POST + b"Transfer-Encoding: identity, chunked\r\n\r\n" + CHUNKED + HIDDEN,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n" + CHUNKED + HIDDEN,
    "a vertical tab": POST + b"Transfer-Encoding: \x0bchunked\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a bare LF": POST + b"X-A: b\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "bare LFs": POST.replace(b"\r\n", b"\n") + b"Content-Length: 0\n\n" + HIDDEN,
    "a bare CR": POST + b"X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a NUL": POST + b"X-A: \x00\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a chunk's extension": POST + b"Transfer-Encoding: chunked\r\n\r\n1;x=\n" + HIDDEN + b"\r\n" + CHUNKED,
    "a chunk ended by LF": POST + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + HIDDEN,
    "a hexadecimal length": POST + b"Content-Length: 0x10\r\n\r\n" + HIDDEN,
    "a huge chunk": POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n" + HIDDEN,
    "a trailer": POST + b"Transfer-Encoding: chunked\r\nTrailer: Content-Length\r\n\r\n0\r\nContent-Length: "
    + LENGTH + b"\r\n\r\n" + HIDDEN,
    "a GET with a body": b"GET /anomaly/health HTTP/1.1\r\nHost: x\r\nContent-Length: " + LENGTH + b"\r\n\r\n" + HIDDEN,
    "an upgrade to h2c": b"GET /anomaly/health HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\n"
    b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n" + HIDDEN,
    "an upgrade to nothing": b"GET /digit/ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 777\r\n\r\n" + HIDDEN,
    "two hosts": POST.replace(b"Host: x", b"Host: x\r\nHost: y") + b"Content-Length: 0\r\n\r\n" + HIDDEN,
    "a line in the method": b"GET\t/anomaly/metrics HTTP/1.1\r\nHost: x\r\n\r\n" + HIDDEN,
    "version 0.9": b"GET /anomaly/metrics\r\n\r\n",
    "a length that Connection takes away": POST + b"Connection: Content-Length\r\nContent-Length: " + LENGTH
    + b"\r\n\r\n" + HIDDEN,
}  # fmt: skip


def smuggled(running: Deployment) -> int:
    """Counts the lines that a service wrote of the hidden request."""
    lines = [line for name in ("anomaly", "digit") for line in running.part(name).log.read_text().splitlines()]
    return sum(json.loads(line).get("request_id") == "smuggled" for line in lines if line.startswith("{"))


def test_a_hidden_request_would_be_noticed(running: Deployment) -> None:
    before = smuggled(running)
    raw.exchange(running.part("anomaly").url, HIDDEN, timeout_s=1)
    assert smuggled(running) == before + 1


@pytest.mark.parametrize("attempt", ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_no_request_hides_in_another(running: Deployment, attempt: bytes) -> None:
    before = smuggled(running)
    answer = raw.exchange(running.base_url, attempt, timeout_s=1.5)
    assert b"# TYPE" not in answer  # nor any metrics
    # Another client's next answer over the same connections is its own.
    for number in range(5):
        sent = f"after-{number}"
        after = httpx2.post(
            f"{running.base_url}/anomaly", json={"values": [1.2, 0.9, 1.1]}, headers={"X-Request-ID": sent}
        )
        assert (after.status_code, after.headers["x-request-id"], after.json()["status"]) == (200, sent, "normal")
    assert smuggled(running) == before


@pytest.mark.parametrize("name", ["two lengths", "a signed length", "a length with a blank", "xchunked", "a NUL"])
def test_what_cannot_be_read_in_one_way_is_refused(running: Deployment, name: str) -> None:
    assert raw.status(raw.exchange(running.base_url, ATTEMPTS[name], timeout_s=1.5)) in (400, 501)
