from importlib.metadata import version
from pathlib import Path

import pytest
from gateway.routes import ROUTES, Route
from starlette.testclient import TestClient


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: str(route.name))
def test_lists_services_that_exist(route: Route, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    service = route.create(access_log=False)
    assert service.settings.path_prefix == route.prefix == f"/{route.name}"
    assert service.version == version(f"lineside-{route.name}")
    assert TestClient(service).get(f"{route.prefix}/docs").status_code == 200
    assert f"{{base}}{route.name}" in route.example


ANOMALY = next(route for route in ROUTES if route.name == "anomaly")


def test_lets_what_is_shared_win_over_the_services_own_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ANOMALY_DRAIN_S", "7")
    assert ANOMALY.create().settings.drain_s == 7
    assert ANOMALY.create(drain_s=3).settings.drain_s == 3


def test_refuses_a_bad_setting_of_a_service_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ANOMALY_MAX_ROWS", "many")
    with pytest.raises(SystemExit):
        ANOMALY.create()
    assert capsys.readouterr().err.startswith("lineside: ANOMALY_MAX_ROWS='many': Input should be a valid integer")


def test_says_which_package_is_not_installed() -> None:
    with pytest.raises(
        ValueError, match="the package weather is not installed: only `front` and `routes` work without"
    ):
        Route("weather", "Weather", "Tells the weather.", "curl {base}weather").create()
