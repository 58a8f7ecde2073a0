"""On a real engine: every service answers through the gateway, may do nothing else, and keeps what it was given."""

import io
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx2
import pytest
from PIL import Image, ImageDraw, ImageFont
from servicekit.auth import generate

from compose.conftest import Stack

SERVICES = ("digit", "ocr", "cars", "anomaly", "front")
IMAGES = {
    "lineside-anomaly:0.1.0": 140,
    "lineside-digit:0.1.0": 220,
    "lineside-cars:0.1.0": 270,
    "lineside-ocr:0.1.0-cpu": 350,
    "lineside-front:0.1.0": 60,
}  # megabytes beyond the base
BASE = "python:3.12-slim-bookworm"
TOOLS = ("pip", "pip3", "apt", "apt-get", "dpkg", "gcc", "cc", "g++", "make", "ld", "curl", "wget", "git")


def png(text: str, size: tuple[int, int] = (640, 160)) -> bytes:
    picture = Image.new("RGB", size, "white")
    font = ImageFont.load_default(size=64)
    ImageDraw.Draw(picture).text((30, 40), text, fill="black", font=font)
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def upload(api: httpx2.Client, path: str, data: bytes, status: int = 200) -> Any:
    answer = api.post(path, files={"file": ("picture.png", data, "image/png")})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_every_service_recognises_through_the_gateway(api: httpx2.Client) -> None:
    deadline = time.monotonic() + 30
    while api.get("/health").json()["status"] != "healthy":  # a busy machine answers late at first
        assert time.monotonic() < deadline
    assert upload(api, "/digit/predict", png("7", (120, 140)))["prediction"] in range(10)
    words = " ".join(line["text"] for line in upload(api, "/ocr/upload", png("Lineside 2026"))["results"])
    assert "Lineside" in words
    stored = upload(api, "/cars/upload/", png("no car"), 201)
    assert api.post(f"/cars/inference/{stored['id']}").raise_for_status().json()["recognized"] is False
    assert api.post("/anomaly", json={"values": [1.2, 0.9, 1.1]}).json()["status"] in ("normal", "anomaly")


def test_pdfs_are_read_and_made(api: httpx2.Client) -> None:
    data = io.BytesIO()
    Image.open(io.BytesIO(png("Lineside 2026"))).save(data, "PDF")
    answer = api.post("/ocr/upload_pdf", files={"file": ("page.pdf", data.getvalue(), "application/pdf")})
    assert "Lineside" in answer.raise_for_status().text
    answer = api.post("/ocr/upload?format=pdf", files={"file": ("page.png", png("Lineside 2026"), "image/png")})
    assert answer.raise_for_status().content.startswith(b"%PDF")


def test_pages_and_documentation_are_there(api: httpx2.Client) -> None:
    for path in ("/", "/docs", "/redoc", "/openapi.json", "/digit/", "/ocr/", "/cars/", "/anomaly/", "/ocr/docs"):
        assert api.get(path, headers={"Accept": "text/html"}).status_code == 200, path


def test_metrics_are_for_the_inside_alone(stack: Stack, api: httpx2.Client) -> None:
    for path in ("/metrics", "/digit/metrics", "/ocr/metrics", "/cars/metrics", "/anomaly/metrics"):
        assert api.get(path).status_code == 404, path
    fetch = "import urllib.request, sys; print(urllib.request.urlopen(sys.argv[1], timeout=10).status)"
    for address in ("http://gateway:8082/metrics", *(f"http://{name}:8000/metrics" for name in SERVICES)):
        assert stack.inside("front", "python", "-c", fetch, address).stdout.strip() == "200", address


def test_only_the_gateway_is_published_and_only_on_loopback(stack: Stack) -> None:
    published = {
        name: [(port, to["HostIp"]) for port, tos in container["NetworkSettings"]["Ports"].items() for to in tos or []]
        for name, container in stack.containers().items()
    }
    assert {name: ports for name, ports in published.items() if ports} == {"gateway": [("8080/tcp", "127.0.0.1")]}


def test_each_container_runs_with_no_rights_at_all(stack: Stack) -> None:
    containers = stack.containers()
    assert set(containers) == {*SERVICES, "gateway"}
    for name, container in containers.items():
        host = container["HostConfig"]
        assert host["ReadonlyRootfs"], name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] == 512, name
        assert not host["Privileged"], name
        assert not host["Devices"], name
        status = stack.inside(name, "cat", "/proc/1/status").stdout
        assert re.search(r"^CapEff:\s0+$", status, re.MULTILINE), name
        assert re.search(r"^CapBnd:\s0+$", status, re.MULTILINE), name
        assert re.search(r"^NoNewPrivs:\s1$", status, re.MULTILINE), name
        assert re.search(r"^Uid:\s10001\s10001\s", status, re.MULTILINE), name
        assert stack.inside(name, "sh", "-c", "echo >/etc/x || echo >/app/x || echo >/usr/x").returncode != 0, name


def test_only_who_must_has_a_way_out(stack: Stack) -> None:
    ids = {name: set(container["NetworkSettings"]["Networks"]) for name, container in stack.containers().items()}
    names = sorted(set.union(*ids.values()))
    done = subprocess.run(
        ["docker", "network", "inspect", "-f", "{{.Name}} {{.Internal}}", *names],
        capture_output=True,
        text=True,
        check=True,
    )
    ways = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" false")}
    assert {name for name, networks in ids.items() if networks & ways} == {"gateway", "anomaly", "cars"}


def test_what_was_given_outlives_the_containers(stack: Stack, api: httpx2.Client) -> None:
    before = _give(api)
    old = {name: container["Id"] for name, container in stack.containers().items()}
    stack.up("--force-recreate")
    assert not {container["Id"] for container in stack.containers().values()} & {*old.values()}
    assert _kept(api) == before
    assert stack.docker("restart").returncode == 0
    stack.up()
    assert _kept(api) == before
    assert stack.docker("down").returncode == 0
    stack.up()
    assert _kept(api) == before


def _give(api: httpx2.Client) -> dict[str, Any]:
    upload(api, "/cars/upload/", png("kept"), 201)
    api.post("/anomaly/assets/default", json={"values": [1.2, 0.9, 1.1]}).raise_for_status()
    data = io.BytesIO()
    Image.open(io.BytesIO(png("Lineside 2026"))).save(data, "PDF")
    job = api.post("/ocr/jobs", files={"file": ("page.pdf", data.getvalue(), "application/pdf")})
    assert job.status_code == 202, job.text
    deadline = time.monotonic() + 120
    while api.get(job.headers["Location"]).json()["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        time.sleep(0.5)
    return _kept(api)


def _kept(api: httpx2.Client) -> dict[str, Any]:
    readings = api.get("/anomaly/assets/default/history").raise_for_status().json()["items"]
    return {
        "cars": [item["sha256"] for item in api.get("/cars/files/").raise_for_status().json()["items"]],
        "anomaly": [(reading["timestamp"], reading["score"]) for reading in readings],
        "ocr": [(job["id"], job["status"]) for job in api.get("/ocr/jobs").raise_for_status().json()["items"]],
    }


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_is_small_and_has_no_tools(image: str) -> None:
    sizes = [
        subprocess.run(["docker", "image", "inspect", "-f", "{{.Size}}", each], capture_output=True, text=True).stdout
        for each in (image, BASE)
    ]
    if not all(sizes):
        pytest.skip(f"{image} or {BASE} is not here: docker compose build")
    assert int(sizes[0]) - int(sizes[1]) <= IMAGES[image] * 1_000_000
    found = f"for tool in {' '.join(TOOLS)}; do command -v $tool; done; python -m pip --version; python -m ensurepip"
    command = ["docker", "run", "--rm", "--network", "none", "--read-only", "--entrypoint", "sh", image, "-c", found]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == ""
    assert done.stderr.count("No module named") == 2


def test_nothing_is_published_beyond_loopback_without_keys(lone: Stack) -> None:
    lone.settings["LINESIDE_PUBLISH_ADDRESS"] = "0.0.0.0"
    done = lone.docker("up", "--detach", "--wait", "--wait-timeout", "60", "gateway")
    assert done.returncode != 0
    assert "LINESIDE_PUBLISH_ADDRESS=0.0.0.0 is not loopback" in lone.docker("logs", "front").stdout
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(lone.base_url)


def test_keys_come_from_a_file(lone: Stack, tmp_path: Path) -> None:
    secret, line = generate("mes", "read")
    keys = tmp_path / "api-keys"
    keys.write_text(line)
    keys.chmod(0o644)
    lone.settings |= {"LINESIDE_API_KEYS_FILE": str(keys), "LINESIDE_PUBLISH_ADDRESS": "0.0.0.0"}
    done = lone.docker("up", "--detach", "--wait", "--wait-timeout", "300", "gateway", "anomaly")
    assert done.returncode == 0, done.stderr
    answers = {}
    for headers in ({}, {"X-API-Key": secret}):
        deadline = time.monotonic() + 30
        while True:  # until Traefik has found it ready
            answer = httpx2.post(f"{lone.base_url}/anomaly", json={"values": [1.2, 0.9, 1.1]}, headers=headers)
            if answer.status_code != 503 or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        answers[len(headers)] = answer.status_code
    assert answers == {0: 401, 1: 200}
