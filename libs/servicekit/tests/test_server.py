import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from servicekit import server
from servicekit.settings import ServiceSettings

Settings = Callable[..., ServiceSettings]


@pytest.fixture
def settings(make: Callable[..., Any]) -> Settings:
    """Returns a function that makes the toy's settings."""
    return lambda **settings: make(**settings).settings


def test_takes_a_free_port_and_tells_its_address(settings: Settings) -> None:
    chosen = settings(port=0)
    with server.bind(chosen) as listener:
        assert server.address(chosen, listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_tells_an_address_that_a_browser_can_open(settings: Settings) -> None:
    for host, shown in (("0.0.0.0", "localhost"), ("::1", "[::1]")):
        chosen = settings(host=host, port=0, allow_anonymous=True)
        with server.bind(chosen) as listener:
            assert server.address(chosen, listener).startswith(f"http://{shown}:")


def test_refuses_a_taken_port_in_one_line(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with server.bind(settings(port=0)) as listener, pytest.raises(SystemExit) as end:
        server.bind(settings(port=listener.getsockname()[1]))
    assert end.value.code == 1
    assert re.fullmatch(r"lineside: 127.0.0.1 port \d+ is taken: set TOY_HOST or TOY_PORT\n", capsys.readouterr().err)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_refuses_an_address_that_is_not_its_own(
    settings: Settings, capsys: pytest.CaptureFixture[str], host: str
) -> None:
    with pytest.raises(SystemExit):
        server.bind(settings(host=host, port=0, allow_anonymous=True))
    shown = capsys.readouterr().err
    assert shown.startswith(f"lineside: {host} port 0 cannot be used (")
    assert shown.count("\n") == 1


def test_prints_where_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    server.announce("Toy", "http://127.0.0.1:8000", server.LINKS)
    assert capsys.readouterr().out.splitlines() == [
        "Toy on http://127.0.0.1:8000",
        "  page    http://127.0.0.1:8000/",
        "  docs    http://127.0.0.1:8000/docs",
        "  health  http://127.0.0.1:8000/health",
    ]


def test_is_bound_before_it_serves(settings: Settings) -> None:
    """So that a client which comes during start-up waits instead of being refused."""
    with server.bind(settings(port=0)) as listener:
        socket.create_connection(listener.getsockname(), timeout=1).close()
