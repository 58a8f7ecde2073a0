import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import httpx2
import pdfs
import pytest
from starlette.testclient import TestClient

Png = Callable[..., bytes]
Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[TestClient]]
NDJSON = {"Accept": "application/x-ndjson"}
MEMBERS = ["page", "index", "result", "bbox_image", "processing_time", "image_size", "source", "reason"]


def post(client: Any, content: bytes, path: str = "/upload_pdf", kind: str = "application/pdf", **options: Any) -> Any:
    return client.post(path, files={"file": ("scan.pdf", content, kind)}, **options)


@pytest.mark.parametrize("kind", ["application/pdf", "image/pdf", "application/octet-stream"])
def test_a_digital_page_is_taken_from_its_text_layer(client: TestClient, kind: str) -> None:
    answer = post(client, pdfs.digital(pages=2), kind=kind).json()
    assert answer["success"] is True
    assert [(page["page"], page["index"], page["source"]) for page in answer["results"]] == [
        (1, 0, "text"),
        (2, 1, "text"),
    ]
    page = answer["results"][0]
    assert list(page) == MEMBERS
    assert [item["text"] for item in page["result"]] == ["Pressure valve 7 opened", "Second line of the page"]
    x, y, width, height = page["bbox_image"]
    assert all(x <= cx <= x + width and y <= cy <= y + height for item in page["result"] for cx, cy in item["bbox"])


def test_a_scanned_page_is_read_and_says_so(client: TestClient) -> None:
    first, second = post(client, pdfs.mixed(), data={"dpi": "100"}).json()["results"]
    assert (first["source"], second["source"]) == ("text", "ocr")
    assert [item["text"] for item in second["result"]] == [pdfs.SCANNED]
    assert second["reason"]
    assert abs(second["image_size"]["width"] - pdfs.A4[0] * 100 / 72) < 2


def test_mode_decides_where_the_text_comes_from(client: TestClient) -> None:
    data = pdfs.digital()
    sources = {
        mode: post(client, data, data={"mode": mode, "dpi": "100"}).json()["results"][0]["source"]
        for mode in ("auto", "text", "ocr")
    }
    assert sources == {"auto": "text", "text": "text", "ocr": "ocr"}


def test_words_have_places(client: TestClient) -> None:
    (page,) = post(client, pdfs.digital(), data={"return_word_box": "True"}).json()["results"]
    assert [word["text"] for word in page["result"][0]["words"]] == ["Pressure", "valve", "7", "opened"]


def test_pages_can_be_chosen(client: TestClient, refusal: Refusal) -> None:
    data = pdfs.digital(pages=5)
    pages = post(client, data, data={"pages": "2,4-"}).json()["results"]
    assert [(page["page"], page["index"]) for page in pages] == [(2, 0), (4, 1), (5, 2)]
    for wrong in ("6", "0", "3-1", "a"):
        status, _, detail = refusal(post(client, data, data={"pages": wrong}))
        assert status == 422
        assert wrong in detail


def test_pages_come_as_lines(client: TestClient) -> None:
    answer = post(client, pdfs.digital(pages=3), headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["x-page-count"] == "3"
    assert "content-length" not in answer.headers
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["page"] for line in lines] == [1, 2, 3]
    assert all(list(line) == MEMBERS for line in lines)


def test_lines_come_while_the_rest_is_read(server: Any) -> None:
    data = pdfs.scanned(6)
    before = pages_read(server.url)
    with httpx2.stream(
        "POST", f"{server.url}/upload_pdf", files={"file": data}, data={"dpi": "72"}, headers=NDJSON, timeout=300
    ) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert pages_read(server.url) - before < 6
        assert len(list(lines)) == 5


def pages_read(url: str) -> float:
    samples = httpx2.get(f"{url}/metrics", timeout=60).text.splitlines()
    found = [line for line in samples if line.startswith("ocr_pages_total") and "/upload_pdf" in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


def test_a_page_that_fails_is_the_last_line_and_a_problem(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from ocr.documents import Document
    from ocr.problems import DocumentTooSlow

    page = Document.page

    def fails(self: Document, index: int, *arguments: Any) -> Any:
        if index == 2:
            raise DocumentTooSlow("page 3 took more than 20 s, which is the limit")
        return page(self, index, *arguments)

    monkeypatch.setattr(Document, "page", fails)
    first, second, last = post(client, pdfs.digital(pages=4), headers=NDJSON).text.splitlines()
    assert (json.loads(first)["page"], json.loads(second)["page"]) == (1, 2)
    problem = json.loads(last)
    assert (problem["success"], problem["status"]) == (False, 422)
    assert problem["type"] == "urn:lineside:problem:pdf-too-slow"
    assert problem["request_id"]


@pytest.mark.parametrize(
    ("form", "media_type", "part"),
    [
        ("text", "text/plain; charset=utf-8", b"Pressure valve 7 opened"),
        ("markdown", "text/markdown; charset=utf-8", b"Pressure valve 7 opened"),
        ("hocr", "text/html; charset=utf-8", b"ocrx_word"),
        ("alto", "application/xml", b'CONTENT="Pressure"'),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_the_text_comes_in_every_form(client: TestClient, form: str, media_type: str, part: bytes) -> None:
    answer = post(client, pdfs.digital(), f"/upload_pdf?format={form}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
    assert part in answer.content


def test_an_encrypted_document_needs_its_password(client: TestClient, refusal: Refusal) -> None:
    data = pdfs.encrypted("secret")
    for fields in ({}, {"password": "wrong"}):
        status, slug, detail = refusal(post(client, data, data=fields))
        assert (status, slug) == (422, "pdf-encrypted")
        assert "wrong" not in detail
    assert post(client, data, data={"password": "secret"}).json()["results"][0]["result"]


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (lambda: b"", "not-a-pdf"),
        (lambda: b"PK\3\4word/document.xml", "not-a-pdf"),
        (lambda: b"\x89PNG\r\n\x1a\n", "not-a-pdf"),
        (pdfs.truncated, "pdf-invalid"),
        (pdfs.without_pages, "pdf-invalid"),
        (lambda: pdfs.many_pages(10_000), "pdf-too-many-pages"),
    ],
    ids=["empty", "a DOCX", "a PNG", "cut", "no pages", "10,000 pages"],
)
def test_a_bad_document_is_refused(client: TestClient, refusal: Refusal, make: Callable[[], bytes], slug: str) -> None:
    assert refusal(post(client, make()))[:2] == (422, slug)
    assert refusal(post(client, make(), headers=NDJSON))[:2] == (422, slug)


@pytest.mark.parametrize(("field", "value"), [("mode", "fast"), ("dpi", "7"), ("dpi", "2000"), ("text_score", "nan")])
def test_a_bad_field_is_refused_by_name(client: TestClient, refusal: Refusal, field: str, value: str) -> None:
    status, slug, detail = refusal(post(client, pdfs.digital(), data={field: value}))
    assert (status, slug) == (422, "invalid-input")
    assert field in detail
