import argparse
import hashlib
import subprocess
import sys
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest
from servicekit import commandline
from servicekit.weights import WeightsError

SETTINGS = """
from pydantic_settings import SettingsConfigDict
from servicekit.settings import ServiceSettings

class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TOYSERVICE_")
    port: int = 0
    refuses: str = ""
"""
APP = """
from types import SimpleNamespace

def create_app(settings):
    def prepare():
        raise ValueError("prepare: no\\nmodel here")

    if settings.refuses == "create":
        raise ValueError("create: no model here")
    return SimpleNamespace(prepare=prepare)
"""


def run(result: int | BaseException | None) -> int:
    def command(_arguments: argparse.Namespace) -> int | None:
        if isinstance(result, BaseException):
            raise result
        return result

    return commandline.guarded("toy", command, argparse.Namespace())


def test_a_command_that_returns_nothing_is_status_0() -> None:
    assert run(None) == 0
    assert run(0) == 0


def test_a_command_chooses_its_status() -> None:
    assert run(1) == 1


@pytest.mark.parametrize(
    ("error", "line", "status"),
    [
        (ValueError("row 3:\n  bad"), "toy: row 3: bad", 1),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "toy: a.csv: No such file or directory", 1),
        (ConnectionError("the server is away"), "toy: the server is away", 1),
        (MemoryError(), "toy: out of memory", 1),
        (WeightsError("model.onnx is another"), "toy: model.onnx is another", 1),
        (BrokenProcessPool("a worker was ended"), "toy: a worker was ended", 1),
        (KeyboardInterrupt(), "toy: interrupted", 130),
    ],
)
def test_what_users_can_cause_is_one_line(
    error: BaseException, line: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(error) == status
    captured = capsys.readouterr()
    assert captured.err == line + "\n"
    assert captured.out == ""


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(TypeError):
        run(TypeError("ours"))


def test_the_parser_runs_the_command_guarded(capsys: pytest.CaptureFixture[str]) -> None:
    def command(arguments: argparse.Namespace) -> int:
        raise ValueError(f"{arguments.file} is empty")

    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    read = commandline.add(commands, "toy", "read", "reads a file", "Reads.\n\n  toy read FILE\n", command)
    read.add_argument("file")
    arguments = parser.parse_args(["read", "x.csv"])
    assert arguments.run(arguments) == 1
    assert capsys.readouterr().err == "toy: x.csv is empty\n"
    with pytest.raises(SystemExit):
        parser.parse_args(["read", "--help"])
    assert "\n  toy read FILE\n" in capsys.readouterr().out


def test_a_closed_pipe_ends_quietly() -> None:
    code = (
        "import argparse, sys; from servicekit import commandline;"
        "run = lambda _: [print(i) for i in range(100000)] and None;"
        "sys.exit(commandline.guarded('toy', run, argparse.Namespace()))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    with commandline.whole_file(path) as file:
        file.write(b"half")
        assert not path.exists()
    assert path.read_bytes() == b"half"
    assert path.stat().st_mode & 0o777 == 0o644


def test_an_error_on_the_way_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "result.csv"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), commandline.whole_file(path) as file:
        file.write("text")  # type: ignore[arg-type] # what is tested: an error in the block
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_serve_and_key_are_added_for_a_service_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    commandline.add_serve(commands, "toy")
    commandline.add_key(commands, "toy", admin="admin may change")
    arguments = parser.parse_args(["key", "--name", "mes", "--scope", "admin"])
    assert arguments.run(arguments) == 0
    first, second = capsys.readouterr().out.splitlines()
    digest = hashlib.sha256(first.removeprefix("key (shown once):").strip().encode()).hexdigest()
    assert second.split() == ["for", "TOY_API_KEYS:", f"mes:admin:{digest}"]
    with pytest.raises(SystemExit):
        parser.parse_args(["serve", "--help"])
    assert "TOY_" in capsys.readouterr().out


@pytest.mark.parametrize("refuses", ["create", "prepare"])
def test_serve_refuses_with_one_line_before_the_port_answers(tmp_path: Path, refuses: str) -> None:
    (tmp_path / "settings.py").write_text(SETTINGS)
    (tmp_path / "app.py").write_text(APP)
    package = tmp_path / "toyservice"
    package.mkdir()
    for name in ("settings.py", "app.py"):
        (tmp_path / name).rename(package / name)
    (package / "__init__.py").touch()
    code = "import argparse; from servicekit import commandline; commandline._serve('toyservice', sockets=False)"
    environment = {"PYTHONPATH": str(tmp_path), "TOYSERVICE_REFUSES": refuses}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"lineside: {refuses}: no model here\n"
