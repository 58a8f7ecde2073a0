import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anomaly", *arguments]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("ANOMALY_", "LINESIDE_"))}
    return subprocess.run(command, env={**own, **environment}, capture_output=True, text=True, timeout=60, check=False)


def test_help_names_the_commands() -> None:
    done = run("--help")
    assert done.returncode == 0
    for command in ("serve", "train", "threshold", "score", "import", "key", "migrate"):
        assert f"\n    {command}" in done.stdout


def test_a_key_is_shown_once_and_only_its_digest_is_for_the_settings() -> None:
    done = run("key", "--name", "mes", "--scope", "read")
    secret = done.stdout.splitlines()[0].split()[-1]
    line = done.stdout.splitlines()[1].split()[-1]
    assert line == f"mes:read:{hashlib.sha256(secret.encode()).hexdigest()}"


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({"ANOMALY_PORT": "many"}, "ANOMALY_PORT='many'"),
        ({"ANOMALY_MAX_ROWS": "0"}, "ANOMALY_MAX_ROWS"),
        ({"ANOMALY_HOST": "0.0.0.0"}, "ANOMALY_API_KEYS"),
        ({"ANOMALY_DATABASE_URL": "mysql://x"}, "ANOMALY_DATABASE_URL"),
        ({"ANOMALY_MODEL_FILE": "/nowhere.safetensors"}, "nowhere.safetensors"),
        ({"ANOMALY_WEBHOOK_URLS": "https://example.com/hook"}, "ANOMALY_WEBHOOK"),
        ({"ANOMALY_PROT": "8000"}, "ANOMALY_PORT"),
    ],
)
def test_a_bad_setting_is_one_line_and_exit_1(tmp_path: Path, environment: dict[str, str], says: str) -> None:
    defaults = {"ANOMALY_DATABASE_URL": f"sqlite:///{tmp_path}/anomaly.db", "ANOMALY_PORT": "0"}
    done = run("serve", **{**defaults, **environment})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("lineside: ")
    assert says in done.stderr


def test_a_taken_port_is_one_line_and_exit_1(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = run("serve", ANOMALY_PORT=port, ANOMALY_DATABASE_URL=f"sqlite:///{tmp_path}/anomaly.db")
    assert done.returncode == 1
    assert done.stderr == f"lineside: 127.0.0.1 port {port} is taken: set ANOMALY_HOST or ANOMALY_PORT\n"


def test_migrate_makes_the_tables_and_may_be_repeated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/anomaly.db"
    for _ in range(2):
        assert run("migrate", ANOMALY_DATABASE_URL=url).returncode == 0
    assert (tmp_path / "anomaly.db").stat().st_size > 0
