"""Paths that two readers could read in two ways reach no service, and metrics stay inside however they are spelt."""

import json

import pytest
from deployments import Deployment

from traefik import raw
from traefik.standin import StandIn

STRANGE = [
    "//ocr", "//ocr/health", "/ocr//health", "/ocr/../digit/predict", "/ocr/./x", "/./ocr", "/../ocr", "/ocr/..",
    "/ocr/%2e%2e/digit/predict", "/ocr/.%2e/digit/predict", "/ocr%2fx", "/ocr/%2fx", "/ocr%2Fx", "/%2focr",
    "/ocr/..%2fdigit", "/ocr%5cx", "/ocr/..\\digit", "/ocr%00", "/ocr/%00", "/ocr%0d%0aX-A:%20b", "/ocr/a%252fb",
    "/ocr%3fx", "/ocr%23x", "/ocr;x", "/OCR", "/Ocr/x", "/ocrx", "/ocr.json", "/ocr%20", "/ocr%c0%afx",
    "http://lineside.example//ocr", "http://lineside.example/ocr/../digit",
]  # fmt: skip
PLAIN = ["/ocr", "/ocr/", "/ocr/x", "/ocr?x=//..", "/ocr/x%20y", "/ocr/%C3%A9", "http://other.example/ocr/x"]
METRICS = [
    "/metrics", "/metrics/", "/metrics?x=1", "//metrics", "/./metrics", "/metrics/.", "/Metrics", "/METRICS",
    "/%6detrics", "/metrics%20", "/metrics%00", "/metrics;x", "/metrics%2f", "/x/../metrics", "/%2e/metrics",
    "/errors/../metrics", "http://lineside.example/metrics",
]  # fmt: skip


@pytest.mark.parametrize("target", STRANGE)
def test_a_strange_path_reaches_no_service(base: str, seen: StandIn, target: str) -> None:
    answer = raw.get(base, target)
    assert raw.status(answer) in (400, 404), answer[:300]
    assert seen.seen == []
    if raw.status(answer) == 404:
        assert b"application/problem+json" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["type"] == "urn:lineside:problem:not-found"


@pytest.mark.parametrize("target", PLAIN)
def test_an_ordinary_path_reaches_its_service_as_it_is(base: str, seen: StandIn, target: str) -> None:
    assert raw.status(raw.get(base, target)) == 200
    assert [one.path for one in seen.seen] == [target.removeprefix("http://other.example")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize("target", METRICS)
@pytest.mark.parametrize("prefix", ["", "/anomaly", "/digit"])
def test_metrics_are_hidden(running: Deployment, prefix: str, target: str, method: str) -> None:
    at = target.replace("http://lineside.example", f"http://lineside.example{prefix}")
    target = at if at.startswith("http") else prefix + target
    request = f"{method} {target} HTTP/1.1\r\nHost: lineside.example\r\nConnection: close\r\n\r\n"
    answer = raw.exchange(running.base_url, request.encode(), timeout_s=10)
    assert raw.status(answer) in (400, 404, 405, 307), answer[:300]
    assert b"# TYPE" not in answer
    if raw.status(answer) == 307:  # to the path without the last slash, which is one of these
        assert b"/metrics\r\n" in answer
