import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import httpx2
import pytest


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OCR_", "LINESIDE_"))}
    command = [sys.executable, "-m", "ocr", *arguments]
    return subprocess.run(command, env={**own, **settings}, capture_output=True, text=True, timeout=120, check=False)


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "read", "key"):
        assert f"\n    {command}" in done.stdout


def test_a_key_is_shown_once_and_only_its_digest_is_for_the_settings() -> None:
    done = run("key", "--name", "mes", "--scope", "admin")
    secret, line = (text.split()[-1] for text in done.stdout.splitlines())
    assert line == f"mes:admin:{hashlib.sha256(secret.encode()).hexdigest()}"
    assert "for OCR_API_KEYS:" in done.stdout


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"OCR_PORT": "many"}, "OCR_PORT='many'"),
        ({"OCR_MAX_IMAGE_WIDTH": "0"}, "OCR_MAX_IMAGE_WIDTH"),
        ({"OCR_HOST": "0.0.0.0"}, "OCR_API_KEYS"),
        ({"OCR_MODEL_VERSION": "v5"}, "OCR_MODEL_VERSION"),
        ({"OCR_MODEL_CONFIG_PATH": "/nowhere.yaml"}, "/nowhere.yaml"),
        ({"OCR_USE_GPU": "true"}, "OCR_USE_GPU=true"),
        ({"OCR_WORKERS": "2"}, "OCR_WORKERS is not a setting"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_1(settings: dict[str, str], says: str) -> None:
    done = run("serve", **{"OCR_PORT": "0", **settings})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("lineside: ")
    assert says in done.stderr
    assert not done.stdout


def test_serves_and_ends_with_0(start: Callable[..., Any], png: Callable[..., bytes]) -> None:
    with start() as server:
        answer = httpx2.post(f"{server.url}/upload", files={"file": ("a.png", png("Valve 17"))}, timeout=60)
        assert [item["text"] for item in answer.json()["results"]] == ["Valve 17"]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0
