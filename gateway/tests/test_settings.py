import pytest
from gateway.routes import ROUTES
from gateway.settings import Settings
from servicekit.settings import load


def test_requires_every_service_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(Settings).required == [route.name for route in ROUTES]
    monkeypatch.setenv("GATEWAY_REQUIRED", "")
    assert load(Settings).required == []


def test_listens_on_8080_of_loopback() -> None:
    settings = load(Settings)
    assert (settings.host, settings.port, settings.path_prefix) == ("127.0.0.1", 8080, "")


def test_refuses_to_require_a_service_that_does_not_exist(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GATEWAY_REQUIRED", "anomaly, weather")
    with pytest.raises(SystemExit):
        load(Settings)
    expected = (
        "lineside: GATEWAY_REQUIRED='anomaly, weather': 'weather' is not a service, "
        f"expected some of {', '.join(route.name for route in ROUTES)}\n"
    )
    assert capsys.readouterr().err == expected
