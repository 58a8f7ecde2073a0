import json
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from servicekit import logs
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


@pytest.fixture
def restored() -> Iterator[None]:
    """Puts the process's logging back as it was: `configure` is for a `__main__`."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    for name in logs.TALKATIVE:
        logging.getLogger(name).setLevel(logging.NOTSET)


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_writes_a_json_line_for_each_request(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    client(access_log=True).get("/toy/items/7?secret=1", headers={"X-Request-ID": "abc"})
    (line,) = lines(capsys.readouterr().err)
    assert abs(datetime.fromisoformat(line.pop("time")) - datetime.now(UTC)) < timedelta(seconds=10)
    assert 0 < line.pop("duration_ms") < 10_000
    assert line == {
        "level": "info",
        "logger": "servicekit.access",
        "message": "request",
        "request_id": "abc",
        "service": "toy",
        "method": "GET",
        "route": "/items/{number}",
        "status": 200,
        "client": "anonymous",
    }


def test_keeps_quiet_about_probes_that_succeed(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    toy = client(access_log=True)
    for path in ("/health/live", "/toy/health", "/metrics"):
        toy.get(path)
    assert capsys.readouterr().err == ""
    toy.delete("/metrics")
    assert lines(capsys.readouterr().err)[0]["status"] == 405


@pytest.mark.parametrize(
    ("settings", "count"),
    [
        ({"access_log": False}, 0),
        ({"log_level": "warning"}, 0),
        ({"log_level": "info"}, 1),
        ({"log_level": "debug"}, 2),
    ],
)
def test_writes_as_much_as_the_settings_ask_for(
    client: Client, capsys: pytest.CaptureFixture[str], settings: dict[str, Any], count: int
) -> None:
    toy = client(**{"access_log": True, **settings})
    toy.get("/items/7")
    toy.get("/health")
    assert len(lines(capsys.readouterr().err)) == count


@pytest.mark.usefixtures("restored")
def test_writes_every_logger_of_the_process_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    try:
        raise ValueError("no\nway")
    except ValueError:
        logging.getLogger("a.b").exception("it %s", "failed", extra={"fields": {"request_id": "abc", "path": Ellipsis}})
    logging.getLogger("a.b").debug("not shown")
    logging.getLogger("httpx2").info("not shown")
    (line,) = lines(capsys.readouterr().err)
    assert (line["level"], line["logger"], line["message"]) == ("error", "a.b", "it failed")
    assert (line["request_id"], line["path"]) == ("abc", "Ellipsis")
    assert line["exception"].endswith("ValueError: no\nway")


def test_writes_what_json_cannot_hold_all_the_same() -> None:
    record = logging.makeLogRecord({"msg": "half a pair: \ud800", "levelname": "INFO"})
    assert json.loads(logs.JsonFormatter().format(record))["message"] == "half a pair: \ud800"
