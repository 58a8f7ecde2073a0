import errno
import json
import os
from pathlib import Path

import pytest
from ocr.documents import LimitedFailure, run_limited

MEMORY = 268_435_456


def run(function: str, *arguments: object, seconds: float = 20, file_bytes: int = 0) -> object:
    return run_limited(function, *arguments, seconds=seconds, memory_bytes=MEMORY, file_bytes=file_bytes)


def failure(function: str, *arguments: object, seconds: float = 20) -> LimitedFailure:
    with pytest.raises(LimitedFailure) as failed:
        run(function, *arguments, seconds=seconds)
    return failed.value


def test_it_returns_what_the_function_returns() -> None:
    assert run("json:loads", '{"a": [1, "ü", null]}') == {"a": [1, "ü", None]}
    assert run("os:getpid") != os.getpid()


def test_what_the_function_raises_is_told() -> None:
    failed = failure("json:loads", "{")
    assert failed.kind == "error"
    assert str(failed).startswith(json.JSONDecodeError.__name__)


def test_too_much_memory_is_a_failure_of_its_own() -> None:
    assert failure("builtins:bytes", 2 * MEMORY).kind == "memory"


def test_it_is_stopped_when_its_time_is_over() -> None:
    failed = failure("time:sleep", 60, seconds=0.3)
    assert (failed.kind, str(failed)) == ("time", "it takes more than 0.3 s")


def test_a_process_that_dies_is_told_with_its_signal() -> None:
    failed = failure("os:abort")
    assert (failed.kind, str(failed)) == ("died", "its process ended by SIGABRT")


def test_it_writes_no_file_unless_it_may(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert f"Errno {errno.EFBIG}" in str(failure("os:truncate", str(path), 10))
    run("os:truncate", str(path), 10, file_bytes=10)
    assert path.stat().st_size == 10


def test_nothing_of_our_environment_reaches_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OCR_API_KEYS", "secret")
    assert run("os:getenv", "OCR_API_KEYS") is None
    assert run("os:getenv", "PATH") is None


def test_a_function_that_is_not_there_is_told() -> None:
    failed = failure("ocr.nowhere:write")
    assert failed.kind == "died"
    assert "No module named 'ocr.nowhere'" in str(failed)
