import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from gateway.routes import ROUTES

OURS = ("LINESIDE_", "GATEWAY_", "ANOMALY_", "DIGIT_", "OCR_")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Returns a function that starts the gateway with settings; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **settings: str) -> "subprocess.Popen[str]":
        started.append(_start(tmp_path, arguments, settings))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _start(folder: Path, arguments: tuple[str, ...], settings: dict[str, str]) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | settings
    return subprocess.Popen(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def cpu_s(pid: int) -> float:
    """Returns what a process and its ended children have used: unlike the clock, no other test can lengthen it."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_says_where_it_is_serves_soon_and_ends_with_status_0(start: Start) -> None:
    process = start(GATEWAY_PORT="0", GATEWAY_DRAIN_S="0")
    assert process.stdout
    lines = [process.stdout.readline().split() for _ in range(4)]
    base = lines[0][-1]
    assert lines == [
        ["Lineside", "on", base], ["page", f"{base}/"], ["docs", f"{base}/docs"], ["health", f"{base}/health"],
    ]  # fmt: skip
    assert httpx2.get(f"{base}/health/ready", timeout=30).json() == {"status": "ready"}
    assert cpu_s(process.pid) < 5, "it is not up within 5 s even on a machine of its own"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_refuses_a_taken_port_in_one_line(start: Start, tmp_path: Path, taken: int) -> None:
    process = start(GATEWAY_PORT=str(taken))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert err == f"lineside: 127.0.0.1 port {taken} is taken: set GATEWAY_HOST or GATEWAY_PORT\n"
    assert list(tmp_path.iterdir()) == [], "nothing was made before"


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("GATEWAY_PORT", "high", "GATEWAY_PORT='high': Input should be a valid integer"),
        ("GATEWAY_PROT", "1", "GATEWAY_PROT is not a setting, did you mean GATEWAY_PORT?"),
        ("ANOMALY_MAX_ROWS", "0", "ANOMALY_MAX_ROWS='0': Input should be greater than or equal to 1"),
        ("OCR_USE_GPU", "true", "OCR_USE_GPU=true, but PP-OCRv6_det_small.onnx cannot run on a GPU: "),
        ("LINESIDE_HOST", "0.0.0.0", "GATEWAY_HOST=0.0.0.0 is not loopback and there are no API keys"),
    ],
)
def test_refuses_a_bad_setting_in_one_line(start: Start, name: str, value: str, line: str) -> None:
    process = start(**{"GATEWAY_PORT": "0", name: value})
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"lineside: {line}")


ADDRESSES = {route.name: f"http://{route.name}:8000" for route in ROUTES}


def joined(addresses: dict[str, str]) -> str:
    return ",".join(f"{name}={address}" for name, address in addresses.items())


def test_the_front_says_where_it_is_and_ends_with_status_0(start: Start) -> None:
    process = start("front", GATEWAY_PORT="0", GATEWAY_DRAIN_S="0", GATEWAY_UPSTREAMS=joined(ADDRESSES))
    assert process.stdout
    base = process.stdout.readline().split()[-1]
    assert httpx2.get(f"{base}/health/ready", timeout=30).json() == {"status": "ready"}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("", f"GATEWAY_UPSTREAMS has no address of {', '.join(ADDRESSES)}: add digit=http://digit:8000"),
        (joined(ADDRESSES | {"ocr": ""}), "'…': ocr has no address, expected ocr=http://host:port"),
        (joined(ADDRESSES | {"ocr": "ocr:8000"}), "'…': 'ocr:8000' is not an address, expected http://host:port"),
        (joined(ADDRESSES | {"weather": "http://w"}), "'…': 'weather' is not a service, expected some of digit, "),
        (joined({"digit": "http://d"}), "GATEWAY_UPSTREAMS has no address of ocr, cars, anomaly: add ocr=http://ocr"),
    ],
)
def test_the_front_refuses_wrong_addresses_in_one_line(start: Start, value: str, reason: str) -> None:
    process = start("front", GATEWAY_PORT="0", GATEWAY_UPSTREAMS=value)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("lineside: GATEWAY_UPSTREAMS")
    assert reason.removeprefix("'…'") in err


def test_prints_the_routes_with_the_addresses_that_are_given(start: Start) -> None:
    out, err = start("routes", "--upstreams", "ocr=http://a:1 http://b:2", "--front", "https://f").communicate(
        timeout=20
    )
    assert err == ""
    urls = [line.strip() for line in out.splitlines() if "url" in line]
    assert urls == [
        'servers: [{"url": "https://f"}]',
        'servers: [{"url": "http://digit:8000"}]',
        'servers: [{"url": "http://a:1"}, {"url": "http://b:2"}]',
        'servers: [{"url": "http://cars:8000"}]',
        'servers: [{"url": "http://anomaly:8000"}]',
    ]


@pytest.mark.parametrize("arguments", [("--upstreams", "ocr=a:1"), ("--upstreams", "x=http://a"), ("--front", "f:1")])
def test_prints_no_routes_to_what_is_no_address(start: Start, arguments: tuple[str, ...]) -> None:
    process = start("routes", *arguments)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("arguments", [(), ("front",), ("routes",)])
def test_explains_itself(start: Start, arguments: tuple[str, ...]) -> None:
    process = start(*arguments, "--help")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith(" ".join(["usage: python -m gateway", *arguments]))
