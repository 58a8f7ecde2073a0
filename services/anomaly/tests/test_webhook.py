"""Webhooks against a real HTTP server on loopback that answers in every way a receiver can."""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from anomaly.alerting import webhook
from anomaly.alerting.notices import Notice
from anomaly.alerting.outbound import AllowList
from anomaly.alerting.webhook import Outcome, Webhook

LOOPBACK = AllowList.of(["127.0.0.0/8"])
SECRET = b"a secret of at least 24 bytes"
NOTICE = Notice("msg_1", "firing", "press-4", "anomaly", "critical", 1_767_225_600_000, alert_id=1, score=2.0)
Answer = Callable[[socket.socket], None]


@dataclass
class Receiver:
    """A server that keeps what it got and answers by `answer`."""

    answer: Answer
    tls: ssl.SSLContext | None = None
    requests: list[bytes] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self) -> None:
        while not self.ended.is_set():
            connection, _ = self.listener.accept()
            with connection, contextlib.suppress(OSError):
                if self.ended.is_set():
                    return
                connection.settimeout(10)
                talking = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
                with talking:
                    self.requests.append(read_request(talking))
                    self.answer(talking)

    def close(self) -> None:
        self.ended.set()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=5):
            pass
        self.thread.join(10)
        self.listener.close()


def read_request(connection: socket.socket) -> bytes:
    """Returns head and body of one request with a Content-Length."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def status(line: str, *headers: str, body: bytes = b"") -> Answer:
    head = "\r\n".join([f"HTTP/1.1 {line}", f"Content-Length: {len(body)}", *headers, "", ""]).encode()
    return lambda connection: connection.sendall(head + body)


@pytest.fixture
def serve() -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def start(answer: Answer, tls: ssl.SSLContext | None = None) -> Receiver:
        made.append(Receiver(answer, tls))
        return made[-1]

    yield start
    for receiver in made:
        receiver.close()


def to(url: str, allow: AllowList = LOOPBACK, secret: bytes | None = SECRET) -> Webhook:
    return webhook.parse(url, secret, allow, "https://line.example")


def send(hook: Webhook, timeout_s: float = 5.0) -> Outcome:
    quick = Webhook(hook.name, hook.url, hook.secret, hook.allow, hook.public_url, timeout_s)
    return asyncio.run(quick.send(NOTICE, 1))


def headers_of(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


@pytest.mark.parametrize("line", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
def test_any_2xx_is_delivered(serve: Callable[..., Receiver], line: str) -> None:
    receiver = serve(status(line))
    assert send(to(f"http://127.0.0.1:{receiver.port}/hook")) == Outcome()
    assert receiver.requests[0].startswith(b"POST /hook HTTP/1.1\r\n")


def test_a_receiver_can_verify_the_signature(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("200 OK"))
    send(to(f"http://127.0.0.1:{receiver.port}/hook"))
    headers, body = headers_of(receiver.requests[0]), receiver.requests[0].partition(b"\r\n\r\n")[2]
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["webhook-id"] == "msg_1"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["version"] == "4"


def test_the_signature_is_that_of_the_specification() -> None:
    """The example of the specification's reference libraries."""
    key = webhook.parse_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = webhook.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_without_a_secret_there_is_no_signature(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("200 OK"))
    send(to(f"http://127.0.0.1:{receiver.port}/", secret=None))
    headers = headers_of(receiver.requests[0])
    assert "webhook-signature" not in headers
    assert headers["webhook-id"] == "msg_1"


def test_user_and_query_reach_the_receiver_and_nobody_else(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("500 Oh"))
    hook = to(f"http://kim:p%40ss@127.0.0.1:{receiver.port}/hook?token=hidden")
    outcome = send(hook)
    assert hook.name == f"webhook:http://127.0.0.1:{receiver.port}/hook"
    assert headers_of(receiver.requests[0])["authorization"] == "Basic " + base64.b64encode(b"kim:p@ss").decode()
    assert receiver.requests[0].startswith(b"POST /hook?token=hidden ")
    assert "hidden" not in str(outcome)
    assert "ss" not in hook.name


@pytest.mark.parametrize("code", [400, 410, 413, 415, 422])
def test_an_answer_that_will_never_change_is_final(serve: Callable[..., Receiver], code: int) -> None:
    assert send(to(f"http://127.0.0.1:{serve(status(f'{code} No')).port}/")) == Outcome(f"answered {code}", final=True)


@pytest.mark.parametrize("code", [401, 403, 404, 408, 500, 502, 503, 504])
def test_an_answer_that_may_change_is_tried_again(serve: Callable[..., Receiver], code: int) -> None:
    assert send(to(f"http://127.0.0.1:{serve(status(f'{code} No')).port}/")) == Outcome(f"answered {code}")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("120", 120.0), ("999999999999", 3600.0), ("-5", 0.0), ("soon", 0.0), ("", 0.0),
     ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600.0), ("\uff11\uff12", 0.0)],
)  # fmt: skip
def test_retry_after_is_obeyed_up_to_an_hour(value: str, seconds: float) -> None:
    assert webhook.judge(429, value).retry_after_s == seconds
    assert webhook.judge(503, value).retry_after_s == seconds
    assert webhook.judge(500, value).retry_after_s == 0.0


def test_429_with_retry_after_over_the_wire(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("429 Too Many Requests", "Retry-After: 30"))
    assert send(to(f"http://127.0.0.1:{receiver.port}/")) == Outcome("answered 429", retry_after_s=30.0)


def test_a_redirect_is_not_followed(serve: Callable[..., Receiver]) -> None:
    target = serve(status("200 OK"))
    receiver = serve(status("302 Found", f"Location: http://127.0.0.1:{target.port}/"))
    outcome = send(to(f"http://127.0.0.1:{receiver.port}/"))
    assert outcome == Outcome("answered 302, a redirect, which is not followed")
    assert target.requests == []


def test_a_receiver_that_hangs_costs_the_timeout_and_no_more(serve: Callable[..., Receiver]) -> None:
    gate = threading.Event()

    def hang(_connection: socket.socket) -> None:
        gate.wait(10)

    receiver = serve(hang)
    started = time.monotonic()
    outcome = send(to(f"http://127.0.0.1:{receiver.port}/"), timeout_s=0.3)
    gate.set()
    assert outcome.error is not None
    assert not outcome.final
    assert time.monotonic() - started < 2


def test_a_head_that_drips_costs_the_timeout_and_no_more(serve: Callable[..., Receiver]) -> None:
    gate = threading.Event()

    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 200 OK\r\n" * 20:
            connection.sendall(bytes([byte]))
            if gate.wait(0.05):
                return

    receiver = serve(drip)
    outcome = send(to(f"http://127.0.0.1:{receiver.port}/"), timeout_s=0.5)
    gate.set()
    assert outcome == Outcome("no answer within 0.5 s")


def test_a_body_that_drips_is_not_waited_for(serve: Callable[..., Receiver]) -> None:
    gate = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n1")
        gate.wait(10)

    receiver = serve(drip)
    started = time.monotonic()
    assert send(to(f"http://127.0.0.1:{receiver.port}/")) == Outcome()
    gate.set()
    assert time.monotonic() - started < 3


def test_a_huge_answer_is_not_read(serve: Callable[..., Receiver]) -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
        for _ in range(1000):
            connection.sendall(chunk)
            sent += len(chunk)

    receiver = serve(flood)
    assert send(to(f"http://127.0.0.1:{receiver.port}/")) == Outcome()
    receiver.close()
    assert sent < 100_000_000


def test_a_head_without_end_is_refused(serve: Callable[..., Receiver]) -> None:
    receiver = serve(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 5_000_000))
    outcome = send(to(f"http://127.0.0.1:{receiver.port}/"))
    assert outcome.error is not None
    assert len(outcome.error) <= 300


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 2", b"\x00\xff" * 100])
def test_an_answer_that_is_no_http_is_a_failure(serve: Callable[..., Receiver], answer: bytes) -> None:
    outcome = send(to(f"http://127.0.0.1:{serve(lambda connection: connection.sendall(answer)).port}/"))
    assert outcome.error is not None
    assert outcome.error.isprintable()


def test_a_refused_connection_is_tried_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    outcome = send(to(f"http://127.0.0.1:{port}/"))
    assert outcome.error is not None
    assert "ConnectError" in outcome.error
    assert not outcome.final


def test_a_name_that_does_not_resolve_is_tried_again() -> None:
    outcome = send(to("http://no-such-host.invalid/hook?token=hidden"))
    assert outcome.error is not None
    assert outcome.error.startswith("no-such-host.invalid does not resolve")
    assert not outcome.final


def test_an_address_that_is_not_allowed_is_never_connected_to(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("200 OK"))
    outcome = send(to(f"http://localhost:{receiver.port}/", AllowList.of(["example.com", "10.0.0.0/8"])))
    assert outcome.final
    assert "ANOMALY_WEBHOOK_ALLOW does not allow" in str(outcome.error)
    assert receiver.requests == []


def test_the_host_header_stays_though_the_address_is_pinned(serve: Callable[..., Receiver]) -> None:
    receiver = serve(status("200 OK"))
    assert send(to(f"http://localhost:{receiver.port}/")) == Outcome()
    assert headers_of(receiver.requests[0])["host"] == f"localhost:{receiver.port}"


def test_an_address_of_version_6_is_put_in_brackets() -> None:
    assert webhook.pinned(to("https://host.example:8443/a?b=c").url, "fd00::5") == "https://[fd00::5]:8443/a?b=c"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path)]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command = ["openssl", "req", "-x509", *key, *name, "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_the_certificate_must_be_the_hosts_though_the_address_is_pinned(
    serve: Callable[..., Receiver], certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = serve(status("200 OK"), server_context(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    assert send(to(f"https://localhost:{receiver.port}/")) == Outcome()
    outcome = send(to(f"https://127.0.0.1:{receiver.port}/"))
    assert "certificate" in str(outcome.error).lower()


def test_a_certificate_that_nobody_vouches_for_is_refused(serve: Callable[..., Receiver], certificate: Path) -> None:
    receiver = serve(status("200 OK"), server_context(certificate))
    assert "certificate" in str(send(to(f"https://localhost:{receiver.port}/")).error).lower()
    assert receiver.requests == []


@pytest.mark.parametrize(
    "url",
    ["", "hook", "ftp://a/b", "http://", "http:///x", "http://a:99999/", "http://a/#x", "http://a/ b", "http://a/\n",
     "http://ümlaut.example/", "http://a/" + "x" * 300, "file:///etc/passwd", "http://[::1/", "http://a?" + "x" * 3000],
)  # fmt: skip
def test_refuses_a_url_that_cannot_be_used(url: str) -> None:
    with pytest.raises(ValueError, match=r"expected|characters"):
        to(url)


def test_refuses_any_url_while_the_allow_list_is_empty() -> None:
    with pytest.raises(ValueError, match="ANOMALY_WEBHOOK_ALLOW is empty"):
        to("https://example.com/", AllowList.of([]))


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "plain", "whsec_c2hvcnQ=", "whsec_" + "A" * 92, "whsec_not base64 at all!"]
)
def test_refuses_a_secret_that_the_specification_would(secret: str) -> None:
    with pytest.raises(ValueError, match="expected whsec_"):
        webhook.parse_secret(secret)
