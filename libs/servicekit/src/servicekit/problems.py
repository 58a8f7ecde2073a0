"""RFC 9457 problem details: one class, one type, one status."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from fastapi import HTTPException

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL_CHARS = 1024
MAX_QUOTED_CHARS = 64
MAX_BODY_BYTES = 16_384
NO_MEMBERS: Mapping[str, Any] = MappingProxyType({})


def quote(text: object) -> str:
    """Returns client text for a `detail`: escaped and cut, so that nothing the client sent can grow or forge it."""
    shown = ascii(text)
    return shown if len(shown) <= MAX_QUOTED_CHARS else shown[:MAX_QUOTED_CHARS] + "…"


class Problem(HTTPException):
    """An error the client sees. `detail` says what was wrong, the value and the limit.

    It is an HTTPException because FastAPI turns any other error raised while it parses a body into a 400.
    """

    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, headers: Mapping[str, str] | None = None, **extra: Any) -> None:
        text = detail[:MAX_DETAIL_CHARS].encode("utf-8", "replace").decode()  # half a surrogate pair cannot be sent
        super().__init__(self.status, text, dict(headers or {}))
        self.extra = extra

    @classmethod
    def type(cls) -> str:
        return f"urn:lineside:problem:{cls.slug}"

    def document(self, request_id: str | None) -> dict[str, Any]:
        """Returns the members of the problem; `error` repeats `detail` for clients older than RFC 9457."""
        return {
            **self.extra,
            "type": self.type(),
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "error": self.detail,
            "request_id": request_id,
        }

    def encode(self, request_id: str | None, members: Mapping[str, Any] = NO_MEMBERS) -> bytes:
        """Returns the problem as JSON of at most 16 KiB: members of its own that do not fit are left out.

        `members` are those that the service gives to every problem.
        """
        body = msgspec.json.encode({**members, **self.document(request_id)})
        if len(body) > MAX_BODY_BYTES:
            self.extra = {}
            body = msgspec.json.encode({**members, **self.document(request_id)})
        return body


class BadRequest(Problem):
    slug, title, status = "bad-request", "Bad request", 400


class MalformedJSON(Problem):
    slug, title, status = "malformed-json", "The body is not JSON", 400


class MultipartInvalid(Problem):
    slug, title, status = "multipart-invalid", "The body is not multipart/form-data", 400


class Unauthenticated(Problem):
    slug, title, status = "unauthenticated", "An API key is needed", 401


class Forbidden(Problem):
    slug, title, status = "forbidden", "The API key lacks the scope", 403


class ForeignSite(Problem):
    slug, title, status = "foreign-site", "Another web site may not do this", 403


class NotFound(Problem):
    slug, title, status = "not-found", "Not found", 404


class MethodNotAllowed(Problem):
    slug, title, status = "method-not-allowed", "Method not allowed", 405


class BodyTimeout(Problem):
    slug, title, status = "body-timeout", "The body did not arrive in time", 408


class BodyTooLarge(Problem):
    slug, title, status = "body-too-large", "The body is too large", 413


class FileTooLarge(Problem):
    slug, title, status = "file-too-large", "The file is too large", 413


class UnsupportedMediaType(Problem):
    slug, title, status = "unsupported-media-type", "Unsupported media type", 415


class InvalidInput(Problem):
    slug, title, status = "invalid-input", "The input is not valid", 422


class FileMissing(Problem):
    slug, title, status = "file-missing", "No file came in the field that takes it", 422


class TooManyFiles(Problem):
    slug, title, status = "too-many-files", "Too many files in one request", 422


class UpgradeRequired(Problem):
    slug, title, status = "upgrade-required", "This address speaks WebSocket", 426


class RateLimited(Problem):
    slug, title, status = "rate-limited", "Too many requests from this client", 429


class HeadTooLarge(Problem):
    slug, title, status = "head-too-large", "The request line and headers are too large", 431


class InternalError(Problem):
    slug, title, status = "internal-error", "Internal error", 500


class NotReady(Problem):
    slug, title, status = "not-ready", "The service is not ready", 503


class Overloaded(Problem):
    slug, title, status = "overloaded", "The service is at its limit", 503


class UploadStorageFull(Problem):
    slug, title, status = "upload-storage-full", "There is no room for the upload", 507
