"""Pictures of pages, over real sockets: what lies under the boxes of an answer."""

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import numpy as np
import pdfs
import pytest
from PIL import Image, ImageDraw, ImageFont
from starlette.testclient import TestClient

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[TestClient]]
DPI = 110  # where nothing says else
DARK = 128


def render(server: Any, content: bytes, headers: Any = None, **fields: str) -> Any:
    return httpx2.post(f"{server.url}/render", files={"file": content}, data=fields, headers=headers, timeout=120)


def shown(answer: Any, kind: str = "JPEG") -> Image.Image:
    """Returns the picture of an answer that is one."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"image/{kind.lower()}"
    assert answer.headers["cache-control"] == "no-store"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.format == kind
    return picture.convert("L")


def boxes(server: Any, content: bytes, **fields: str) -> tuple[int, list[tuple[float, ...]]]:
    """Returns the width of the first page as it is read, and its lines' left, top, right and bottom."""
    answer = httpx2.post(f"{server.url}/upload_pdf", files={"file": content}, data=fields, timeout=120).json()
    page = answer["results"][0]
    corners = [np.array(item["bbox"]) for item in page["result"]]
    return page["image_size"]["width"], [(*each.min(axis=0), *each.max(axis=0)) for each in corners]


def assert_ink_in_boxes(picture: Image.Image, width: int, found: list[tuple[float, ...]]) -> None:
    """Asserts that each box has dark pixels, and that there are none outside of them."""
    scale = picture.width / width
    outside = np.array(picture) < DARK
    assert found
    for left, top, right, bottom in found:
        columns = slice(int(left * scale) - 3, int(right * scale) + 4)
        rows = slice(int(top * scale) - 3, int(bottom * scale) + 4)
        assert outside[rows, columns].sum() > 50
        outside[rows, columns] = False
    assert not outside.any()


def drawn(*texts: str, **options: Any) -> bytes:
    """Returns a TIFF with a frame for each text."""
    frames = []
    for number, text in enumerate(texts):
        frame = Image.new("1", (400 + 100 * number, 120), 1)
        ImageDraw.Draw(frame).text((30, 30), text, fill=0, font=ImageFont.load_default(40))
        frames.append(frame)
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:], **options)
    return file.getvalue()


@pytest.mark.parametrize("make", [pdfs.digital, pdfs.scanned], ids=["digital", "scanned"])
def test_the_boxes_of_an_answer_lie_over_the_text(server: Any, make: Callable[[], bytes]) -> None:
    picture = shown(render(server, make()))
    assert picture.size == tuple(round(side * DPI / 72) for side in pdfs.A4)
    assert_ink_in_boxes(picture, *boxes(server, make()))


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_upright(server: Any, turn: int) -> None:
    data = pdfs.digital(page=b"/Rotate %d" % turn)
    picture = shown(render(server, data))
    assert (picture.width > picture.height) == (turn != 180)
    assert_ink_in_boxes(picture, *boxes(server, data))


def test_the_page_and_its_resolution_can_be_chosen(server: Any) -> None:
    data = pdfs.mixed()
    first, second = (np.array(shown(render(server, data, page=page, dpi="72"))) for page in ("1", "2"))
    assert first.shape == second.shape == (842, 595)
    assert not np.array_equal(first, second)


def test_accept_gives_png(server: Any) -> None:
    data = pdfs.digital()
    assert shown(render(server, data, {"Accept": "image/png"}), "PNG").size == shown(render(server, data)).size
    for header in ("*/*", "image/*", "image/jpeg, image/png;q=0.5", "application/json"):
        assert shown(render(server, data, {"Accept": header}))


def test_an_encrypted_document_needs_its_password(server: Any, refusal: Refusal) -> None:
    data = pdfs.encrypted("secret")
    for fields in ({}, {"password": "wrong"}):
        assert refusal(render(server, data, **fields))[:2] == (422, "pdf-encrypted")
    plain, opened = render(server, pdfs.digital()), render(server, data, password="secret")
    assert opened.content == plain.content


@pytest.mark.parametrize("number", ["0", "-1", "3", "999999999"])
@pytest.mark.parametrize("make", [lambda: pdfs.digital(pages=2), lambda: drawn("a", "b")], ids=["PDF", "TIFF"])
def test_a_page_that_there_is_not_is_refused(
    server: Any, refusal: Refusal, make: Callable[[], bytes], number: str
) -> None:
    status, slug, detail = refusal(render(server, make(), page=number))
    assert (status, slug) == (422, "pages-invalid")
    assert re.search(rf"page {number} .* 1-2$", detail)


@pytest.mark.parametrize(
    ("field", "value"),
    [("page", "one"), ("page", "1.5"), ("page", ""), ("page", "9" * 30), ("dpi", "71"), ("dpi", "201"), ("dpi", "nan"),
     ("dpi", "100.5"), ("mode", "ocr")],
)  # fmt: skip
def test_a_bad_field_is_refused_by_name(server: Any, refusal: Refusal, field: str, value: str) -> None:
    status, slug, detail = refusal(render(server, pdfs.digital(), **{field: value}))
    assert (status, slug) == (422, "invalid-input")
    assert field in detail


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (lambda: b"", "not-an-image"),
        (lambda: b"PK\3\4word/document.xml", "not-an-image"),
        (lambda: b"\x89PNG\r\n\x1a\n" + bytes(200), "not-an-image"),
        (pdfs.truncated, "pdf-invalid"),
        (pdfs.without_pages, "pdf-invalid"),
        (pdfs.looped_tree, "pdf-invalid"),
        (lambda: pdfs.inflating(1_073_741_824), "pdf-too-large"),
    ],
    ids=["empty", "a DOCX", "a broken PNG", "cut", "no pages", "loop", "inflating"],
)
def test_a_bad_file_costs_its_own_call_and_no_other(
    server: Any, refusal: Refusal, make: Callable[[], bytes], slug: str
) -> None:
    assert refusal(render(server, make()))[:2] == (422, slug)
    assert shown(render(server, pdfs.digital()))


def test_a_page_that_takes_too_long_is_refused(run_service: Run, refusal: Refusal) -> None:
    with run_service(pdf_page_s=1.0) as client:
        answer = client.post("/render", files={"file": pdfs.many_paths(1_000_000)})
        assert refusal(answer)[:2] == (422, "pdf-too-slow")
        assert 'ocr_refused_total{reason="pdf-too-slow"} 1.0' in client.get("/metrics").text


def test_a_large_page_is_drawn_within_the_limits(run_service: Run) -> None:
    with run_service(max_image_width=500, max_image_height=500) as client:
        answer = client.post("/render", files={"file": pdfs.digital(size=(14_400, 7_200))}, data={"dpi": "200"})
        assert Image.open(io.BytesIO(answer.content)).size == (500, 250)


def test_each_frame_of_a_tiff_is_shown(server: Any) -> None:
    data = drawn("First", "Second", compression="group4")
    first, second = (shown(render(server, data, page=page)) for page in ("1", "2"))
    assert (first.size, second.size) == ((400, 120), (500, 120))
    assert all((np.array(frame) < DARK).any() for frame in (first, second))


def test_a_photo_is_upright_by_its_exif(server: Any) -> None:
    exif, file = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.new("RGB", (60, 40), "white").save(file, "JPEG", exif=exif)
    assert shown(render(server, file.getvalue())).size == (40, 60)


@pytest.mark.parametrize("field", ["dpi", "password"])
def test_what_only_documents_have_is_refused_of_an_image(server: Any, refusal: Refusal, field: str) -> None:
    status, slug, detail = refusal(render(server, drawn("a"), **{field: "100"}))
    assert (status, slug) == (422, "invalid-input")
    assert field in detail


def test_pages_that_are_drawn_are_timed_and_give_their_memory_back(run_service: Run) -> None:
    with run_service() as client:
        client.post("/render", files={"file": pdfs.digital()})
        client.post("/render", files={"file": pdfs.digital()}, data={"page": "2"})
        client.post("/render", files={"file": drawn("a")})
        metrics = client.get("/metrics").text
        reader = client.app.state.services.reader  # type: ignore[attr-defined] # our own application
        assert (reader.depth, reader.turns.free) == (0, reader.threads)
        assert all(budget.left_bytes == budget.total_bytes for budget in (reader.budget, reader.rendered))
    assert 'ocr_stage_seconds_count{stage="render"} 1.0' in metrics
    assert 'ocr_stage_seconds_count{stage="decode"} 1.0' in metrics
    assert 'ocr_refused_total{reason="pages-invalid"} 1.0' in metrics
