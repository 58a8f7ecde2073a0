from pathlib import Path, PurePath

import pytest
from ocr.commands.sources import Source
from ocr.commands.targets import Target, Writing, obstacle, targets


def source(below: str, folder: str = "") -> Source:
    return Source(Path("in", folder, below), PurePath(below), below, folder)


def names(form: str, *sources: Source) -> list[str]:
    return [str(target.path) for target in targets(sources, Writing(Path("out"), form))]


def test_a_text_has_the_name_of_its_file_with_another_ending() -> None:
    assert names("text", source("a.png"), source("sub/b.tar.pdf")) == ["out/a.txt", "out/sub/b.tar.txt"]
    assert names("pdf", source("a.pdf"), source("b.jpg")) == ["out/a.pdf", "out/b.pdf"]


def test_two_of_one_stem_keep_their_endings_and_only_those() -> None:
    three = source("a.png"), source("A.jpg"), source("b.png")
    assert names("json", *three) == ["out/a.png.json", "out/A.jpg.json", "out/b.json"]


def test_two_of_one_name_are_told_apart_by_their_folders() -> None:
    two = source("a.png", "monday"), source("a.png", "tuesday")
    assert names("text", *two) == ["out/monday/a.png.txt", "out/tuesday/a.png.txt"]


def test_files_that_cannot_be_told_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 files would all be written to .*a"):
        names("text", source("a.png"), source("a.png"))


def test_one_file_goes_to_standard_output_and_several_only_as_lines() -> None:
    one, other = source("a.png"), source("b.png")
    assert targets([one], Writing(None, "hocr")) == [Target(one, None)]
    assert len(targets([one, other], Writing(None, "ndjson"))) == 2
    with pytest.raises(ValueError, match="2 files: name a folder for their texts with --output"):
        targets([one, other], Writing(None, "text"))


def test_a_pdf_is_not_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(ValueError, match="a PDF cannot be shown on a terminal"):
        targets([source("a.png")], Writing(None, "pdf"))


def test_what_is_there_is_in_the_way_unless_forced(tmp_path: Path) -> None:
    target = Target(source("a.png"), tmp_path / "a.txt")
    assert obstacle(target, force=False) is None
    (tmp_path / "a.txt").write_text("old")
    assert "--force" in str(obstacle(target, force=False))
    assert obstacle(target, force=True) is None


def test_a_file_never_overwrites_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(b"%PDF-")
    target = Target(Source(path, PurePath("a.pdf"), "a.pdf"), path)
    assert "would overwrite it" in str(obstacle(target, force=True))
