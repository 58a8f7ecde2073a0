"""Mail against a real SMTP server on loopback, with its refusals, and servers that hang."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session
from anomaly.alerting import mail
from anomaly.alerting.mail import Mail, Server
from anomaly.alerting.notices import Notice
from anomaly.alerting.webhook import Outcome

NOTICE = Notice("msg_1", "firing", "press-4", "anomaly", "critical", 1_767_225_600_000, alert_id=1, score=2.0)


class Mailbox:
    """Keeps what it is given; `answers` maps a command to what it is refused with."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.messages: list[bytes] = []

    async def handle_RCPT(  # noqa: N802  aiosmtpd's own name
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if "RCPT" not in self.answers:
            envelope.rcpt_tos.append(address)
        return self.answers.get("RCPT", "250 OK")

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if "DATA" not in self.answers:
            assert isinstance(envelope.content, bytes)
            self.messages.append(envelope.content)
        return self.answers.get("DATA", "250 OK")


@contextlib.contextmanager
def running(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    controller = Controller(mailbox, "127.0.0.1", port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def send(server: Server, timeout_s: float = 10.0) -> Outcome:
    receiver = Mail(server, "lineside@factory.example", "kim@factory.example", "https://line.example", timeout_s)
    return asyncio.run(receiver.send(NOTICE, 1))


def test_a_mail_arrives() -> None:
    mailbox = Mailbox()
    with running(mailbox) as port:
        assert send(Server("127.0.0.1", port)) == Outcome()
    (content,) = mailbox.messages
    message = message_from_bytes(content, policy=policy.default)
    assert message["To"] == "kim@factory.example"
    assert message["Message-ID"] == "<msg_1@factory.example>"


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"RCPT": "550 nobody here"}, Outcome("the server refused the recipient with 550", final=True)),
        ({"RCPT": "451 greylisted"}, Outcome("the server refused the recipient with 451")),
        ({"DATA": "554 spam"}, Outcome("the server answered 554 (SMTPDataError)", final=True)),
        ({"DATA": "452 full"}, Outcome("the server answered 452 (SMTPDataError)")),
    ],
)
def test_a_refusal_for_good_is_final_and_one_for_now_is_not(answers: dict[str, str], outcome: Outcome) -> None:
    mailbox = Mailbox(**answers)
    with running(mailbox) as port:
        assert send(Server("127.0.0.1", port)) == outcome
    assert mailbox.messages == []


def test_a_server_that_is_down_is_tried_again_and_reached_after_its_restart() -> None:
    mailbox = Mailbox()
    with running(mailbox) as port:
        server = Server("127.0.0.1", port)
    outcome = send(server)
    assert outcome.error is not None
    assert outcome.error.startswith("ConnectionRefusedError")
    assert not outcome.final
    controller = Controller(mailbox, "127.0.0.1", port)
    controller.start()
    assert send(server) == Outcome()
    controller.stop()
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("greeting", [b"", b"220 hello\r\n"])
def test_a_server_that_hangs_costs_the_timeout_and_no_more(greeting: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(OSError):
                connection.sendall(greeting)
                while not ended.wait(0.05):
                    connection.sendall(b"2")  # each byte renews the timeout of a single read

        thread = threading.Thread(target=drip)
        thread.start()
        started = time.monotonic()
        outcome = send(Server("127.0.0.1", listener.getsockname()[1]), timeout_s=0.5)
        ended.set()
        thread.join()
    assert outcome == Outcome("no answer within 0.5 s")
    assert time.monotonic() - started < 3


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "localhost"
    key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        str(path.with_suffix(".key")),
    ]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command = ["openssl", "req", "-x509", *key, *name, "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    return path


def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.with_suffix(".crt"), certificate.with_suffix(".key"))
    return context


def authenticate(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=data.login == b"kim" and data.password == b"p@ss", handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_starttls_and_login(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    options = {"tls_context": tls(certificate), "authenticator": authenticate, "auth_required": True}
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with running(mailbox, require_starttls=True, **options) as port:
        assert send(Server("localhost", port, starttls=True, user="kim", password="p@ss")) == Outcome()
        wrong = send(Server("localhost", port, starttls=True, user="kim", password="hidden"))
    assert wrong == Outcome("the server answered 535 (SMTPAuthenticationError)")
    assert len(mailbox.messages) == 1


def test_tls_from_the_start(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    controller = Controller(mailbox, "localhost", port, ssl_context=tls(certificate))
    controller.start()
    try:
        assert send(Server("localhost", port, tls=True)) == Outcome()
    finally:
        controller.stop()


def test_starttls_is_demanded_and_its_certificate_checked(certificate: Path) -> None:
    mailbox = Mailbox()
    with running(mailbox) as port:
        assert "SMTPNotSupportedError" in str(send(Server("localhost", port, starttls=True)).error)
    with running(mailbox, tls_context=tls(certificate)) as port:
        assert "certificate" in str(send(Server("localhost", port, starttls=True)).error).lower()
    assert mailbox.messages == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", Server("mail.example", 25)),
        ("smtp://mail.example:2525/", Server("mail.example", 2525)),
        ("smtps://kim:p%40ss@mail.example", Server("mail.example", 465, tls=True, user="kim", password="p@ss")),
        ("smtp://kim:x@mail.example?starttls=1", Server("mail.example", 587, starttls=True, user="kim", password="x")),
        ("smtp://kim:x@127.0.0.1:25", Server("127.0.0.1", 25, user="kim", password="x")),
    ],
)
def test_reads_the_servers_url(url: str, server: Server) -> None:
    assert mail.parse_server(url) == server


@pytest.mark.parametrize(
    ("url", "expectation"),
    [
        ("mail.example", "expected smtp://"),
        ("http://mail.example", "expected smtp://"),
        ("smtp://", "expected smtp://"),
        ("smtp://mail.example:0x19", "expected smtp://"),
        ("smtp://mail.example/path", "expected smtp://"),
        ("smtp://mail.example?tls=1", "expected smtp://"),
        ("smtp://mail.example?starttls", "expected smtp://"),
        ("smtp://mail.example?starttls=yes", "starttls is 0 or 1"),
        ("smtps://mail.example?starttls=1", "encrypted from the start"),
        ("smtp://kim:hidden@mail.example", "in the clear"),
    ],
)
def test_refuses_a_servers_url_without_repeating_it(url: str, expectation: str) -> None:
    with pytest.raises(ValueError, match=expectation) as refused:
        mail.parse_server(url)
    assert "hidden" not in str(refused.value)


@pytest.mark.parametrize(
    "address",
    ["", "kim", "@b", "kim@", "a b@c", "kim@b\r\nBcc: x@y", "Kim <kim@b.example>", "ü@b.example", "a@" + "b" * 300],
)
def test_refuses_what_is_no_mail_address(address: str) -> None:
    with pytest.raises(ValueError, match="expected a mail address"):
        mail.check_address(address)
