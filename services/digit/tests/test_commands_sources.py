import zipfile
from pathlib import Path

import pytest
from digit.commands import sources
from digit.commands.sources import Item

LIMIT = 1000


def pack(path: Path, **entries: bytes) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in entries.items():
            file.writestr(name.replace("__", "/").replace("_png", ".png").replace("_txt", ".txt"), data)


def test_yields_files_by_path_and_entries_of_archives_with_their_bytes(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"b")
    (tmp_path / "sub").mkdir()
    pack(tmp_path / "sub" / "a.zip", c_png=b"c", deep__d_png=b"d", notes_txt=b"")
    found = list(sources.items(tmp_path, LIMIT))
    assert [(item.name, item.path, item.data) for item in found] == [
        ("b.png", tmp_path / "b.png", b""),
        ("sub/a.zip/c.png", None, b"c"),
        ("sub/a.zip/deep/d.png", None, b"d"),
    ]
    shares = [item.share for item in found]
    assert shares == sorted(shares)
    assert shares[0] == 0
    assert 0.5 <= shares[-1] <= 1


def test_an_archive_alone_needs_no_prefix(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", c_png=b"c")
    assert [item.name for item in sources.items(tmp_path / "a.zip", LIMIT)] == ["c.png"]


def test_an_archive_that_cannot_be_read_is_an_item_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"no")
    pack(tmp_path / "b.zip", c_png=b"c")
    first, second = sources.items(tmp_path, LIMIT)
    assert (first.name, first.error) == ("a.zip", "it is no ZIP archive")
    assert second.data == b"c"


def test_an_entry_that_cannot_be_read_is_an_item_with_an_error(tmp_path: Path) -> None:
    pack(tmp_path / "a.zip", large_png=b"x" * (LIMIT + 1), c_png=b"c")
    large, whole = sources.items(tmp_path / "a.zip", LIMIT)
    assert "1001 bytes" in large.error
    assert whole.data == b"c"


def test_an_archive_that_may_not_be_opened_is_an_item_with_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(tmp_path / "a.zip", c_png=b"c")

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    assert [item.error for item in sources.items(tmp_path, LIMIT)] == ["Permission denied"]


def test_chunks_are_bounded_by_number_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHUNK_ITEMS", 3)
    monkeypatch.setattr(sources, "CHUNK_BYTES", 10)
    small = [Item(str(i), 0.0) for i in range(4)]
    large = [Item("large", 0.0, data=b"x" * 10), Item("last", 0.0)]
    names = [[item.name for item in chunk] for chunk in sources.chunks(iter([*small, *large]))]
    assert names == [["0", "1", "2"], ["3", "large"], ["last"]]
    assert list(sources.chunks(iter([]))) == []
