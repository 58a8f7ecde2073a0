"""The generated routes are what is committed, say what they should, and the real Traefik takes them without a word."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from gateway.routes import ROUTES

from gateway import traefik

FOLDER = Path(__file__).parents[1]
TRAEFIK = os.environ.get("TRAEFIK_BIN") or shutil.which("traefik")
NOBODY = "http://127.0.0.1:1"
# Printed at every start, whatever the configuration. That the characters are refused is tested below.
ALWAYS_SAID = "Traefik can reject some encoded characters"

needs_traefik = pytest.mark.skipif(
    not TRAEFIK, reason="no traefik: put the binary into PATH, or name it in TRAEFIK_BIN"
)


@pytest.fixture(scope="module")
def routing() -> dict[str, Any]:
    http: dict[str, Any] = yaml.safe_load((FOLDER / "routes.yml").read_text(encoding="utf-8"))["http"]
    return http


@pytest.fixture(scope="module")
def install() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / "traefik.yml").read_text(encoding="utf-8"))
    return document


def test_the_committed_file_is_what_the_table_says() -> None:
    committed = (FOLDER / "routes.yml").read_text(encoding="utf-8")
    assert committed == traefik.generate(), "run `python -m gateway routes > gateway/routes.yml`"


def test_every_service_has_a_route_that_ends_at_it_or_at_the_front(routing: dict[str, Any]) -> None:
    for route in ROUTES:
        router = routing["routers"][route.name]
        assert router["rule"] == f"Path(`/{route.name}`) || PathPrefix(`/{route.name}/`)"
        failover = routing["services"][router["service"]]["failover"]
        assert failover == {"service": route.name, "fallback": "front"}
        balancer = routing["services"][route.name]["loadBalancer"]
        assert balancer["servers"] == [{"url": f"http://{route.name}:8000"}]
        assert (balancer["healthCheck"]["path"], balancer["healthCheck"]["interval"]) == ("/health/ready", "2s")
        assert balancer["passHostHeader"] is True
        assert balancer["responseForwarding"]["flushInterval"].startswith("-"), "each piece at once"


def test_names_nothing_that_is_not_there(routing: dict[str, Any], install: dict[str, Any]) -> None:
    for router in routing["routers"].values():
        assert router["service"] in routing["services"]
        assert set(router["middlewares"]) <= set(routing["middlewares"])
        assert set(router["entryPoints"]) <= set(install["entryPoints"])
    for service in routing["services"].values():
        if "loadBalancer" in service:
            assert service["loadBalancer"]["serversTransport"] in routing["serversTransports"]
    for point in install["entryPoints"].values():
        for name in point.get("http", {}).get("middlewares", []):
            assert name.removesuffix("@file") in routing["middlewares"]


def test_nothing_buffers_a_body(routing: dict[str, Any]) -> None:
    kinds = {kind for middleware in routing["middlewares"].values() for kind in middleware}
    assert kinds == {"errors", "inFlightReq", "replacePath", "headers"}


def test_replaces_only_what_services_never_answer_themselves(routing: dict[str, Any]) -> None:
    errors = routing["middlewares"]["problems"]["errors"]
    assert errors["status"] == ["429", "502", "504"]
    assert (errors["service"], errors["query"]) == ("front", "/errors/{status}")


def test_keeps_as_many_connections_as_a_client_may_use(routing: dict[str, Any]) -> None:
    amount = routing["middlewares"]["in-flight"]["inFlightReq"]["amount"]
    assert all(transport["maxIdleConnsPerHost"] >= amount for transport in routing["serversTransports"].values())


@pytest.mark.parametrize(
    "path",
    ["//ocr", "/ocr//upload", "/ocr/../digit/predict", "/ocr/..", "/./ocr", "/a%2Fb", "/a%23", "/a%25", "/a%3Bb",
     "/a%3F", "/a\\b", "/a\x00b", "/a\nb"],
)  # fmt: skip
def test_a_path_that_can_be_read_in_two_ways_is_strange(path: str) -> None:
    assert re.search(traefik.STRANGE_PATH, path)


@pytest.mark.parametrize(
    "path",
    ["/", "/ocr", "/ocr/", "/anomaly/assets/press.7/stream", "/cars/files/..jpg", "/a/...", "/a%20b", "/digit/ws"],
)
def test_an_ordinary_path_is_not_strange(path: str) -> None:
    assert not re.search(traefik.STRANGE_PATH, path)


@pytest.mark.parametrize(
    ("path", "private"),
    [("/metrics", True), ("/anomaly/metrics", True), ("/errors/502", True), ("/errors/", True),
     ("/anomaly/x/metrics", False), ("/metricsx", False), ("/errors", False), ("/ocr/errors/502", False)],
)  # fmt: skip
def test_metrics_and_words_of_errors_are_private(path: str, private: bool) -> None:
    assert bool(re.search(traefik.PRIVATE_PATH, path)) == private


def test_nothing_of_traefik_itself_is_open_to_clients(install: dict[str, Any]) -> None:
    assert "api" not in install
    assert install["global"] == {"checkNewVersion": False, "sendAnonymousUsage": False}
    assert install["ping"]["entryPoint"] == install["metrics"]["prometheus"]["entryPoint"] == "metrics"
    assert list(install["providers"]) == ["file"]
    assert all(not point.get("forwardedHeaders", {}).get("trustedIPs") for point in install["entryPoints"].values())


def test_its_buckets_begin_at_a_millisecond(install: dict[str, Any]) -> None:
    buckets = install["metrics"]["prometheus"]["buckets"]
    assert buckets == sorted(buckets)
    assert buckets[0] == 0.001


# --- the real one -----------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Running:
    """A Traefik with the repository's configuration on free ports."""

    def __init__(self, folder: Path, front: str) -> None:
        (folder / "routes").mkdir()
        self.folder = folder
        self.ports = {port: free_port() for port in (8080, 8443, 8082)}
        text = (FOLDER / "traefik.yml").read_text(encoding="utf-8").replace("/etc/traefik/routes", f"{folder}/routes")
        (folder / "traefik.yml").write_text(self._moved(text.replace('":', '"127.0.0.1:')), encoding="utf-8")
        addresses = ",".join(f"{route.name}={NOBODY}" for route in ROUTES)
        (folder / "routes" / "routes.yml").write_text(traefik.generate(addresses, front), encoding="utf-8")
        with (folder / "log").open("wb") as log:
            command = [str(TRAEFIK), f"--configFile={folder}/traefik.yml"]
            self.process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)

    def add_tls(self, text: str) -> None:
        moved = self._moved(text.replace("/etc/traefik/tls", str(self.folder)))
        (self.folder / "routes" / "tls.yml").write_text(moved, encoding="utf-8")

    def _moved(self, text: str) -> str:
        for port, free in self.ports.items():
            text = text.replace(str(port), str(free))
        return text

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.ports[8080]}"

    def said(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "log").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def running(serve: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    addresses = ",".join(f"{route.name}={NOBODY}" for route in ROUTES)
    started = Running(tmp_path_factory.mktemp("traefik"), serve("gateway", "front", GATEWAY_UPSTREAMS=addresses))
    try:
        wait_for(lambda: httpx2.get(f"{started.base}/health/live").status_code == 200)
        # Servers count as up until the first check, 2 s after the start.
        wait_for(lambda: all(httpx2.get(f"{started.base}{route.prefix}").status_code == 503 for route in ROUTES))
        yield started
    finally:
        started.process.terminate()
        started.process.wait(60)


def wait_for(condition: Callable[[], bool], timeout_s: float = 30) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            if condition():
                return
        except httpx2.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


@needs_traefik
def test_starts_without_a_warning(running: Running) -> None:
    lines = [line for line in running.said() if line.get("level") in ("warn", "error", "fatal")]
    others = [line for line in lines if "Health check failed" not in line["message"]]  # there is no service here
    assert [line for line in others if not line["message"].startswith(ALWAYS_SAID)] == []


@needs_traefik
@pytest.mark.parametrize("path", ["//ocr", "/ocr/../digit/predict", "/digit%2fpredict", "/OCR", "/ocrx", "/metrics",
                                  "/ocr/metrics", "/errors/502", "/ocr/%2e%2e/digit", "/a%00", "/a%5c"])  # fmt: skip
def test_nobody_but_the_front_hears_of_a_strange_or_unknown_path(running: Running, path: str) -> None:
    with socket.create_connection(("127.0.0.1", running.ports[8080]), timeout=20) as raw:  # clients clean paths up
        raw.sendall(f"POST {path} HTTP/1.1\r\nHost: a\r\nX-Request-ID: r-1\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65_536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 404 "), answer
    problem = json.loads(body)
    assert (problem["type"], problem["request_id"]) == ("urn:lineside:problem:not-found", "r-1")


@needs_traefik
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_says_as_a_problem_that_a_service_is_not_ready(running: Running, method: str) -> None:
    answer = httpx2.request(method, f"{running.base}/ocr/upload", headers={"X-Request-ID": "r-2"})
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert (answer.headers["x-request-id"], answer.headers["retry-after"]) == ("r-2", "2")


@needs_traefik
def test_logs_the_request_id_and_no_secret(running: Running) -> None:
    headers = {"X-Request-ID": "r-3", "Authorization": "Bearer s3cret", "X-API-Key": "s3cret", "Cookie": "s=s3cret"}
    httpx2.get(f"{running.base}/services?key=s3cret", headers=headers)
    wait_for(lambda: any(line.get("downstream_X-Request-Id") == "r-3" for line in running.said()))
    assert "s3cret" not in (running.folder / "log").read_text(encoding="utf-8")


@needs_traefik
def test_has_its_metrics_and_ping_on_a_port_of_their_own(running: Running) -> None:
    own = f"http://127.0.0.1:{running.ports[8082]}"
    assert httpx2.get(f"{own}/ping").text == "OK"
    text = httpx2.get(f"{own}/metrics").text
    assert 'traefik_entrypoint_request_duration_seconds_bucket{code="404",entrypoint="web"' in text
    assert 'le="0.001"' in text
    assert httpx2.get(f"{running.base}/ping").status_code == 404


@needs_traefik
def test_tls_comes_with_a_second_file_and_redirects(running: Running) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lineside.example", "-days", "2",
         "-keyout", running.folder / "privkey.pem", "-out", running.folder / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    try:
        running.add_tls((FOLDER / "tls.yml").read_text(encoding="utf-8"))
        wait_for(lambda: httpx2.post(f"{running.base}/ocr").status_code == 308)
        location = httpx2.post(f"{running.base}/ocr?x=1").headers["location"]
        assert location == f"https://127.0.0.1:{running.ports[8443]}/ocr?x=1"
        answer = httpx2.get(f"https://127.0.0.1:{running.ports[8443]}/health/live", verify=False)
        assert (answer.status_code, answer.headers["strict-transport-security"]) == (200, "max-age=31536000")
        shown = subprocess.run(
            [openssl, "s_client", "-connect", f"127.0.0.1:{running.ports[8443]}"],
            input="", capture_output=True, text=True, check=False,
        ).stdout  # fmt: skip
        assert "CN = lineside.example" in shown or "CN=lineside.example" in shown
    finally:
        (running.folder / "routes" / "tls.yml").unlink(missing_ok=True)
        wait_for(lambda: httpx2.post(f"{running.base}/ocr").status_code == 503)
