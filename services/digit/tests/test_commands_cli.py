import json
import subprocess
import sys
from pathlib import Path

import pytest
from digit.commands import cli
from PIL import Image, ImageDraw


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scans"
    place.mkdir()
    picture = Image.new("L", (60, 60), "white")
    ImageDraw.Draw(picture).line((30, 10, 30, 50), fill="black", width=5)
    picture.save(place / "img_0_label_1.png")
    return place


def test_predict_writes_rows_to_standard_output_and_the_summary_beside_it(
    folder: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["predict", str(folder)]) == 0
    captured = capfdbinary.readouterr()
    header, row = captured.out.decode().splitlines()
    assert header == "name,prediction,confidence,is_digit,model,error"
    assert row.startswith("img_0_label_1.png,1,")
    assert b"1 of 1 labelled pictures right (100.00%)" in captured.err


def test_predict_is_status_1_where_a_picture_could_not_be_read(folder: Path, tmp_path: Path) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    output = tmp_path / "result.ndjson"
    options = ["--model", "cnn", "--format", "ndjson", "--detail", "--workers", "1", "--output", str(output)]
    assert cli.main(["predict", str(folder), *options]) == 1
    bad, good, last = [json.loads(line) for line in output.read_text().splitlines()]
    assert set(bad) == {"name", "error"}
    assert (good["prediction"], good["model"], len(good["probabilities"])) == (1, "cnn", 10)
    assert last == {"done": True, "total": 2, "failed": 1}


def test_augment_and_predict_together_measure_an_accuracy(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["augment", str(folder), "--output", str(tmp_path / "many"), "--copies", "20"]) == 0
    assert capsys.readouterr().out == f"20 copies in {tmp_path / 'many'}\n"
    assert cli.main(["predict", str(tmp_path / "many"), "--output", str(tmp_path / "result.csv")]) == 0
    assert "20 labelled pictures right" in capsys.readouterr().err


def test_augment_is_status_1_where_one_is_no_picture(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    assert cli.main(["augment", str(folder), "--output", str(tmp_path / "many"), "--copies", "2"]) == 1
    captured = capsys.readouterr()
    assert captured.out.startswith("2 copies")
    assert captured.err.startswith("digit: bad.png: ")


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("predict", "load", "augment"):
        with pytest.raises(SystemExit) as ended:
            cli.main([command, "--help"])
        assert ended.value.code == 0
        assert f"python -m digit {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["predict"],
        ["predict", "x", "--format", "xml"],
        ["predict", "x", "--workers", "0"],
        ["load", "x", "--concurrency", "0"],
        ["load", "x", "--duration", "0"],
        ["load", "x", "--duration", "nan"],
        ["load", "x", "--duration", "1", "--requests", "1"],
        ["augment", "x"],
        ["augment", "x", "--output", "y", "--copies", "many"],
        ["fly"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("digit: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_whatever_is_wrong_is_one_line_and_status_1(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    none, place = str(tmp_path / "none"), str(folder)
    assert "No such file" in refused(["predict", none], capsys)
    assert "No such file" in refused(["predict", place, "--output", f"{none}/result.csv"], capsys)
    assert "--model is 'x'" in refused(["predict", place, "--model", "x"], capsys)
    assert "weights.json cannot be read" in refused(["predict", place, "--weights", none], capsys)
    assert "No such file" in refused(["load", none], capsys)
    assert "--url is 'nowhere'" in refused(["load", place, "--url", "nowhere"], capsys)
    assert "Connection refused" in refused(["load", place, "--url", "http://127.0.0.1:1"], capsys)
    assert "No such file" in refused(["load", place, "--api-key", f"@{none}"], capsys)
    assert "No such file" in refused(["augment", none, "--output", f"{none}2"], capsys)
    assert "new or empty" in refused(["augment", place, "--output", __file__], capsys)


def test_making_the_parsers_imports_nothing_large() -> None:
    code = "import sys, digit.commands.cli; sys.exit(any(name in sys.modules for name in ('numpy', 'PIL', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
