"""Sends one webhook: signed after the Standard Webhooks specification, to a checked and pinned address."""

import asyncio
import base64
import binascii
import hashlib
import hmac
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property
from urllib.parse import SplitResult, unquote, urlsplit

import msgspec

from anomaly.alerting.notices import Notice, alertmanager
from anomaly.alerting.outbound import AllowList, NotAllowedError

TIMEOUT_S = 10.0
# The receiver says that this request will never be right; 404 is not among them, because a proxy answers it while
# the receiver behind it restarts.
FINAL = frozenset({400, 410, 413, 415, 422})
MAX_RETRY_AFTER_S = 3600.0
MAX_NAME_CHARS = 200
MAX_URL_CHARS = 2000
PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Outcome:
    """What became of an attempt: `error` None is delivered, `final` is not worth another one."""

    error: str | None = None
    final: bool = False
    retry_after_s: float = 0.0


@dataclass(frozen=True)
class Webhook:
    """One receiver; `name` is all that is stored and shown of its address."""

    name: str
    url: SplitResult
    secret: bytes | None
    allow: AllowList
    public_url: str = ""
    timeout_s: float = TIMEOUT_S
    kind: str = "webhook"

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """The machine's own certificate authorities, an operator's private one included, or SSL_CERT_FILE's."""
        if self.url.scheme == "http":
            return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used; loading the authorities takes 20 ms
        return ssl.create_default_context()

    async def send(self, notice: Notice, attempt: int) -> Outcome:
        """Posts the notice; every failure becomes an Outcome that names no secret."""
        import httpx2  # here, because its 4 MiB are only wanted where something is delivered

        try:
            async with asyncio.timeout(self.timeout_s):
                host = self.url.hostname or ""
                addresses = await self.allow.resolve(host, self.url.port or PORTS[self.url.scheme])
                return await self._post(notice, addresses[attempt % len(addresses)])
        except NotAllowedError as error:
            return Outcome(str(error), final=True)
        except TimeoutError:
            return Outcome(f"no answer within {self.timeout_s:g} s")
        except httpx2.HTTPError as error:
            return Outcome(_explain(error))
        except httpx2.InvalidURL:
            return Outcome("the URL cannot be used", final=True)
        except OSError as error:  # the name does not resolve
            return Outcome(f"{self.url.hostname} does not resolve: {error.strerror or type(error).__name__}")

    async def _post(self, notice: Notice, address: str) -> Outcome:
        import httpx2

        body = msgspec.json.encode(alertmanager(notice, self.public_url))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "lineside",
            "Host": self.url.netloc.rpartition("@")[2],
            **signature(notice.id, int(time.time()), body, self.secret),
        }
        user = self.url.username
        auth = httpx2.BasicAuth(unquote(user), unquote(self.url.password or "")) if user else None
        # The address that was checked is the one connected to; the certificate is still the host's.
        extensions = {"sni_hostname": self.url.hostname or ""}
        url = pinned(self.url, address)
        limits = httpx2.Timeout(self.timeout_s)
        async with (
            httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=limits, verify=self._tls) as client,
            client.stream("POST", url, content=body, headers=headers, auth=auth, extensions=extensions) as response,
        ):
            return judge(response.status_code, response.headers.get("Retry-After"))  # the body is never read


def parse(url: str, secret: bytes | None, allow: AllowList, public_url: str = "") -> Webhook:
    """Raises ValueError, which does not repeat the URL, for one that cannot be used or that the list never allows."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError("expected https://host/path or http://host/path") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.fragment or not _clean(url):
        raise ValueError("expected https://host/path or http://host/path, without a fragment")
    if not allow.hosts and not allow.networks:
        raise ValueError("ANOMALY_WEBHOOK_ALLOW is empty, so that nothing may be sent: name the host or its network")
    if not parts.hostname.isascii():
        raise ValueError("expected the host in ASCII, an international name as xn--…")
    name = f"webhook:{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    if len(name) > MAX_NAME_CHARS:
        raise ValueError(f"without its query it has {len(name)} characters, the limit is {MAX_NAME_CHARS}")
    return Webhook(name, parts, secret, allow, public_url)


def _clean(url: str) -> bool:
    return url.isprintable() and " " not in url and len(url) <= MAX_URL_CHARS


def parse_secret(text: str) -> bytes:
    """Returns the key of `whsec_<base64>`, 24 to 64 bytes as the specification wants; raises ValueError."""
    try:
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        key = b""
    if not text.startswith("whsec_") or not 24 <= len(key) <= 64:
        raise ValueError("expected whsec_ and the base64 of 24 to 64 random bytes")
    return key


def signature(message_id: str, timestamp_s: int, body: bytes, secret: bytes | None) -> dict[str, str]:
    """Returns the headers `webhook-id`, `-timestamp` and, with a secret, `-signature` (v1, HMAC-SHA256)."""
    headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp_s)}
    if secret is not None:
        digest = hmac.digest(secret, f"{message_id}.{timestamp_s}.".encode() + body, hashlib.sha256)
        headers["webhook-signature"] = f"v1,{base64.b64encode(digest).decode()}"
    return headers


def pinned(url: SplitResult, address: str) -> str:
    """Returns the URL with the checked address in place of its host and without its user."""
    host = f"[{address}]" if ":" in address else address
    netloc = f"{host}:{url.port}" if url.port else host
    return url._replace(netloc=netloc).geturl()


def judge(status: int, retry_after: str | None) -> Outcome:
    """Says what an answer's status means; redirects are not followed."""
    if 200 <= status < 300:
        return Outcome()
    if 300 <= status < 400:
        return Outcome(f"answered {status}, a redirect, which is not followed")
    if status in FINAL:
        return Outcome(f"answered {status}", final=True)
    return Outcome(f"answered {status}", retry_after_s=_seconds(retry_after) if status in (429, 503) else 0.0)


def _seconds(retry_after: str | None) -> float:
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), MAX_RETRY_AFTER_S)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, min(seconds, MAX_RETRY_AFTER_S))


def _explain(error: Exception) -> str:
    """Returns what lies at the bottom: the layers above it only say that the attempt failed."""
    cause: BaseException = error
    while (below := cause.__cause__ or cause.__context__) is not None:
        cause = below
    text = getattr(cause, "strerror", None) or str(cause) or str(error)
    return f"{type(error).__name__}: {''.join(c if c.isprintable() else ' ' for c in text)}"[:300]
