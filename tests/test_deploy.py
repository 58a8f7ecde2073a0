"""systemd units and nginx configuration, each checked by its own tool, and nginx before the real process."""

import http.client
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from deployments import NGINX, NGINX_SITE, configure_nginx, free_port, nginx, nginx_before_one_process
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

ROOT = Path(__file__).parents[1]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
SYSTEMD_ANALYZE = shutil.which("systemd-analyze")
MAX_EXPOSURE = 20  # tenths, of 100: what `systemd-analyze security` calls OK ends at 40

needs_systemd = pytest.mark.skipif(not SYSTEMD_ANALYZE, reason="systemd-analyze is not installed")
needs_nginx = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


@pytest.fixture
def unit(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Returns a copy of a unit that runs this Python: the tool looks whether the command exists."""
    original: Path = request.param
    copy = tmp_path / original.name
    copy.write_text(original.read_text().replace("/opt/lineside/.venv/bin/python", sys.executable))
    return copy


each_unit = pytest.mark.parametrize("unit", UNITS, indirect=True, ids=lambda path: path.name)


@needs_systemd
@each_unit
def test_a_unit_is_accepted_by_systemd(unit: Path) -> None:
    done = subprocess.run(
        [str(SYSTEMD_ANALYZE), "verify", unit], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert unit.name not in done.stderr  # warnings


@needs_systemd
@each_unit
def test_a_unit_is_hardened(unit: Path) -> None:
    command = [
        str(SYSTEMD_ANALYZE),
        "security",
        "--no-pager",
        "--offline=true",
        f"--threshold={MAX_EXPOSURE}",
        str(unit),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_module_that_exists(path: Path) -> None:
    command = next(line for line in path.read_text().splitlines() if line.startswith("ExecStart="))
    module = command.partition(" -m ")[2].split()[0]
    done = subprocess.run([sys.executable, "-c", f"import {module}.settings"], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_nginx
def test_the_site_is_accepted_by_nginx(tmp_path: Path) -> None:
    main = configure_nginx(tmp_path, NGINX_SITE.read_text().replace("listen 80;", "listen 127.0.0.1:18080;"))
    done = subprocess.run(
        [str(NGINX), "-t", "-q", "-p", tmp_path, "-c", main], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


@needs_nginx
def test_the_tls_server_of_the_comment_is_accepted_by_nginx(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("openssl is not installed")
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=lineside.example", "-days", "2",
         "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    site = NGINX_SITE.read_text()
    body = site.partition("server_name _;")[2].rpartition("}")[0]
    uncommented = "\n".join(
        line[1:] for line in site.splitlines() if line.startswith("#") and line[1:2] in ("s", " ", "}")
    )
    server = "server {" + uncommented.partition("server {")[2].partition("…")[0].rpartition("#")[0] + body + "}"
    server = server.replace("listen 443", "listen 127.0.0.1:18443").replace("/etc/lineside/tls", str(tmp_path))
    main = configure_nginx(tmp_path, site.partition("\nserver {")[0] + "\n" + server)
    done = subprocess.run(
        [str(NGINX), "-t", "-q", "-p", tmp_path, "-c", main], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yields the address of an nginx before a running gateway."""
    with nginx_before_one_process(tmp_path_factory.mktemp("nginx")) as running:
        yield running.base_url


@needs_nginx
def test_nginx_passes_a_bare_post_on_without_a_redirect(proxied: str) -> None:
    answer = httpx2.post(f"{proxied}/anomaly", json={"values": [1.2, 0.9, 1.1]}, headers={"X-Request-ID": "line-7"})
    assert (answer.status_code, answer.json()["status"]) == (200, "normal")
    assert answer.headers["x-request-id"] == "line-7"


@needs_nginx
def test_nginx_passes_the_services_own_errors_on(proxied: str) -> None:
    answer = httpx2.post(f"{proxied}/anomaly", json={"values": [1.2]})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:lineside:problem:wrong-dimension")


@needs_nginx
def test_nginx_keeps_metrics_inside_and_answers_as_a_problem(proxied: str) -> None:
    for path in ("/metrics", "/anomaly/metrics"):
        answer = httpx2.get(f"{proxied}{path}", headers={"X-Request-ID": "not well formed"})
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert (problem["status"], problem["type"]) == (404, "urn:lineside:problem:not-found")
        assert problem["request_id"] == answer.headers["x-request-id"] != "not well formed"


@needs_nginx
def test_nginx_refuses_a_body_over_every_limit_as_a_problem(proxied: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(proxied).netloc, timeout=10)
    connection.putrequest("POST", "/anomaly")
    connection.putheader("Content-Length", str(10**9))
    connection.endheaders()
    answer = connection.getresponse()
    assert (answer.status, json.load(answer)["type"]) == (413, "urn:lineside:problem:body-too-large")


@needs_nginx
def test_nginx_passes_server_sent_events_on_at_once(proxied: str) -> None:
    with (
        httpx2.Client(base_url=proxied, timeout=10) as client,
        client.stream("GET", "/anomaly/assets/default/stream", headers={"Accept": "text/event-stream"}) as stream,
    ):
        assert stream.status_code == 200
        started = time.monotonic()
        httpx2.post(f"{proxied}/anomaly/assets/default", json={"values": [1.2, 0.9, 1.1]}).raise_for_status()
        assert next(line for line in stream.iter_lines() if line.startswith("data:"))
        assert time.monotonic() - started < 5


@needs_nginx
def test_nginx_passes_websockets_with_their_origin_and_pages_of_other_sites_are_refused(proxied: str) -> None:
    address = f"ws{proxied.removeprefix('http')}/digit/ws"
    with connect(address, origin=proxied) as socket:  # type: ignore[arg-type]
        socket.send("no picture")
        assert "error" in json.loads(socket.recv(10))
    with pytest.raises(InvalidStatus) as caught:
        connect(address, origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403


@needs_nginx
def test_nginx_says_as_a_problem_that_nobody_answers(tmp_path: Path) -> None:
    with nginx(tmp_path, f"127.0.0.1:{free_port()}") as base:
        answer = httpx2.post(f"{base}/anomaly", json={"values": [1, 2, 3]})
    assert (answer.status_code, answer.json()["type"]) == (502, "urn:lineside:problem:bad-gateway")
    assert answer.headers["content-type"] == "application/problem+json"
