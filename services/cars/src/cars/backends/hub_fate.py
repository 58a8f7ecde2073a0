"""What becomes of each answer of the remote: what the client is told, and whether another attempt makes sense."""

import math
import re
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

import msgspec
from servicekit.problems import Problem, quote

from cars.problems import (
    BackendAnswerInvalid,
    BackendMisconfigured,
    BackendRefused,
    BackendTimeout,
    BackendUnavailable,
)

MAX_RETRY_AFTER_S = 3600.0
RETRY_AFTER_S = 5.0  # told to the client where the remote says nothing
MISCONFIGURED: Mapping[int, str] = {
    401: "it does not accept the token of this service",
    402: "its account has no credit left",
    403: "the token of this service may not use the model",
    404: "it does not know the model",
    405: "its address takes no pictures",
    410: "it no longer serves the model",
}
TIMEOUTS = frozenset({408, 504})
TOO_EARLY, TOO_MANY = 425, 429
REMAINING, RESET = re.compile(r";\s*r=(\d{1,12})"), re.compile(r";\s*t=(\d{1,12})")


class RemoteError(Exception):
    """An attempt that failed. `passes`: another one may succeed; `counts`: the remote is not well (the breaker)."""

    def __init__(
        self,
        problem: type[Problem],
        reason: str,
        retry_after_s: float = 0.0,
        *,
        passes: bool = False,
        counts: bool = False,
    ) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.passes = passes
        self.counts = counts

    def told(self, model: str) -> Problem:
        """Returns what the client is told."""
        headers: dict[str, str] = {}
        if self.problem.status == BackendUnavailable.status:
            headers = {"Retry-After": str(math.ceil(max(1.0, self.retry_after_s or RETRY_AFTER_S)))}
        return self.problem(f"the remote model {quote(model)} gave no answer: {self.reason}", headers=headers)


def failing(problem: type[Problem], reason: str, retry_after_s: float = 0.0) -> RemoteError:
    """Returns the failure of a remote that is not well, which may pass."""
    return RemoteError(problem, reason, retry_after_s, passes=True, counts=True)


def judge(status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Returns for a 200; raises the RemoteError that any other status is. `body` may be cut."""
    if status == 200:
        return
    said = f"it answered {status}{_said(headers, body)}"
    if 300 <= status < 400:
        raise RemoteError(BackendMisconfigured, f"{said}, a redirect, which is not followed")
    if status in MISCONFIGURED:
        raise RemoteError(BackendMisconfigured, f"{MISCONFIGURED[status]}: {said}")
    if status in (TOO_EARLY, TOO_MANY):
        raise failing(BackendUnavailable, said, retry_after_s(headers))
    if status in TIMEOUTS:
        raise failing(BackendTimeout, said, retry_after_s(headers))
    if status >= 500:
        raise failing(BackendUnavailable, said, max(retry_after_s(headers), _loading_s(body)))
    if status >= 400:
        raise RemoteError(BackendRefused, said)
    raise RemoteError(BackendAnswerInvalid, said)


def retry_after_s(headers: Mapping[str, str]) -> float:
    """Returns the seconds that `Retry-After` (RFC 9110) or `RateLimit` (the IETF's draft) asks for, at most an hour."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), MAX_RETRY_AFTER_S)
    try:
        return _bounded(parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return _rate_limit_s(headers)


def _rate_limit_s(headers: Mapping[str, str]) -> float:
    """Returns when the window ends of which nothing remains: `"api";r=0;t=55`, in older drafts `RateLimit-Reset`."""
    spent = [
        float(reset[1])
        for policy in headers.get("ratelimit", "").split(",")
        if (reset := RESET.search(policy)) and ((left := REMAINING.search(policy)) is None or int(left[1]) == 0)
    ]
    seconds = headers.get("ratelimit-reset", "").strip()
    if seconds.isascii() and seconds.isdigit():
        spent.append(float(seconds[:12]))
    return _bounded(max(spent, default=0.0))


def _loading_s(body: bytes) -> float:
    """Returns the `estimated_time` of a model that is being loaded."""
    value = _member(body, "estimated_time")
    return _bounded(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _bounded(seconds: float) -> float:
    return max(0.0, min(seconds, MAX_RETRY_AFTER_S)) if math.isfinite(seconds) else 0.0


def quoted(value: object) -> str:
    """Returns the text in what a remote calls an error, quoted and short: it may be a list, or have a `message`."""
    if isinstance(value, list) and value:
        value = value[0]
    if isinstance(value, dict):
        value = value.get("message")
    return quote(" ".join(value.split())) if isinstance(value, str) else ""


def _said(headers: Mapping[str, str], body: bytes) -> str:
    """Returns a short quotation of what the remote wrote for people; a page of HTML is not worth one."""
    said = quoted(_member(body, "error"))
    if not said and headers.get("content-type", "").startswith("text/plain"):
        said = quoted(body.decode("utf-8", "replace"))
    return f" {said}" if said else ""


def _member(body: bytes, name: str) -> object:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return answer.get(name) if isinstance(answer, dict) else None
