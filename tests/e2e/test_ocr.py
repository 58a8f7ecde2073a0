"""ocr: every call of the contract, happy and refused, over HTTP against a base URL."""

import base64
import io
import json
import time
from typing import Any

import hostile
import httpx2
import pytest
from answers import expect, refused
from PIL import Image, ImageDraw, ImageFont

LINES = ("Invoice 2026-1147", "Total amount 38.50")
FIELDS = {"success", "results", "processing_time", "image_size"}


def drawn(*lines: str, kind: str = "PNG", turn: int = 0) -> bytes:
    """Returns a picture of lines of text, turned clockwise by `turn` degrees."""
    file = io.BytesIO()
    picture(*lines, turn=turn).save(file, kind)
    return file.getvalue()


def picture(*lines: str, turn: int = 0) -> Image.Image:
    page = Image.new("RGB", (640, 60 + 60 * len(lines)), "white")
    font = ImageFont.load_default(36)
    for at, line in enumerate(lines):
        ImageDraw.Draw(page).text((40, 30 + 60 * at), line, fill="black", font=font)
    return page.rotate(-turn, expand=True)


def scan(*pages: tuple[str, ...]) -> bytes:
    """Returns a PDF of pictures."""
    first, *others = [picture(*lines) for lines in pages]
    file = io.BytesIO()
    first.save(file, "PDF", save_all=True, append_images=others, resolution=100)
    return file.getvalue()


def encoded(*lines: str) -> str:
    return base64.b64encode(drawn(*lines)).decode()


def texts(answer: dict[str, Any]) -> list[str]:
    return [item["text"] for item in answer["results"]]


def refused_here(answer: httpx2.Response, status: int, slug: str) -> dict[str, Any]:
    problem = refused(answer, status, slug)
    assert problem["success"] is False
    return problem


# --- pictures ---------------------------------------------------------------------------------------------------------

JSON_CALLS: dict[str, dict[str, Any]] = {
    "/ocr/paddleocr": {
        "use_angle_cls": True,
        "lang": "ch",
        "det_db_thresh": 0.3,
        "det_db_box_thresh": 0.5,
        "det_db_unclip_ratio": 1.6,
    },
    "/ocr/easyocr": {"languages": ["ch_sim", "en"], "gpu": True, "text_threshold": 0.7},
    "/ocr/v1/ocr": {"use_det": True, "use_cls": True, "use_rec": True, "text_score": 0.5},
}


@pytest.mark.parametrize("path", JSON_CALLS)
def test_a_picture_in_json_is_read_and_the_answer_is_the_seeds(api: httpx2.Client, path: str) -> None:
    answer = expect(api.post(path, json={"image": encoded(*LINES), **JSON_CALLS[path]}), 200)
    assert set(answer) == FIELDS
    assert answer["success"] is True
    assert texts(answer) == list(LINES)
    assert answer["image_size"] == {"width": 640, "height": 180}
    assert answer["processing_time"] > 0
    for item in answer["results"]:
        assert set(item) == {"text", "confidence", "bbox"}
        assert 0.9 < item["confidence"] <= 1
        (left, top), (right, _), (_, bottom), _ = item["bbox"]
        assert 20 < left < 60
        assert 250 < right < 600
        assert 20 < bottom - top < 60


@pytest.mark.parametrize("path", JSON_CALLS)
def test_the_picture_alone_is_enough_and_may_be_a_data_url(api: httpx2.Client, path: str) -> None:
    answer = expect(api.post(path, json={"image": f"data:image/png;base64,{encoded('Valve 17')}"}), 200)
    assert texts(answer) == ["Valve 17"]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_an_uploaded_picture_of_every_kind_is_read(api: httpx2.Client, kind: str) -> None:
    fields = {"use_det": "true", "use_cls": "true", "use_rec": "true", "text_score": "0.5"}
    answer = expect(api.post("/ocr/upload", files={"file": drawn(*LINES, kind=kind)}, data=fields), 200)
    assert set(answer) == FIELDS
    assert texts(answer) == list(LINES)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_turned_page_is_read_in_its_own_order(api: httpx2.Client, turn: int) -> None:
    lines = ("The pressure was measured", "at each of the four valves", "before and after the shift")
    answer = expect(api.post("/ocr/upload", files={"file": drawn(*lines, turn=turn)}), 200)
    assert texts(answer) == list(lines)


def test_words_have_places_of_their_own(api: httpx2.Client) -> None:
    answer = api.post("/ocr/upload", files={"file": drawn("Total amount 38.50")}, data={"return_word_box": "true"})
    (line,) = expect(answer, 200)["results"]
    assert [word["text"] for word in line["words"]] == ["Total", "amount", "38.50"]
    lefts = [word["bbox"][0][0] for word in line["words"]]
    rights = [word["bbox"][1][0] for word in line["words"]]
    assert lefts == sorted(lefts)
    assert all(right < left for right, left in zip(rights, lefts[1:], strict=False))


def test_each_stage_can_be_left_out(api: httpx2.Client) -> None:
    word = {"file": drawn("Valve 17")}
    places = expect(api.post("/ocr/upload", files={"file": drawn(*LINES)}, data={"use_rec": "false"}), 200)
    assert [item["text"] for item in places["results"]] == ["", ""]
    whole = expect(api.post("/ocr/upload", files=word, data={"use_det": "false"}), 200)
    assert whole["results"][0]["bbox"] == [[0, 0], [640, 0], [640, 120], [0, 120]]
    sure = expect(api.post("/ocr/upload", files=word, data={"text_score": "1"}), 200)
    assert sure["results"] == []


def test_a_tiff_of_several_pages_is_read_page_by_page(api: httpx2.Client) -> None:
    first, second = picture("First page"), picture("Second page")
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=[second])
    answer = expect(api.post("/ocr/upload", files={"file": file.getvalue()}), 200)
    assert [(item["page"], item["text"]) for item in answer["results"]] == [(1, "First page"), (2, "Second page")]


@pytest.mark.parametrize(
    ("form", "media_type", "part"),
    [
        ("text", "text/plain", b"Total amount 38.50"),
        ("markdown", "text/markdown", b"Total amount 38.50"),
        ("hocr", "text/html", b"class='ocrx_word'"),
        ("alto", "application/xml", b'CONTENT="38.50"'),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_the_text_comes_in_every_form(api: httpx2.Client, form: str, media_type: str, part: bytes) -> None:
    for path, file in (("/ocr/upload", drawn(*LINES)), ("/ocr/upload_pdf", scan(LINES))):
        answer = api.post(f"{path}?format={form}", files={"file": file})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(media_type)
        assert part.replace(b"'", b'"') in answer.content.replace(b"'", b'"')


# --- documents --------------------------------------------------------------------------------------------------------


def test_a_scanned_document_is_read_page_by_page(api: httpx2.Client) -> None:
    file = {"file": ("scan.pdf", scan(("First page",), ("Second page",)), "application/pdf")}
    answer = expect(api.post("/ocr/upload_pdf", files=file), 200)
    assert answer["success"] is True
    for number, page in enumerate(answer["results"], 1):
        assert (page["page"], page["index"], page["source"]) == (number, number - 1, "ocr")
        assert {"page", "index", "result", "bbox_image", "processing_time", "image_size"} <= set(page)
        x, y, width, height = page["bbox_image"]
        for corner in page["result"][0]["bbox"]:
            assert x <= corner[0] <= x + width
            assert y <= corner[1] <= y + height
    assert [page["result"][0]["text"] for page in answer["results"]] == ["First page", "Second page"]


def test_a_document_is_streamed_page_by_page(api: httpx2.Client) -> None:
    pages = [(f"Page number {number}",) for number in range(1, 7)]
    headers = {"Accept": "application/x-ndjson"}
    with api.stream("POST", "/ocr/upload_pdf", files={"file": scan(*pages)}, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        lines = [json.loads(line) for line in answer.iter_lines()]
    read = [line["result"][0]["text"] for line in lines if "result" in line]
    assert read == [page for (page,) in pages]


def test_pages_can_be_chosen(api: httpx2.Client) -> None:
    document = {"file": scan(("One",), ("Two",), ("Three",))}
    answer = expect(api.post("/ocr/upload_pdf", files=document, data={"pages": "3,1"}), 200)
    assert {page["page"] for page in answer["results"]} == {1, 3}
    refused_here(api.post("/ocr/upload_pdf", files=document, data={"pages": "4"}), 422, "pages-invalid")


def test_a_page_is_drawn_as_it_is_read(api: httpx2.Client) -> None:
    answer = api.post("/ocr/render", files={"file": scan(("One",), ("Two",))}, data={"page": "2", "dpi": "100"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (640, 120)
    refused_here(api.post("/ocr/render", files={"file": scan(("One",))}, data={"page": "2"}), 422, "pages-invalid")


def test_a_job_reads_a_document_and_is_deleted(api: httpx2.Client) -> None:
    answer = api.post("/ocr/jobs", files={"file": ("scan.pdf", scan(("First page",), ("Second page",)))})
    job = expect(answer, 202)
    place = answer.headers["location"]
    assert place.endswith(job["id"])
    deadline = time.monotonic() + 60
    while job["status"] in ("queued", "running"):
        assert time.monotonic() < deadline
        assert 0 <= job["progress"] <= 1
        time.sleep(0.1)
        job = expect(api.get(place), 200)
    assert (job["status"], job["progress"], job["pages_done"], job["pages_total"]) == ("succeeded", 1, 2, 2)
    assert job["id"] in [item["id"] for item in expect(api.get("/ocr/jobs"), 200)["items"]]
    result = expect(api.get(f"{place}/result"), 200)
    assert [page["result"][0]["text"] for page in result["results"]] == ["First page", "Second page"]
    assert api.get(f"{place}/result?format=pdf").content.startswith(b"%PDF-")
    assert api.delete(place).status_code == 204
    refused_here(api.get(place), 404, "unknown-job")


# --- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", JSON_CALLS)
@pytest.mark.parametrize(
    ("image", "status", "slug"),
    [
        ("no base64!", 422, "not-base64"),
        (base64.b64encode(b"only a text").decode(), 422, "not-an-image"),
        ("https://example.com/seven.png", 422, "not-base64"),
        ("", 422, "not-an-image"),
        (7, 422, "invalid-input"),
        (None, 422, "invalid-input"),
    ],
    ids=["no base64", "base64 of text", "a URL", "empty", "a number", "null"],
)
def test_an_image_that_is_none_is_refused(api: httpx2.Client, path: str, image: Any, status: int, slug: str) -> None:
    refused_here(api.post(path, json={"image": image}), status, slug)


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/ocr/paddleocr", "lang", "klingon"),
        ("/ocr/paddleocr", "det_db_thresh", 1.5),
        ("/ocr/paddleocr", "det_db_unclip_ratio", -1),
        ("/ocr/paddleocr", "det_db_box_thresh", "0.5"),
        ("/ocr/paddleocr", "use_gpu", True),
        ("/ocr/easyocr", "languages", ["en", "tlh"]),
        ("/ocr/easyocr", "languages", []),
        ("/ocr/easyocr", "text_threshold", 2),
        ("/ocr/v1/ocr", "text_score", -0.1),
        ("/ocr/v1/ocr", "use_det", "yes"),
    ],
)
def test_a_bad_member_is_refused_by_name(api: httpx2.Client, path: str, field: str, value: Any) -> None:
    slug = "unknown-language" if value in ("klingon", ["en", "tlh"]) else "invalid-input"
    answer = api.post(path, json={"image": encoded("Valve"), field: value})
    assert field in refused_here(answer, 422, slug)["detail"]


@pytest.mark.parametrize("value", ["NaN", "inf", "2", "-1", "half", ""])
def test_a_bad_field_is_refused_by_name(api: httpx2.Client, value: str) -> None:
    answer = api.post("/ocr/upload", files={"file": drawn("Valve")}, data={"text_score": value})
    assert "text_score" in refused_here(answer, 422, "invalid-input")["detail"]


@pytest.mark.parametrize(
    ("path", "file", "slug"),
    [
        ("/ocr/upload", b"", "not-an-image"),
        ("/ocr/upload", drawn("Valve")[:200], "not-an-image"),
        ("/ocr/upload", hostile.blank(4097, 8), "image-too-large"),
        ("/ocr/upload_pdf", b"", "not-a-pdf"),
        ("/ocr/upload_pdf", drawn("Valve"), "not-a-pdf"),
        ("/ocr/upload_pdf", hostile.zipped(("word/document.xml", b"<w/>")), "not-a-pdf"),
        ("/ocr/upload_pdf", scan(LINES)[:300], "pdf-invalid"),
    ],
    ids=["empty", "cut", "4097 wide", "empty PDF", "a PNG", "a DOCX", "a cut PDF"],
)
def test_a_bad_file_is_refused(api: httpx2.Client, path: str, file: bytes, slug: str) -> None:
    refused_here(api.post(path, files={"file": ("scan.pdf", file)}), 422, slug)


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (3, 3)])
def test_a_picture_without_text_has_no_lines(api: httpx2.Client, size: tuple[int, int]) -> None:
    assert expect(api.post("/ocr/upload", files={"file": hostile.blank(*size)}), 200)["results"] == []


def test_health_keeps_the_seeds_fields(api: httpx2.Client) -> None:
    health = expect(api.get("/ocr/health"), 200)
    assert (health["status"], health["model"], health["model_version"]) == ("healthy", "RapidOCR", "v6")
    assert health["gpu_support"] is False
    assert health["providers"] == ["CPUExecutionProvider"]
    assert health["environment"] == "production"
    assert {"ch", "en"} <= set(health["supported_languages"])


def test_the_models_tell_where_they_come_from(api: httpx2.Client) -> None:
    models = expect(api.get("/ocr/models"), 200)["items"]
    assert {model["stage"] for model in models} == {"det", "cls", "rec"}
    for model in models:
        assert len(model["sha256"]) == 64
        assert model["licence"] == "Apache-2.0"
