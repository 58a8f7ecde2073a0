from pathlib import Path

import pytest
from servicekit.database.engine import with_password

URL = "postgresql://lineside@db.example/lineside"


def test_a_password_comes_out_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss/word:1\n")
    assert with_password(URL, file) == "postgresql+psycopg://lineside:p%40ss%2Fword%3A1@db.example/lineside"


def test_the_url_stays_without_a_file() -> None:
    assert with_password(URL, None) == URL


def test_a_file_that_is_missing_or_holds_none_is_named_and_the_password_never(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="missing cannot be read"):
        with_password(URL, tmp_path / "missing")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(ValueError, match="empty holds no password"):
        with_password(URL, tmp_path / "empty")
