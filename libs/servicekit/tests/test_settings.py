from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict
from servicekit import auth
from servicekit.settings import ServiceSettings, is_loopback, load, split_commas

SECRET, LINE = auth.generate("mes", "read")
Refused = Callable[[], str]


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_", extra="ignore", hide_input_in_errors=True)

    max_rows: int = Field(10, ge=1, le=100, description="Rows.")
    webhook_secret: SecretStr | None = Field(None, min_length=8, description="Secret.")


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Returns a function that loads the settings, which must be refused, and returns the line."""

    def refused() -> str:
        with pytest.raises(SystemExit) as end:
            load(Settings)
        line = capsys.readouterr().err
        assert end.value.code == 1
        assert line.startswith("lineside: ")
        assert line.count("\n") == 1
        return line.removeprefix("lineside: ").rstrip()

    return refused


def test_reads_its_own_variables_before_the_shared_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESIDE_PORT", "8001")
    monkeypatch.setenv("LINESIDE_LOG_LEVEL", "warning")
    monkeypatch.setenv("TOY_PORT", "8002")
    settings = load(Settings)
    assert (settings.port, settings.log_level, settings.host) == (8002, "warning", "127.0.0.1")


def test_lets_an_argument_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOY_PORT", "8002")
    assert load(Settings, port=8003).port == 8003


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("TOY_PORT", "high", "TOY_PORT='high': Input should be a valid integer"),
        ("TOY_PORT", "70000", "TOY_PORT='70000': Input should be less than or equal to 65535"),
        ("toy_max_rows", "0", "toy_max_rows='0': Input should be greater than or equal to 1"),
        ("LINESIDE_LOG_LEVEL", "loud", "LINESIDE_LOG_LEVEL='loud': String should match pattern"),
        ("TOY_PATH_PREFIX", "toy/", "TOY_PATH_PREFIX='toy/': String should match pattern"),
        ("TOY_CORS_ORIGINS", "https://a.b,a.c/", "'a.c/' is not an origin, expected https://host"),
        ("TOY_PORT", "x" * 10_000, "TOY_PORT='xxx"),
    ],
)
def test_refuses_a_bad_value_with_variable_value_and_expectation(
    monkeypatch: pytest.MonkeyPatch, refused: Refused, name: str, value: str, line: str
) -> None:
    monkeypatch.setenv(name, value)
    shown = refused()
    assert line in shown
    assert shown.startswith(name)
    assert len(shown) < 300


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("TOY_PROT", "TOY_PROT is not a setting, did you mean TOY_PORT?"),
        ("LINESIDE_LOGLEVEL", "LINESIDE_LOGLEVEL is not a setting, did you mean LINESIDE_LOG_LEVEL?"),
        ("TOY_SERVICE_HOST_XYZZY", "TOY_SERVICE_HOST_XYZZY is not a setting"),
    ],
)
def test_refuses_a_misspelt_variable(monkeypatch: pytest.MonkeyPatch, refused: Refused, name: str, line: str) -> None:
    monkeypatch.setenv(name, "1")
    assert refused().startswith(line)


def test_ignores_what_other_programs_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOYS", "1")
    monkeypatch.setenv("PORT", "1")
    assert load(Settings).port == 8000


@pytest.mark.parametrize(
    ("name", "value"), [("TOY_API_KEYS", f"{LINE},mes:read:hunter2"), ("TOY_WEBHOOK_SECRET", "hunter2")]
)
def test_never_shows_a_secret(monkeypatch: pytest.MonkeyPatch, refused: Refused, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    line = refused()
    assert line.startswith(f"{name}=(a value not shown here): ")
    assert "hunter2" not in line
    assert LINE not in line


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "plant.example", ""])
def test_refuses_to_listen_for_others_without_keys(
    monkeypatch: pytest.MonkeyPatch, refused: Refused, host: str
) -> None:
    monkeypatch.setenv("TOY_HOST", host)
    assert refused().startswith(f"TOY_HOST={host} is not loopback and there are no API keys: set TOY_API_KEYS or")


@pytest.mark.parametrize(("name", "value"), [("TOY_API_KEYS", LINE), ("LINESIDE_ALLOW_ANONYMOUS", "true")])
def test_listens_for_others_with_keys_or_where_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("TOY_HOST", "0.0.0.0")
    monkeypatch.setenv(name, value)
    assert load(Settings).host == "0.0.0.0"


def test_reads_keys_from_variable_and_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of line 4\n\n{auth.generate('line-4', 'admin')[1]}\n", encoding="utf-8")
    monkeypatch.setenv("TOY_API_KEYS", f" {LINE} ,")
    monkeypatch.setenv("TOY_API_KEYS_FILE", str(file))
    keys = load(Settings).keys()
    assert [(key.name, key.scope) for key in keys] == [("mes", "read"), ("line-4", "admin")]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (None, "cannot be read"),
        (b"", "holds no key"),
        (b"# only a comment\n", "holds no key"),
        (b"\xff\xfe", "cannot be read"),
        (f"{LINE}\nmes:read:hunter2\n".encode(), "line 2: expected name:scope:sha256"),
    ],
)
def test_refuses_a_file_of_keys_that_would_leave_the_door_open(
    monkeypatch: pytest.MonkeyPatch, refused: Refused, tmp_path: Path, content: bytes | None, line: str
) -> None:
    if content is not None:
        (tmp_path / "keys").write_bytes(content)
    monkeypatch.setenv("TOY_API_KEYS_FILE", str(tmp_path / "keys"))
    shown = refused()
    assert shown.startswith("TOY_API_KEYS_FILE=")
    assert line in shown
    assert "hunter2" not in shown


def test_splits_lists_at_commas() -> None:
    assert split_commas(" a, b,,c ") == ["a", "b", "c"]
    assert split_commas(["a,b"]) == ["a,b"]


def test_knows_loopback() -> None:
    assert [host for host in ("127.0.0.1", "127.8.9.1", "::1", "localhost") if not is_loopback(host)] == []
    assert [host for host in ("0.0.0.0", "::", "10.0.0.1", "example.com", "") if is_loopback(host)] == []


def test_a_container_is_judged_by_the_address_that_its_port_is_published_on(
    monkeypatch: pytest.MonkeyPatch, refused: Refused
) -> None:
    monkeypatch.setenv("TOY_HOST", "0.0.0.0")
    monkeypatch.setenv("LINESIDE_PUBLISH_ADDRESS", "127.0.0.1")
    assert load(Settings).keys() == []
    monkeypatch.setenv("LINESIDE_PUBLISH_ADDRESS", "192.168.1.7")
    assert refused().startswith("LINESIDE_PUBLISH_ADDRESS=192.168.1.7 is not loopback and there are no API keys")
    monkeypatch.setenv("TOY_API_KEYS", LINE)
    assert len(load(Settings).keys()) == 1


def test_an_empty_variable_of_an_optional_setting_is_none(monkeypatch: pytest.MonkeyPatch, refused: Refused) -> None:
    monkeypatch.setenv("TOY_API_KEYS_FILE", "")
    monkeypatch.setenv("TOY_TRUSTED_PROXIES", "")
    settings = load(Settings)
    assert (settings.api_keys_file, settings.trusted_proxies) == (None, [])
    monkeypatch.setenv("TOY_PORT", "")
    assert refused().startswith("TOY_PORT='':")
