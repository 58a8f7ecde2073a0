"""The front as a process of its own, before a real service, one that hangs and two that are not there."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from gateway.front import create_app
from gateway.openapi import FETCH_TIMEOUT_S
from gateway.problems import REFUSALS
from gateway.routes import ROUTES
from gateway.settings import Settings
from openapi_spec_validator import validate
from servicekit import auth

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"]
NOBODY = "http://127.0.0.1:1"  # a port that no process of ours may take
SLACK_S = 0.5  # of a machine that does other things


@pytest.fixture(scope="module")
def hanging() -> Iterator[str]:
    """Yields the address of a listener that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(scope="module")
def anomaly(serve: Callable[..., str]) -> str:
    return serve("anomaly", "serve")


@pytest.fixture(scope="module")
def front(serve: Callable[..., str], anomaly: str, hanging: str) -> str:
    addresses = f"anomaly={anomaly} {NOBODY},digit={hanging},ocr={NOBODY},cars={NOBODY}"
    return serve("gateway", "front", GATEWAY_UPSTREAMS=addresses)


def test_imports_no_service() -> None:
    services = {route.name for route in ROUTES}
    code = f"import sys, gateway.front; print(sorted({services!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_its_lock_file_has_nothing_that_only_services_need() -> None:
    lock = (Path(__file__).parents[1] / "front.lock").read_text(encoding="utf-8")
    names = {line.partition("==")[0] for line in lock.splitlines() if "==" in line}
    assert {"httpx2", "starlette", "uvicorn"} <= names
    assert not {"numpy", "onnxruntime", "pillow", "sqlalchemy", "safetensors"} & names


def test_has_the_page_the_list_and_the_documentation(front: str) -> None:
    with httpx2.Client(base_url=front) as client:
        assert "<title>Lineside</title>" in client.get("/").text
        assert client.get("/static/page.js").status_code == client.get("/ui/style.css").status_code == 200
        assert client.get("/docs").status_code == client.get("/redoc").status_code == 200
        items = client.get("/services").json()["items"]
        assert [item["name"] for item in items] == [route.name for route in ROUTES]
        assert front in items[0]["example"]


def test_tells_of_itself_while_services_are_down(front: str) -> None:
    assert httpx2.get(f"{front}/health/live").json() == {"status": "alive"}
    assert httpx2.get(f"{front}/health/ready").json() == {"status": "ready"}
    own = httpx2.get(f"{front}/metrics").text
    assert 'service="gateway"' in own
    assert 'service="anomaly"' not in own


def test_tells_of_every_address_within_a_second_though_a_service_hangs(front: str, anomaly: str, hanging: str) -> None:
    started = time.monotonic()
    answer = httpx2.get(f"{front}/health")
    assert time.monotonic() - started < 1 + SLACK_S
    services = answer.json()["services"]
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")
    assert services["digit"]["reason"] == "no answer within 0.5 s"
    assert services["ocr"]["reason"] == "no usable answer: ConnectError"
    assert services["anomaly"]["status"] == "degraded"
    assert {address: check["status"] for address, check in services["anomaly"]["addresses"].items()} == {
        anomaly: "healthy",
        NOBODY: "unhealthy",
    }


def test_is_healthy_by_the_services_that_are_required(serve: Callable[..., str], anomaly: str) -> None:
    addresses = f"anomaly={anomaly},digit={NOBODY},ocr={NOBODY},cars={NOBODY}"
    front = serve("gateway", "front", GATEWAY_UPSTREAMS=addresses, GATEWAY_REQUIRED="anomaly")
    answer = httpx2.get(f"{front}/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert httpx2.get(f"{front}/health?strict=1").status_code == 503


def test_merges_the_documents_of_the_services_that_answer_and_names_the_others(front: str, anomaly: str) -> None:
    document = httpx2.get(f"{front}/openapi.json", timeout=10).json()
    started = time.monotonic()
    assert httpx2.get(f"{front}/openapi.json").json() == document
    assert time.monotonic() - started < FETCH_TIMEOUT_S, "kept: the service that hangs is not waited for again"
    validate(document)
    own = httpx2.get(f"{anomaly}/openapi.json").json()
    assert {f"/anomaly{path}" if path != "/" else "/anomaly" for path in own["paths"]} <= set(document["paths"])
    assert "/services" in document["paths"]
    assert not any(path.startswith(("/digit", "/ocr", "/cars")) for path in document["paths"])
    assert document["info"]["description"].endswith("Left out, because they do not answer: digit, ocr, cars.")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("status", REFUSALS)
def test_has_the_words_of_what_a_proxy_refuses(front: str, status: int, method: str) -> None:
    answer = httpx2.request(method, f"{front}/errors/{status}", headers={"X-Request-ID": "line-7"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.headers["x-request-id"] == "line-7"
    assert ("retry-after" in answer.headers) == (status in (429, 502, 503, 504))
    if method == "HEAD":
        assert answer.content == b""
    else:
        problem = answer.json()
        assert (problem["status"], problem["request_id"], problem["error"]) == (status, "line-7", problem["detail"])


@pytest.mark.parametrize("status", ["200", "418", "500", "0404", "٤٠٤", "x", "", "404/x"])
def test_knows_no_other_status(front: str, status: str) -> None:
    answer = httpx2.get(f"{front}/errors/{status}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:lineside:problem:not-found")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [*(route.prefix for route in ROUTES), "/ocr/", "/anomaly/assets/a/stream"])
def test_says_that_a_service_is_not_ready_where_a_proxy_found_none(front: str, path: str, method: str) -> None:
    answer = httpx2.request(method, f"{front}{path}", content=b"x" * 5)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    if method != "HEAD":
        assert answer.json()["type"] == "urn:lineside:problem:not-ready"
        assert path.split("/")[1] in answer.json()["detail"]


def test_refuses_a_socket_of_a_service_that_is_not_ready_with_the_same_words(front: str) -> None:
    handshake = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answer = httpx2.get(f"{front}/digit/ws", headers=handshake)
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:lineside:problem:not-ready")


@pytest.mark.parametrize("path", ["/nothing", "/ocrx", "/OCR", "//ocr", "/errors", "/health/deep"])
def test_finds_nothing_anywhere_else(front: str, path: str) -> None:
    answer = httpx2.get(front + path)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:lineside:problem:not-found")


def test_asks_for_no_key_where_a_proxy_wants_words(serve: Callable[..., str]) -> None:
    _, line = auth.generate("mes", "read")
    addresses = ",".join(f"{route.name}={NOBODY}" for route in ROUTES)
    front = serve("gateway", "front", GATEWAY_UPSTREAMS=addresses, GATEWAY_API_KEYS=line)
    assert httpx2.post(f"{front}/errors/502").status_code == 502
    assert httpx2.get(f"{front}/health").status_code == 503
    for path in ("/metrics", "/digit", "/nothing"):
        assert httpx2.get(front + path).status_code == 401


def test_refuses_to_start_without_an_address_of_each_service() -> None:
    with pytest.raises(ValueError, match="GATEWAY_UPSTREAMS has no address of ocr, cars, anomaly: add ocr=http://ocr"):
        create_app(Settings(upstreams="digit=http://digit:8000"))
