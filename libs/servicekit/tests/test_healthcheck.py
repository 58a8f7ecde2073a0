import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from servicekit import healthcheck
from servicekit.app import Service


def test_succeeds_on_200_only(
    make: Callable[..., Service],
    served: Callable[[Service], AbstractContextManager[int]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")  # a container's proxy is not for its own health
    toy = make()
    with served(toy) as port:
        url = f"http://127.0.0.1:{port}/health/ready"
        assert healthcheck.main([url]) == 0
        toy.state.drain.start()
        assert healthcheck.main([url]) == 1
    assert healthcheck.main([url]) == 1
    shown = capsys.readouterr().err.splitlines()
    assert shown[0] == f"{url} answered 503"
    assert "refused" in shown[1]


def test_is_a_command() -> None:
    result = subprocess.run([sys.executable, "-m", "servicekit.healthcheck"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (2, "usage: python -m servicekit.healthcheck URL\n")
    assert healthcheck.main(["nonsense"]) == 1
