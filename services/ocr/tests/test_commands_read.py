import io
import json
from pathlib import Path

import pytest
from ocr.commands import read
from ocr.commands.read import Summary
from ocr.commands.request import Request
from ocr.commands.targets import Writing
from ocr.settings import Settings
from PIL import Image, ImageDraw, ImageFont


def drawn(line: str, kind: str = "PNG") -> bytes:
    page = Image.new("RGB", (360, 80), "white")
    ImageDraw.Draw(page).text((30, 20), line, fill="black", font=ImageFont.load_default(32))
    file = io.BytesIO()
    page.save(file, kind)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "scans"
    (place / "sub").mkdir(parents=True)
    (place / "a.png").write_bytes(drawn("Valve 17"))
    (place / "bad.png").write_bytes(b"no picture")
    (place / "sub" / "c.pdf").write_bytes(drawn("Scan one", "PDF"))
    return place


def run(folder: Path, wanted: Writing) -> tuple[Summary, list[str], list[float]]:
    complaints: list[str] = []
    shares: list[float] = []
    request = Request(Settings(), workers=2)
    summary = read.run([str(folder)], request, wanted, lambda share, _: shares.append(share), complaints.append)
    return summary, complaints, shares


def test_each_file_has_its_text_and_the_bad_one_is_told(folder: Path, tmp_path: Path) -> None:
    summary, complaints, shares = run(folder, Writing(tmp_path / "out", "text"))
    assert (tmp_path / "out" / "a.txt").read_text() == "Valve 17\n"
    assert (tmp_path / "out" / "sub" / "c.txt").read_text() == "Scan one\n"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.txt", "sub"]
    assert str(summary) == "2 files read, 2 pages; 1 could not be read"
    assert len(complaints) == 1
    assert complaints[0].startswith(f"{folder / 'bad.png'}: ")
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_what_is_there_is_left_as_it_is_unless_forced(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "out" / "a.txt"
    old.parent.mkdir()
    old.write_text("old")
    summary, complaints, _ = run(folder, Writing(tmp_path / "out", "text"))
    assert (summary.read, summary.failed, old.read_text()) == (1, 2, "old")
    assert f"{folder / 'a.png'}: {old} is there already: --force overwrites it" in complaints
    run(folder, Writing(tmp_path / "out", "text", force=True))
    assert old.read_text() == "Valve 17\n"


def test_lines_of_several_files_go_to_standard_output(folder: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    run(folder, Writing(None, "ndjson", words=True))
    image, scan = (json.loads(line) for line in capfdbinary.readouterr().out.splitlines())
    assert (image["file"], image["page"], image["source"]) == (str(folder / "a.png"), 1, "ocr")
    assert [word["text"] for word in image["result"][0]["words"]] == ["Valve", "17"]
    assert (scan["file"], scan["index"]) == (str(folder / "sub" / "c.pdf"), 0)
    assert scan["image_size"]["width"] > 360  # drawn at 200 dpi


@pytest.mark.parametrize(
    ("form", "name", "part"),
    [
        ("markdown", "a.md", b"Valve 17"),
        ("json", "a.json", b'{"success":true,"results":[{"text":"Valve 17",'),
        ("hocr", "a.hocr", b"ocrx_word"),
        ("alto", "a.xml", b'CONTENT="Valve"'),
        ("pdf", "a.pdf", b"%PDF-"),
    ],
)
def test_every_form_is_written(folder: Path, tmp_path: Path, form: str, name: str, part: bytes) -> None:
    (folder / "bad.png").unlink()
    summary, complaints, _ = run(folder, Writing(tmp_path / "out", form))
    assert (summary.read, complaints) == (2, [])
    assert part in (tmp_path / "out" / name).read_bytes()
    assert (tmp_path / "out" / "sub" / f"c{Path(name).suffix}").stat().st_size > 0


def test_a_model_that_is_missing_is_told(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "models.yaml"
    config.write_text("det: gone.onnx\n")
    request = Request(Settings(model_config_path=config))
    with pytest.raises(ValueError, match=r"det is 'gone\.onnx', but there is no file"):
        read.run([str(folder)], request, Writing(None, "ndjson"), lambda *_: None, lambda _: None)
