import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("DIGIT_", "LINESIDE_"))}
    command = [sys.executable, "-m", "digit", *arguments]
    return subprocess.run(command, env={**own, **settings}, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "predict", "load", "augment", "key"):
        assert f"\n    {command}" in done.stdout


def test_a_key_is_shown_once_and_only_its_digest_is_for_the_settings() -> None:
    done = run("key", "--name", "mes", "--scope", "read")
    secret, line = (text.split()[-1] for text in done.stdout.splitlines())
    assert line == f"mes:read:{hashlib.sha256(secret.encode()).hexdigest()}"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"DIGIT_PORT": "many"}, "DIGIT_PORT='many'"),
        ({"DIGIT_MAX_PIXELS": "0"}, "DIGIT_MAX_PIXELS"),
        ({"DIGIT_HOST": "0.0.0.0"}, "DIGIT_API_KEYS"),
        ({"DIGIT_MODEL": "resnet"}, "DIGIT_MODEL='resnet'"),
        ({"DIGIT_WEIGHTS": "/nowhere"}, "DIGIT_WEIGHTS=/nowhere"),
        ({"DIGIT_MODLE": "cnn"}, "DIGIT_MODEL"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_1(settings: dict[str, str], says: str) -> None:
    done = run("serve", **{"DIGIT_PORT": "0", **settings})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("lineside: ")
    assert says in done.stderr


def test_a_taken_port_is_one_line_and_exit_1() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", DIGIT_PORT=port)
    assert done.returncode == 1
    assert done.stderr == f"lineside: 127.0.0.1 port {port} is taken: set DIGIT_HOST or DIGIT_PORT\n"


def test_serves_and_ends_with_0(start: Callable[..., Any], png: Callable[..., bytes]) -> None:
    with start() as server:
        answer = httpx2.post(f"{server.url}/predict", files={"file": ("a.png", png(7))})
        assert answer.json() == {"prediction": 7}
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0


def test_a_stream_is_finished_before_the_end(
    start: Callable[..., Any], png: Callable[..., bytes], zipped: Callable[..., bytes]
) -> None:
    archive = zipped(*((f"{i}.png", png(1, 300)) for i in range(200)))
    with start() as server:
        body, accept = {"files": ("a.zip", archive)}, {"Accept": "application/x-ndjson"}
        url = f"{server.url}/predict_batch"
        with httpx2.stream("POST", url, files=body, headers=accept, timeout=60) as answer:
            lines = answer.iter_lines()
            next(lines)
            server.process.send_signal(signal.SIGTERM)
            assert list(lines)[-1] == '{"done":true,"total":200,"failed":0}'
        assert server.process.wait(30) == 0
