from pathlib import Path

import pytest
from digit.commands import pictures


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_finds_pictures_below_a_folder_in_order(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "sub/c.JPG", "a.jpeg", "sub/deeper/d.PNG", "notes.txt", "e.gif", "f.zip")
    found = [pictures.name_below(tmp_path, path) for path in pictures.find(tmp_path)]
    assert found == ["a.jpeg", "b.png", "sub/c.JPG", "sub/deeper/d.PNG"]


def test_finds_archives_where_they_are_asked_for(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a.ZIP")
    found = pictures.find(tmp_path, (*pictures.PICTURES, *pictures.ARCHIVES))
    assert [path.name for path in found] == ["a.ZIP", "b.png"]


def test_what_systems_leave_is_no_picture(tmp_path: Path) -> None:
    fill(tmp_path, "__MACOSX/a.png", "._a.png", "a.png")
    assert pictures.find(tmp_path) == [tmp_path / "a.png"]


def test_a_file_is_itself_whatever_its_name(tmp_path: Path) -> None:
    fill(tmp_path, "scan")
    assert pictures.find(tmp_path / "scan") == [tmp_path / "scan"]
    assert pictures.name_below(tmp_path / "scan", tmp_path / "scan") == "scan"


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    fill(tmp_path, "notes.txt")
    with pytest.raises(ValueError, match=r"no files that end in \.png, \.jpg, \.jpeg"):
        pictures.find(tmp_path)


def test_a_place_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        pictures.find(tmp_path / "none")


def test_names_that_cannot_be_shown_are_made_so(tmp_path: Path) -> None:
    odd = tmp_path / "a\udcff\n" / "b\x1b.png"
    fill(tmp_path, "a\udcff\n/b\x1b.png")
    assert pictures.find(tmp_path) == [odd]
    assert pictures.name_below(tmp_path, odd) == "a\ufffd\ufffd/b\ufffd.png"


def test_folders_that_are_links_are_not_followed(tmp_path: Path) -> None:
    fill(tmp_path, "a.png")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert pictures.find(tmp_path) == [tmp_path / "a.png"]
