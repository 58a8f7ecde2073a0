import asyncio
import csv
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cars import choice
from cars.commands import cli
from painted import BLUE, GREY, RED, Painted, picture


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARS_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CARS_STORAGE_URL", str(tmp_path / "pictures"))
    monkeypatch.setattr(choice, "backend", lambda _settings, _pool: Painted())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "cars"
    (place / "sub").mkdir(parents=True)
    (place / "a.png").write_bytes(picture(RED))
    (place / "b.PNG").write_bytes(picture(BLUE))
    (place / "sub" / "c.jpg").write_bytes(picture(GREY, kind="JPEG"))
    (place / "notes.txt").write_text("no picture")
    return place


def test_each_picture_is_a_line_in_the_order_of_the_names(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["recognize", str(folder)]) == 0
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        f"{folder}/a.png: Ferrari FF Coupe 2012 (90%)",
        f"{folder}/b.PNG: Tesla Model S Sedan 2012 (80%)",
        f"{folder}/sub/c.jpg: no car is seen",
    ]
    assert captured.err == ""


def test_json_is_what_the_service_answers_and_the_path(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder / "a.png"
    assert cli.main(["recognize", "--json", str(path)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["file"], told["filename"], told["recognized"]) == (str(path), "a.png", True)
    assert told["car"]["make"] == {"value": "Ferrari", "confidence": 0.95}
    assert told["region"] == {"x": 0, "y": 0, "width": 64, "height": 48}


def test_csv_has_a_row_for_the_failure_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bad = folder / "=bad.png"
    bad.write_bytes(b"no picture")
    assert cli.main(["recognize", "--csv", str(bad), str(folder / "b.PNG")]) == 1
    captured = capsys.readouterr()
    first, second = csv.DictReader(io.StringIO(captured.out))
    assert first["error"]
    assert captured.err == f"cars: {bad}: {first['error']}\n"
    assert (second["make"], second["year"], second["recognized"]) == ("Tesla", "2012", "true")


def test_a_part_of_the_picture_is_read_and_one_outside_of_it_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(folder / "a.png")
    assert cli.main(["recognize", "--json", "--bbox", "8,8,20,20", path]) == 0
    assert json.loads(capsys.readouterr().out)["region"] == {"x": 8, "y": 8, "width": 20, "height": 20}
    assert cli.main(["recognize", "--bbox", "600,8,20,20", path]) == 1
    assert "bbox" in capsys.readouterr().err


def test_an_import_stores_and_again_it_finds_everything_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["import", str(folder)]) == 0
    assert capsys.readouterr().err == "3 stored, 0 were there; 0 refused\n"
    assert cli.main(["import", str(folder), "--concurrency", "1"]) == 0
    assert capsys.readouterr().err == "0 stored, 3 were there; 0 refused\n"


def test_an_import_tells_of_what_is_refused_and_stores_the_others(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "bad.png").write_bytes(b"no picture")
    assert cli.main(["import", str(folder)]) == 1
    complaint, summary = capsys.readouterr().err.splitlines()
    assert complaint.startswith("cars: bad.png: ")
    assert summary == "3 stored, 0 were there; 1 refused"


def exported(arguments: list[str], capfdbinary: pytest.CaptureFixture[bytes]) -> bytes:
    capfdbinary.readouterr()
    assert cli.main(["export", "--output", "-", *arguments]) == 0
    return capfdbinary.readouterr().out


def test_what_was_imported_and_recognised_is_exported(
    folder: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert cli.main(["import", str(folder), "--recognize"]) == 0
    rows = list(csv.DictReader(io.StringIO(exported([], capfdbinary).decode())))
    assert sorted((row["status"], row["make"]) for row in rows) == [
        ("recognized", "Ferrari"),
        ("recognized", "Tesla"),
        ("unrecognized", ""),
    ]
    assert exported(["--make", "Tesla"], capfdbinary).count(b"\r\n") == 2
    book = tmp_path / "cars.xlsx"
    assert cli.main(["export", "--format", "xlsx", "--output", str(book)]) == 0
    assert zipfile.is_zipfile(book)
    page = exported(["--format", "report"], capfdbinary)
    assert page.startswith(b"<!doctype html>")
    assert page.count(b"data:image/jpeg;base64,") == 3


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("cars: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_whatever_cannot_begin_is_one_line_and_status_1(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    there = tmp_path / "there.csv"
    there.touch()
    place = str(folder)
    assert "no files that end in" in refused(["recognize", str(empty)], capsys)
    assert "No such file" in refused(["import", str(empty / "none")], capsys)
    assert "are for --url" in refused(["import", place, "--api-key", "k"], capsys)
    assert "--url is 'ftp://x'" in refused(["import", place, "--url", "ftp://x"], capsys)
    assert "is there already" in refused(["export", "--output", str(there)], capsys)
    assert "a report is of all files" in refused(
        ["export", "--format", "report", "--make", "Audi", "--output", "-"], capsys
    )
    monkeypatch.setenv("CARS_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    assert "there is no archive at" in refused(["export", "--output", "-"], capsys)
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["recognize"],
        ["recognize", "x", "--bbox", "1,2,3"],
        ["recognize", "x", "--json", "--csv"],
        ["import", "x", "--concurrency", "0"],
        ["export", "--format", "docx", "--output", "-"],
        ["export"],
        ["fly"],
    ],
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize("command", ["recognize", "import", "export"])
def test_the_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main([command, "--help"])
    assert ended.value.code == 0
    assert f"python -m cars {command} " in capsys.readouterr().out


def test_making_the_parsers_imports_nothing_large() -> None:
    code = "import sys, cars.commands.cli; sys.exit(any(name in sys.modules for name in ('numpy', 'PIL', 'pydantic')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_import_that_is_cut_off_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from cars.keeper import Keeper

    whole = Keeper.keep
    kept = 0

    async def cut(self: Keeper, upload: object) -> object:
        nonlocal kept
        if kept == 2:
            raise asyncio.CancelledError
        kept += 1
        return await whole(self, upload)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Keeper, "keep", cut)
        with pytest.raises(asyncio.CancelledError):
            cli.main(["import", str(folder), "--concurrency", "1"])
    assert cli.main(["import", str(folder)]) == 0
    assert capsys.readouterr().err == "1 stored, 2 were there; 0 refused\n"
