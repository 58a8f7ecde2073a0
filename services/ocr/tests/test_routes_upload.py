import io
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import hostile
import pytest
from PIL import Image
from starlette.testclient import TestClient

Png = Callable[..., bytes]
Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[TestClient]]


def post(client: TestClient, content: bytes, path: str = "/upload", name: str = "a.png", **options: Any) -> Any:
    return client.post(path, files={"file": (name, content, "image/png")}, **options)


def texts(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["results"]]


def tiff(*pages: bytes) -> bytes:
    first, *others = [Image.open(io.BytesIO(page)).convert("RGB") for page in pages]
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF"])
def test_reads_every_kind_of_image(client: TestClient, png: Png, kind: str) -> None:
    file = io.BytesIO()
    Image.open(io.BytesIO(png("Valve 17"))).convert("RGB").save(file, kind)
    assert texts(post(client, file.getvalue())) == ["Valve 17"]


def test_reads_with_the_fields_of_fastapis_clients(client: TestClient, png: Png) -> None:
    fields = {
        "use_det": "True",
        "use_cls": "1",
        "use_rec": "on",
        "text_score": "0.5",
        "box_thresh": "0.5",
        "unclip_ratio": "1.6",
        "return_word_box": "yes",
    }
    answer = post(client, png("Pump 4"), data=fields)
    assert texts(answer) == ["Pump 4"]
    assert [word["text"] for word in answer.json()["results"][0]["words"]] == ["Pump", "4"]


def test_a_tiff_is_read_page_by_page(client: TestClient, png: Png) -> None:
    data = tiff(png("First"), png("Second", margin=24))
    answer = post(client, data)
    assert [(item["page"], item["text"]) for item in answer.json()["results"]] == [(1, "First"), (2, "Second")]
    assert [page["page"] for page in answer.json()["pages"]] == [1, 2]
    lines = post(client, data, "/upload?format=ndjson").text.splitlines()
    assert len(lines) == 2
    assert '"page":2,"index":1,"result":[{"text":"Second"' in lines[1]


def test_a_tiff_with_too_many_pages_is_refused_with_the_limit(run_service: Run, png: Png, refusal: Refusal) -> None:
    with run_service(max_frames=1) as client:
        status, slug, detail = refusal(post(client, tiff(png("a"), png("b"))))
        assert (status, slug) == (422, "image-too-large")
        assert "1" in detail


@pytest.mark.parametrize(
    ("form", "media_type", "part"),
    [
        ("json", "application/json", '"text":"Valve 17"'),
        ("text", "text/plain; charset=utf-8", "Valve 17"),
        ("markdown", "text/markdown; charset=utf-8", "Valve 17"),
        ("hocr", "text/html; charset=utf-8", "ocrx_word"),
        ("alto", "application/xml", 'CONTENT="Valve"'),
        ("ndjson", "application/x-ndjson", '"page":1'),
    ],
)
def test_the_text_comes_in_every_form(client: TestClient, png: Png, form: str, media_type: str, part: str) -> None:
    data = png("Valve 17")
    by_query = post(client, data, f"/upload?format={form}", "scan.png")
    by_field = post(client, data, data={"format": form}, headers={"Accept": "application/pdf"})
    by_accept = post(client, data, headers={"Accept": media_type})
    for answer in (by_query, by_field, by_accept):
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        assert part in answer.text


def test_a_searchable_pdf_holds_the_image(client: TestClient, png: Png) -> None:
    answer = post(client, png("Valve 17"), "/upload?format=pdf", "scan.png")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"] == "inline; filename*=UTF-8''scan.pdf"
    assert int(answer.headers["content-length"]) == len(answer.content)
    again = client.post("/upload_pdf", files={"file": answer.content}, data={"mode": "text"}).json()
    assert "Valve 17" in " ".join(item["text"] for item in again["results"][0]["result"])


@pytest.mark.parametrize(
    ("field", "value"),
    [("text_score", "NaN"), ("text_score", ""), ("use_det", "maybe"), ("box_thresh", "2"), ("format", "docx")],
)
def test_a_bad_field_is_refused_by_name(client: TestClient, png: Png, refusal: Refusal, field: str, value: str) -> None:
    status, slug, detail = refusal(post(client, png("a"), data={field: value}))
    assert (status, slug) == (422, "invalid-input")
    assert field in detail


@pytest.mark.parametrize("field", ["lang", "det_db_thresh", "password"])
def test_a_field_that_the_call_does_not_take_is_refused(
    client: TestClient, png: Png, refusal: Refusal, field: str
) -> None:
    status, slug, detail = refusal(post(client, png("a"), data={field: "1"}))
    assert (status, slug) == (422, "invalid-input")
    assert field in detail


@pytest.mark.parametrize(
    "kind", [kind for kind in hostile.OTHER_KINDS if kind.upper() not in ("GIF", "BMP", "TIFF", "WEBP")]
)
def test_what_is_no_image_is_refused_by_what_it_is(client: TestClient, refusal: Refusal, kind: str) -> None:
    described, make = hostile.OTHER_KINDS[kind]
    status, slug, detail = refusal(post(client, make()))
    assert status == 422
    assert slug in ("not-an-image", "image-too-large")
    assert described in detail or "cannot be read" in detail


@pytest.mark.parametrize("kind", hostile.BROKEN)
def test_a_broken_image_is_refused(client: TestClient, refusal: Refusal, kind: str) -> None:
    _, make = hostile.BROKEN[kind]
    status, slug, _ = refusal(post(client, make()))
    assert status == 422
    assert slug in ("not-an-image", "image-too-large")


def test_a_pdf_is_sent_to_its_own_call(client: TestClient, refusal: Refusal) -> None:
    status, slug, detail = refusal(post(client, b"%PDF-1.7\n", name="a.pdf"))
    assert (status, slug) == (422, "not-an-image")
    assert "/upload_pdf" in detail


@pytest.mark.parametrize("size", [(1, 4000), (4000, 1), (3, 3), (600, 400)])
def test_an_image_without_text_has_no_lines(client: TestClient, size: tuple[int, int]) -> None:
    assert texts(post(client, hostile.blank(*size))) == []


def test_a_wide_image_is_refused_with_the_limit(client: TestClient, refusal: Refusal) -> None:
    status, slug, detail = refusal(post(client, hostile.blank(4097, 8)))
    assert (status, slug) == (422, "image-too-large")
    assert "4097" in detail
    assert "4096" in detail


def test_ten_megabytes_and_a_byte_are_refused(client: TestClient, refusal: Refusal) -> None:
    status, slug, detail = refusal(post(client, bytes(10_485_761)))
    assert (status, slug) == (413, "file-too-large")
    assert "10485760" in detail
    status, slug, detail = refusal(post(client, bytes(10_485_760 + 200_000)))
    assert (status, slug) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("send", "status", "slug"),
    [
        ({"json": {"file": "a"}}, 415, "unsupported-media-type"),
        ({"files": {"image": b"a"}}, 422, "file-missing"),
        ({"files": [("file", b"a"), ("file", b"b")]}, 422, "too-many-files"),
        (
            {"content": b"--x\r\nbroken", "headers": {"Content-Type": "multipart/form-data; boundary=x"}},
            400,
            "multipart-invalid",
        ),
    ],
)
def test_a_bad_form_is_refused(client: TestClient, refusal: Refusal, send: Any, status: int, slug: str) -> None:
    assert refusal(client.post("/upload", **send))[:2] == (status, slug)
