"""Logs: one JSON object a line, with the request's id where there is one."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec

from servicekit.context import PROBES, RequestContext

TALKATIVE = ("uvicorn.error", "httpx2", "httpcore2")  # a line for each start and each call, which ours repeat
_encode = msgspec.json.Encoder(enc_hook=str).encode


class JsonFormatter(logging.Formatter):
    """Writes time, level, logger and message, then the `fields` that the call gave."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        try:
            return _encode(line).decode()
        except UnicodeEncodeError:  # half a surrogate pair, as in a file name that is not UTF-8
            return json.dumps(line, default=str)


def configure(level: str) -> None:
    """Sends every logger of the process to standard error; only a `__main__` calls this."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Access(msgspec.Struct):
    time: datetime
    request_id: str
    service: str
    method: str
    route: str
    status: int
    duration_ms: float
    client: str
    level: str = "info"
    logger: str = "servicekit.access"
    message: str = "request"


class AccessLog:
    """A line on standard error for each request; of probes and scrapes only those that fail, unless `verbose`.

    It goes past `logging`, whose records, locks and handlers would cost more than the rest of our middleware.
    """

    def __init__(self, service: str, *, verbose: bool) -> None:
        self.service = service
        self.verbose = verbose

    def write(self, request: RequestContext, method: str, route: str, status: int, seconds: float) -> None:
        if request.path in PROBES and status < 400 and not self.verbose:
            return
        duration_ms = round(1000 * seconds, 3)
        now = datetime.now(UTC)
        line = _Access(now, request.request_id, self.service, method, route, status, duration_ms, request.client)
        sys.stderr.write(_encode(line).decode() + "\n")
