import io
from pathlib import Path

import pytest
from ocr.commands.sources import found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scans"
    (place / "sub").mkdir(parents=True)
    (place / "__MACOSX").mkdir()
    for name in ("b.PDF", "a.png", "sub/c.tiff", "notes.docx", ".hidden.png", "Thumbs.db", "__MACOSX/d.png"):
        (place / name).write_bytes(b"x")
    return place


def below(*places: str) -> list[str]:
    with found(places, 1024) as sources:
        return [source.below.as_posix() for source in sources]


def test_a_folder_is_walked_and_sorted_without_what_systems_leave_there(folder: Path) -> None:
    assert below(str(folder)) == ["a.png", "b.PDF", "sub/c.tiff"]


def test_files_are_taken_as_they_are_named_whatever_their_ending(folder: Path) -> None:
    assert below(str(folder / "notes.docx"), "gone.png") == ["notes.docx", "gone.png"]


def test_a_source_remembers_the_folder_that_was_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with found(["."], 1024) as sources:
        assert {source.folder for source in sources} == {"scans"}


def test_a_folder_without_anything_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no files that end in \.png, .*\.pdf"), found([str(tmp_path)], 1024):
        pass


class Stdin:
    def __init__(self, data: bytes) -> None:
        self.buffer = io.BytesIO(data)


def test_standard_input_is_a_file_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Stdin(b"%PDF-"))
    with found(["-"], 1024) as (source,):
        assert source.name == "standard input"
        assert source.path.read_bytes() == b"%PDF-"
    assert not source.path.exists()


def test_standard_input_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Stdin(bytes(1025)))
    with pytest.raises(ValueError, match="more than 1,024 bytes"), found(["-"], 1024):
        pass


def test_standard_input_can_be_named_once() -> None:
    with pytest.raises(ValueError, match="only once"), found(["-", "-"], 1024):
        pass


def test_a_name_with_control_characters_is_told_without_them(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[2Jb.png"
    path.write_bytes(b"x")
    with found([str(path)], 1024) as (source,):
        assert "\x1b" not in source.name
