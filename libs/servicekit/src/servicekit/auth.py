"""API keys: several, with scopes, kept as SHA-256 digests.

A key is 32 random bytes, so a plain digest is enough: there is no dictionary to try, and no need of a slow hash.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from servicekit import context
from servicekit.context import KEY, RequestContext
from servicekit.problems import Forbidden, ForeignSite, Unauthenticated, quote

READ_SCOPES = frozenset({"read"})
ALL_SCOPES = frozenset({"read", "admin"})
SAFE_METHODS = frozenset({"GET", "OPTIONS"})  # HEAD arrives as GET
LINE = re.compile(r"(?P<name>[A-Za-z0-9._-]{1,64}):(?P<scope>read|admin):(?P<digest>[0-9a-f]{64})")
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lineside"'}


@dataclass(frozen=True)
class ApiKey:
    """`name` identifies the client in logs and limits; `admin` includes `read`."""

    name: str
    scope: str
    digest: bytes

    @property
    def scopes(self) -> frozenset[str]:
        return ALL_SCOPES if self.scope == "admin" else READ_SCOPES


def parse(line: str) -> ApiKey:
    """Parses `name:scope:sha256`; raises ValueError that does not repeat the line, which may hold a secret."""
    match = LINE.fullmatch(line.strip())
    if not match:
        raise ValueError("expected name:scope:sha256 with scope read or admin (make one with the `key` command)")
    return ApiKey(match["name"], match["scope"], bytes.fromhex(match["digest"]))


def generate(name: str, scope: str) -> tuple[str, str]:
    """Returns a new secret and the line that goes into the settings."""
    secret = secrets.token_urlsafe(32)
    line = f"{name}:{scope}:{hashlib.sha256(secret.encode()).hexdigest()}"
    parse(line)
    return secret, line


class AuthMiddleware:
    """Sets the request's client and scopes; without keys in the settings everybody may do everything.

    Everybody but other web sites: without keys, nothing else keeps a page that somebody opened from posting here.
    """

    def __init__(
        self, app: ASGIApp, keys: Sequence[ApiKey], is_open: Callable[[str, str], bool], origins: Sequence[str]
    ) -> None:
        self.app = app
        self.keys = keys
        self.is_open = is_open
        self.origins = frozenset(origin.encode() for origin in origins)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        self.admit(scope[KEY], scope["method"])
        return self.app(scope, receive, send)

    def admit(self, request: RequestContext, method: str) -> None:
        """Raises Unauthenticated or ForeignSite for a request that may not come in."""
        if self.keys:
            self._authenticate(request, method)
        else:
            request.scopes = ALL_SCOPES
            if request.headers.get(b"sec-fetch-site") == b"cross-site":
                self._refuse_foreign_site(request, method)

    def _authenticate(self, request: RequestContext, method: str) -> None:
        secret = _secret(request.headers)
        key = self._find(secret) if secret else None
        if key:
            request.client, request.scopes = key.name, key.scopes
        elif not self.is_open(method, request.path):
            reason = "the API key is not known" if secret else "this call needs an API key"
            raise Unauthenticated(f"{reason}: send `Authorization: Bearer …` or `X-API-Key: …`", headers=CHALLENGE)

    def _find(self, secret: bytes) -> ApiKey | None:
        digest = hashlib.sha256(secret).digest()
        found = None
        for key in self.keys:  # all of them, so that the time tells nothing
            if hmac.compare_digest(key.digest, digest):
                found = key
        return found

    def _refuse_foreign_site(self, request: RequestContext, method: str) -> None:
        origin = request.headers.get(b"origin", b"")
        if method not in SAFE_METHODS and origin not in self.origins and b"*" not in self.origins:
            raise ForeignSite(f"the web site {quote(origin.decode('latin-1'))} is not among the allowed CORS origins")


def _secret(headers: dict[bytes, bytes]) -> bytes:
    if b"authorization" in headers:
        scheme, _, secret = headers[b"authorization"].partition(b" ")
        if scheme.lower() == b"bearer":
            return secret.strip()
    return headers.get(b"x-api-key", b"")


def client_name(request: Request) -> str:
    return context.of(request.scope).client


async def _require_admin(request: Request) -> None:
    if "admin" not in context.of(request.scope).scopes:
        raise Forbidden(f"this call needs a key with the scope admin, {client_name(request)} has read")


ADMIN: Any = Depends(_require_admin)
