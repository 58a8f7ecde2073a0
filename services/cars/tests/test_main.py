import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("CARS_", "LINESIDE_", "HF_"))}
    command = [sys.executable, "-m", "cars", *arguments]
    return subprocess.run(
        command, env={**own, **settings}, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )


def test_help_names_the_commands(tmp_path: Path) -> None:
    done = run(tmp_path, "--help")
    assert done.returncode == 0
    for command in ("serve", "key"):
        assert f"\n    {command}" in done.stdout


def test_a_key_is_shown_once_and_only_its_digest_is_for_the_settings(tmp_path: Path) -> None:
    done = run(tmp_path, "key", "--name", "garage", "--scope", "admin")
    secret, line = (text.split()[-1] for text in done.stdout.splitlines())
    assert line == f"garage:admin:{hashlib.sha256(secret.encode()).hexdigest()}"
    assert "for CARS_API_KEYS:" in done.stdout


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"CARS_PORT": "many"}, "CARS_PORT='many'"),
        ({"CARS_HOST": "0.0.0.0"}, "CARS_API_KEYS"),
        ({"CARS_BACKEND": "remote"}, "CARS_BACKEND"),
        ({"CARS_BACKEND": "huggingface"}, "HF_API_TOKEN"),
        ({"CARS_MODEL_DIR": "/nowhere"}, "CARS_MODEL_DIR=/nowhere: "),
        ({"CARS_DATABASE_URL": "mysql://x"}, "CARS_DATABASE_URL: mysql"),
        ({"CARS_STORAGE_URL": "ftp://x/y"}, "CARS_STORAGE_URL: ftp://"),
        ({"CARS_STORAGE_URL": "/proc/pictures"}, "/proc/pictures"),
        ({"CARS_TRESHOLD": "0.5"}, "did you mean CARS_THRESHOLD?"),
    ],
)
def test_what_cannot_work_is_one_line_and_exit_1(tmp_path: Path, settings: dict[str, str], says: str) -> None:
    done = run(tmp_path, "serve", **{"CARS_PORT": "0", **settings})
    assert done.returncode == 1, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("lineside: ")
    assert says in done.stderr
    assert not done.stdout
