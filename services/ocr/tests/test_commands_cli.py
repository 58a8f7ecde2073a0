import subprocess
import sys
from pathlib import Path

import pytest
from ocr.commands import cli
from PIL import Image, ImageDraw, ImageFont


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    page = Image.new("RGB", (360, 80), "white")
    ImageDraw.Draw(page).text((30, 20), "Valve 17", fill="black", font=ImageFont.load_default(32))
    path = tmp_path / "a.png"
    page.save(path)
    return path


def test_the_text_of_one_file_is_all_that_standard_output_gets(
    picture: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["read", str(picture)]) == 0
    assert capfdbinary.readouterr().out == b"Valve 17\n"


def test_standard_input_is_read(
    picture: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    with picture.open() as file:
        monkeypatch.setattr("sys.stdin", file)
        assert cli.main(["read", "-", "--no-cls"]) == 0
    assert capfdbinary.readouterr().out == b"Valve 17\n"


def test_a_bad_file_is_one_line_and_status_1_and_the_others_are_read(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, out = tmp_path / "bad.png", tmp_path / "out"
    bad.write_bytes(b"no picture")
    assert cli.main(["read", str(bad), str(picture), "--output", str(out)]) == 1
    complaint, summary = [line for line in capsys.readouterr().err.splitlines() if "% " not in line]  # progress
    assert complaint.startswith(f"ocr: {bad}: ")
    assert summary == "1 files read, 1 pages; 1 could not be read"
    assert (out / "a.txt").read_text() == "Valve 17\n"


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["read", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for option in ("--format", "--output", "--password-file", "--no-cls", "python -m ocr read letter.jpg"):
        assert option in shown


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["read"],
        ["read", "x", "--format", "docx"],
        ["read", "x", "--mode", "fast"],
        ["read", "x", "--dpi", "71"],
        ["read", "x", "--workers", "0"],
        ["read", "x", "--text-score", "1.5"],
        ["read", "x", "--box-thresh", "nan"],
        ["read", "x", "--unclip-ratio", "0.5"],
        ["fly"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ocr: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_whatever_cannot_begin_is_one_line_and_status_1(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    one = str(picture)
    assert "no files that end in" in refused(["read", str(empty)], capsys)
    assert "name a folder for their texts" in refused(["read", one, one], capsys)
    assert "No such file" in refused(["read", one, "--password-file", str(empty / "none")], capsys)
    assert "would all be written to" in refused(["read", one, one, "--output", str(empty)], capsys)
    assert "Not a directory" in refused(["read", one, "--output", f"{one}/out"], capsys)


def test_making_the_parsers_imports_nothing_large() -> None:
    code = "import sys, ocr.commands.cli; sys.exit(any(name in sys.modules for name in ('numpy', 'PIL', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
