import pytest
from digit.settings import Settings
from pydantic import ValidationError


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGIT_MODEL", "cnn")
    monkeypatch.setenv("DIGIT_MAX_PIXELS", "1000000")
    settings = Settings()
    assert (settings.model, settings.max_pixels, settings.path_prefix) == ("cnn", 1_000_000, "/digit")


@pytest.mark.parametrize("field", ["max_file_bytes", "max_pixels", "max_upload_bytes", "max_images", "threads"])
def test_a_limit_out_of_its_bounds_is_refused(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        Settings(**{field: -1})


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
