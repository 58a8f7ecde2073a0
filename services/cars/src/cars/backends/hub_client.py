"""One request to the remote model over pooled connections; every way in which it can fail becomes a RemoteError."""

import asyncio
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx2
from servicekit.problems import NotReady

from cars.backends import hub_picture
from cars.backends.hub_address import EXPECTED, Address
from cars.backends.hub_counts import HubCounts
from cars.backends.hub_fate import RemoteError, failing, judge
from cars.backends.hub_token import Token
from cars.problems import BackendAnswerInvalid, BackendMisconfigured, BackendTimeout, BackendUnavailable

AT_ONCE = 8
MAX_ANSWER_BYTES = 1_048_576
CONNECT_S = 5.0
IDLE_S = 30.0
# Unpacking would make a small answer any size.
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "lineside"}


class Client:
    """Sends pictures, at most AT_ONCE at a time; raises NotReady until it is opened."""

    def __init__(self, address: Address, token: Token, timeout_s: float, counts: HubCounts) -> None:
        """Raises ValueError, which does not repeat it, for an address that no request can be made to."""
        try:
            httpx2.URL(address.url)
        except httpx2.InvalidURL:
            raise ValueError(EXPECTED) from None
        self.address = address
        self.token = token
        self.timeout_s = timeout_s
        self.counts = counts
        self._http: httpx2.AsyncClient | None = None

    @property
    def http(self) -> httpx2.AsyncClient:
        if self._http is None:
            raise NotReady("the remote recogniser is not opened", headers={"Retry-After": "1"})
        return self._http

    def open(self) -> None:
        """Makes the pool; nothing is asked of the remote."""
        self._http = httpx2.AsyncClient(
            headers=HEADERS,
            limits=httpx2.Limits(max_connections=AT_ONCE, keepalive_expiry=IDLE_S),
            timeout=httpx2.Timeout(self.timeout_s, connect=min(CONNECT_S, self.timeout_s)),
            follow_redirects=False,  # the token would go where the answer says
            trust_env=False,  # a proxy out of the environment would see pictures, and the token where it is http
            verify=_tls(self.address),
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def ask(self, picture: bytes, ends: float) -> bytes:
        """Posts a JPEG; returns the body of a 200, or raises the RemoteError that came in its place.

        `ends` is when the answer must be there, by the event loop's clock.
        """
        token = self.token.current()
        headers = {"Content-Type": hub_picture.CONTENT_TYPE}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        with self._counted(len(picture)), _failures():
            async with (
                asyncio.timeout_at(ends),
                self.http.stream("POST", self.address.url, content=picture, headers=headers) as response,
            ):
                body = await _read(response)
        body = self.token.hide(body)
        judge(response.status_code, response.headers, body)
        return _whole(response.headers, body)

    @contextmanager
    def _counted(self, n_bytes: int) -> Iterator[None]:
        self.counts.attempts += 1
        self.counts.sent_bytes += n_bytes
        self.counts.in_flight += 1
        try:
            with self.counts.seconds.time():
                yield
        finally:
            self.counts.in_flight -= 1


async def _read(response: httpx2.Response) -> bytes:
    """Returns the body, or its first MAX_ANSWER_BYTES + 1; the rest is left unread and the connection closed."""
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            break
    return bytes(body[: MAX_ANSWER_BYTES + 1])


def _whole(headers: Mapping[str, str], body: bytes) -> bytes:
    if len(body) > MAX_ANSWER_BYTES:
        raise RemoteError(BackendAnswerInvalid, f"its answer has more than {MAX_ANSWER_BYTES} bytes")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RemoteError(BackendAnswerInvalid, "its answer is compressed, which was not asked for")
    return body


@contextmanager
def _failures() -> Iterator[None]:
    """Turns what the HTTP client raises into a RemoteError; addresses stay in its cause, which is only logged."""
    try:
        yield
    except (httpx2.TimeoutException, TimeoutError) as error:
        connecting = isinstance(error, httpx2.ConnectTimeout)
        reason = "no connection to it could be made in time" if connecting else "its answer did not come in time"
        raise failing(BackendTimeout, reason) from error
    except (httpx2.HTTPError, OSError) as error:
        cause = bottom(error)
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise RemoteError(BackendMisconfigured, "this service does not trust its certificate") from error
        raise failing(BackendUnavailable, _reason(error, cause)) from error


def bottom(error: BaseException) -> BaseException:
    """Returns what lies at the bottom: the layers above it only say that the attempt failed."""
    while (below := error.__cause__ or error.__context__) is not None:
        error = below
    return error


def _reason(error: Exception, cause: BaseException) -> str:
    if isinstance(cause, socket.gaierror):
        return "its name does not resolve"
    if isinstance(error, httpx2.ConnectError):
        return "no connection to it could be made"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "its answer is no HTTP, or broke off"
    return "the connection to it broke"


def _tls(address: Address) -> ssl.SSLContext:
    """Returns the machine's own certificate authorities, a private one included, or SSL_CERT_FILE's."""
    if address.url.startswith("http://"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; loading the authorities takes 20 ms
    return ssl.create_default_context()
