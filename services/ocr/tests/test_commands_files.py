import io
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from ocr.commands.files import Files, Outcome
from ocr.commands.request import Request
from ocr.commands.sources import Source
from ocr.settings import Settings
from PIL import Image, ImageDraw, ImageFont


def picture(*lines: str) -> Image.Image:
    page = Image.new("RGB", (360, 30 + 50 * len(lines)), "white")
    font = ImageFont.load_default(32)
    for at, line in enumerate(lines):
        ImageDraw.Draw(page).text((30, 20 + 50 * at), line, fill="black", font=font)
    return page


def encoded(kind: str, *pages: str) -> bytes:
    first, *others = (picture(page) for page in pages)
    file = io.BytesIO()
    first.save(file, kind, **({"save_all": True, "append_images": others} if others else {}))
    return file.getvalue()


@pytest.fixture
def files() -> Iterator[Files]:
    with Files(Request(Settings(max_file_size=1_000_000), workers=2)) as files:
        yield files


def source(folder: Path, name: str, data: bytes) -> Source:
    path = folder / name
    path.write_bytes(data)
    return Source(path, PurePath(name), name)


def quiet(_outcome: Outcome, _share: float) -> None:
    pass


def texts(outcome: Outcome) -> list[list[str]]:
    return [[line.text for line in result.page.lines] for result in outcome.pages]


def test_files_come_in_their_order_and_their_pages_too(files: Files, tmp_path: Path) -> None:
    waiting = [
        source(tmp_path, "a.pdf", encoded("PDF", "Scan one", "Scan two", "Scan three")),
        source(tmp_path, "b.png", encoded("PNG", "Valve 17")),
        source(tmp_path, "c.tiff", encoded("TIFF", "First page", "Second page")),
    ]
    scan, image, tiff = files.read(iter(waiting), quiet)
    assert [scan.source, image.source, tiff.source] == waiting
    assert texts(scan) == [["Scan one"], ["Scan two"], ["Scan three"]]
    assert texts(image) == [["Valve 17"]]
    assert texts(tiff) == [["First page"], ["Second page"]]
    assert [result.number for result in scan.pages] == [1, 2, 3]
    assert (scan.is_pdf, image.is_pdf) == (True, False)
    assert scan.pages[0].dpi == 200


def test_what_a_file_is_shows_in_its_bytes(files: Files, tmp_path: Path) -> None:
    (outcome,) = files.read(iter([source(tmp_path, "scan.png", encoded("PDF", "Scan one"))]), quiet)
    assert (outcome.is_pdf, texts(outcome)) == (True, [["Scan one"]])


def test_a_bad_file_is_told_and_the_next_is_read(files: Files, tmp_path: Path) -> None:
    waiting = [
        source(tmp_path, "text.png", b"no picture"),
        source(tmp_path, "torn.pdf", b"%PDF-1.7\n"),
        Source(tmp_path / "gone.png", PurePath("gone.png"), "gone.png"),
        source(tmp_path, "large.png", bytes(1_000_001)),
        source(tmp_path, "good.png", encoded("PNG", "Valve 17")),
    ]
    text, torn, gone, large, good = files.read(iter(waiting), quiet)
    assert "it is text" in str(text.error)
    assert torn.error
    assert gone.error == "No such file or directory"
    assert large.error == "it has 1,000,001 bytes, the limit is 1,000,000"
    assert (good.error, texts(good)) == (None, [["Valve 17"]])


def test_only_the_pages_asked_for_are_read_and_the_share_is_of_them(tmp_path: Path) -> None:
    scan = source(tmp_path, "a.pdf", encoded("PDF", "Scan one", "Scan two", "Scan three"))
    shares: list[float] = []
    with Files(Request(Settings(), pages="2-", workers=1)) as files:
        (outcome,) = files.read(iter([scan]), lambda _, share: shares.append(share))
    assert [result.number for result in outcome.pages] == [2, 3]
    assert shares == [0.5, 1.0]


def test_a_range_beyond_the_document_is_told(tmp_path: Path) -> None:
    scan = source(tmp_path, "a.pdf", encoded("PDF", "Scan one"))
    with Files(Request(Settings(), pages="7")) as files:
        (outcome,) = files.read(iter([scan]), quiet)
    assert "is not within the document's pages 1-1" in str(outcome.error)
    assert outcome.pages == []
