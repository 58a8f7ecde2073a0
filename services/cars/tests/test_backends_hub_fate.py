"""What becomes of each status of the remote."""

import time
from email.utils import formatdate

import pytest
from cars.backends.hub_fate import RemoteError, judge, retry_after_s
from cars.problems import BackendAnswerInvalid, BackendMisconfigured, BackendRefused, BackendTimeout, BackendUnavailable
from servicekit.problems import Problem

PLAIN = {"content-type": "text/plain; charset=utf-8"}


def judged(status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> RemoteError:
    with pytest.raises(RemoteError) as raised:
        judge(status, headers or {}, body)
    return raised.value


def test_a_200_is_no_failure() -> None:
    judge(200, {}, b"anything")


@pytest.mark.parametrize(
    ("statuses", "problem", "again"),
    [
        ((400, 406, 409, 411, 413, 415, 418, 422, 451), BackendRefused, False),
        ((301, 302, 303, 307, 308, 401, 402, 403, 404, 405, 410), BackendMisconfigured, False),
        ((201, 202, 204, 206), BackendAnswerInvalid, False),
        ((408, 504), BackendTimeout, True),
        ((425, 429, 500, 501, 502, 503, 507, 520, 529), BackendUnavailable, True),
    ],
)
def test_each_status_has_its_problem(statuses: tuple[int, ...], problem: type[Problem], again: bool) -> None:
    for status in statuses:
        failure = judged(status)
        assert (failure.problem, failure.passes, failure.counts) == (problem, again, again), status
        assert f"it answered {status}" in failure.reason


@pytest.mark.parametrize("problem", [BackendRefused, BackendMisconfigured, BackendTimeout, BackendUnavailable])
def test_only_a_503_tells_when_to_come_back(problem: type[Problem]) -> None:
    told = RemoteError(problem, "why", 0.2).told("kim/cars")
    assert told.detail == "the remote model 'kim/cars' gave no answer: why"
    assert told.headers == ({"Retry-After": "1"} if problem is BackendUnavailable else {})


def test_a_503_without_a_time_says_a_few_seconds_and_rounds_up() -> None:
    assert RemoteError(BackendUnavailable, "why").told("m").headers == {"Retry-After": "5"}
    assert RemoteError(BackendUnavailable, "why", 7.01).told("m").headers == {"Retry-After": "8"}


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0.0),
        ({"retry-after": "30"}, 30.0),
        ({"retry-after": " 30 "}, 30.0),
        ({"retry-after": "999999999999999"}, 3600.0),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "soon"}, 0.0),
        ({"retry-after": "\uff11"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, 3600.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"burst";r=3;t=900, "day";r=0; t=40'}, 40.0),
        ({"ratelimit": '"api";r=3;t=55'}, 0.0),
        ({"ratelimit": '"api";t=12'}, 12.0),
        ({"ratelimit": "nonsense;;=,,"}, 0.0),
        ({"ratelimit": f'"api";r=0;t={"9" * 500}'}, 3600.0),
        ({"ratelimit-limit": "100", "ratelimit-reset": "25"}, 25.0),
        ({"ratelimit-reset": "x"}, 0.0),
        ({"retry-after": "7", "ratelimit": '"api";r=0;t=55'}, 7.0),
    ],
)
def test_the_time_that_the_remote_asks_for_is_read(headers: dict[str, str], seconds: float) -> None:
    assert retry_after_s(headers) == seconds
    assert judged(429, headers).retry_after_s == seconds


def test_a_date_is_turned_into_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_800_000_000.0)
    assert retry_after_s({"retry-after": formatdate(1_800_000_090, usegmt=True)}) == 90.0


@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        (b'{"error":"Model kim/cars is currently loading","estimated_time":20.5}', 20.5),
        (b'{"estimated_time":-4}', 0.0),
        (b'{"estimated_time":1e300}', 3600.0),
        (b'{"estimated_time":true}', 0.0),
        (b'{"estimated_time":"20"}', 0.0),
        (b'{"estimated_time":NaN}', 0.0),
        (b"[20]", 0.0),
        (b"[" * 100_000, 0.0),
        (b"\xff\xfe", 0.0),
    ],
)
def test_a_model_that_is_being_loaded_says_for_how_long(body: bytes, seconds: float) -> None:
    assert judged(503, body=body).retry_after_s == seconds


@pytest.mark.parametrize(
    ("headers", "body", "said"),
    [
        (PLAIN, b"Not   Found\n", " 'Not Found'"),
        (PLAIN, b"a\x1b[31m\xff\r\nX: y", " 'a\\x1b[31m\\ufffd X: y'"),
        ({"content-type": "text/html"}, b"<html><script>alert(1)</script>", ""),
        ({}, b"", ""),
        ({}, b'{"error":"Repository not found"}', " 'Repository not found'"),
        ({}, b'{"error":["first","second"]}', " 'first'"),
        ({}, b'{"error":{"message":"deep"}}', " 'deep'"),
        ({}, b'{"error":{"code":5}}', ""),
        ({}, b'{"error":[]}', ""),
        ({}, b'{"error":null}', ""),
        ({}, b'{"error":"' + b"x" * 10_000 + b'"}', f" '{'x' * 63}…"),
    ],
)
def test_what_the_remote_says_is_quoted_short_and_escaped(headers: dict[str, str], body: bytes, said: str) -> None:
    assert judged(400, headers, body).reason == f"it answered 400{said}"
