"""Sends one mail through the operator's server; smtplib blocks, so it runs in a thread of its own."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
import time
from dataclasses import dataclass, replace
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from anomaly.alerting.notices import Notice, mail
from anomaly.alerting.webhook import Outcome

CONNECT_TIMEOUT_S = 10.0  # also of every later answer
TIMEOUT_S = 30.0
PORTS = {"smtp": 25, "smtps": 465}
AUTHENTICATION = frozenset({530, 534, 535, 538})  # a password being changed: worth another attempt


@dataclass(frozen=True)
class Server:
    """Where mails are handed in; `starttls` is demanded, never merely tried."""

    host: str
    port: int
    tls: bool = False
    starttls: bool = False
    user: str = ""
    password: str = ""


@dataclass(frozen=True)
class Mail:
    """One receiver: one address, so that one refused address holds up no other."""

    server: Server
    sender: str
    recipient: str
    public_url: str = ""
    timeout_s: float = TIMEOUT_S
    kind: str = "mail"

    @property
    def name(self) -> str:
        return f"mail:{self.recipient}"

    async def send(self, notice: Notice, attempt: int) -> Outcome:  # noqa: ARG002  as Webhook.send
        """Hands the mail in; every failure becomes an Outcome that names no secret."""
        message = mail(notice, self.sender, self.recipient, self.public_url, int(time.time() * 1000))
        session = _Session(self.server)
        running = asyncio.create_task(asyncio.to_thread(session.send, message))
        try:
            await asyncio.wait({running}, timeout=self.timeout_s)
            if running.done():
                return running.result()
            while not running.done():  # a server that drips its answer renews smtplib's own timeout forever
                session.abort()
                await asyncio.wait({running}, timeout=1.0)
            return Outcome(f"no answer within {self.timeout_s:g} s")
        finally:
            session.abort()


class _Session:
    """One connection, which another thread may end."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client: smtplib.SMTP | None = None

    def send(self, message: EmailMessage) -> Outcome:
        try:
            with self._connect() as client:
                if self._server.starttls:
                    client.starttls(context=ssl.create_default_context())
                if self._server.user:
                    client.login(self._server.user, self._server.password)
                client.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code, _ = next(iter(error.recipients.values()))
            return Outcome(f"the server refused the recipient with {code}", final=code >= 500)
        except smtplib.SMTPResponseException as error:
            final = error.smtp_code >= 500 and error.smtp_code not in AUTHENTICATION
            return Outcome(f"the server answered {error.smtp_code} ({type(error).__name__})", final=final)
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            return Outcome(f"{type(error).__name__}: {getattr(error, 'strerror', None) or 'the mail server failed'}")
        return Outcome()

    def abort(self) -> None:
        """Ends the connection under the thread that waits on it."""
        connection = self._client.sock if self._client else None
        if connection is not None:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connect(self) -> smtplib.SMTP:
        server, session = self._server, self

        class Client(smtplib.SMTP_SSL if server.tls else smtplib.SMTP):  # type: ignore[misc]  # chosen at run time
            def connect(self, *place: Any, **options: Any) -> tuple[int, bytes]:
                session._client = self  # before the greeting, which may never end
                answer: tuple[int, bytes] = super().connect(*place, **options)
                return answer

        secure = {"context": ssl.create_default_context()} if server.tls else {}
        # smtplib's own choice of a name for the greeting asks the DNS, which may hang.
        return Client(server.host, server.port, socket.gethostname(), timeout=CONNECT_TIMEOUT_S, **secure)


def parse_server(url: str) -> Server:
    """Raises ValueError, which does not repeat the URL, for anything but smtp:// and smtps://."""
    try:
        parts = urlsplit(url)
        port = parts.port
        query = parse_qs(parts.query, strict_parsing=True) if parts.query else {}
    except ValueError:
        raise ValueError("expected smtp://user:password@host:port, ?starttls=1, or smtps://…") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in ("", "/") or set(query) - {"starttls"}:
        raise ValueError("expected smtp://user:password@host:port, ?starttls=1, or smtps://…")
    starttls = query.get("starttls", ["0"])[-1]
    if starttls not in ("0", "1"):
        raise ValueError("starttls is 0 or 1")
    if starttls == "1" and parts.scheme == "smtps":
        raise ValueError("smtps:// is encrypted from the start, starttls=1 belongs to smtp://")
    server = Server(parts.hostname, port or (587 if starttls == "1" else PORTS[parts.scheme]), parts.scheme == "smtps")
    server = replace(
        server, starttls=starttls == "1", user=unquote(parts.username or ""), password=unquote(parts.password or "")
    )
    if server.user and not (server.tls or server.starttls or server.host in ("localhost", "127.0.0.1", "::1")):
        raise ValueError("a password would travel in the clear: use smtps://… or ?starttls=1")
    return server


def check_address(address: str) -> str:
    """Returns a mail address as it is; raises ValueError for anything else."""
    try:
        parsed = Address(addr_spec=address)
    except (MessageError, ValueError, IndexError):
        raise ValueError("expected a mail address as name@host") from None
    if not parsed.domain or not parsed.username or len(address) > 200 or not address.isascii():
        raise ValueError("expected a mail address as name@host, in ASCII")
    return address
