"""`/paddleocr`, `/easyocr` and `/v1/ocr`: an image in JSON."""

import base64
import io
import json
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

CALLS: dict[str, dict[str, Any]] = {
    "/paddleocr": {
        "use_angle_cls": True,
        "lang": "ch",
        "det_db_thresh": 0.3,
        "det_db_box_thresh": 0.5,
        "det_db_unclip_ratio": 1.6,
    },
    "/easyocr": {"languages": ["ch_sim", "en"], "gpu": True, "text_threshold": 0.7},
    "/v1/ocr": {
        "use_det": True,
        "use_cls": True,
        "use_rec": True,
        "text_score": 0.5,
        "box_thresh": 0.5,
        "unclip_ratio": 1.6,
        "return_word_box": False,
    },
}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def texts(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["results"]]


@pytest.mark.parametrize("prefix", ["", "/ocr"])
@pytest.mark.parametrize("path", CALLS)
def test_reads_an_image_with_every_member(client: TestClient, png: Png, path: str, prefix: str) -> None:
    data = png("Valve 17", "Pump 4")
    answer = client.post(prefix + path, json={"image": encoded(data), **CALLS[path]})
    assert texts(answer) == ["Valve 17", "Pump 4"]
    told = answer.json()
    assert list(told) == ["success", "results", "processing_time", "image_size"]
    width, height = Image.open(io.BytesIO(data)).size
    assert told["image_size"] == {"width": width, "height": height}
    for item in told["results"]:
        assert set(item) == {"text", "confidence", "bbox"}
        assert 0.5 <= item["confidence"] <= 1
        assert all(0 <= x <= width and 0 <= y <= height for x, y in item["bbox"])


@pytest.mark.parametrize("path", CALLS)
def test_the_image_alone_is_enough_also_as_a_data_url(client: TestClient, png: Png, path: str) -> None:
    image = f"data:image/png;base64,{encoded(png('Valve 17'))}"
    assert texts(client.post(path, json={"image": image})) == ["Valve 17"]


def test_a_large_image_goes_over_the_disk_and_is_read(client: TestClient, png: Png) -> None:
    picture = Image.open(io.BytesIO(png("Valve 17", margin=60))).convert("RGB")
    file = io.BytesIO()
    picture.resize((3 * picture.width, 3 * picture.height)).save(file, "BMP")
    assert len(file.getvalue()) > 1 << 19
    assert texts(client.post("/v1/ocr", json={"image": encoded(file.getvalue())})) == ["Valve 17"]


def test_stages_and_words_are_as_asked_for(client: TestClient, png: Png) -> None:
    data = png("Pump 4")
    width, height = Image.open(io.BytesIO(data)).size
    whole = client.post("/v1/ocr", json={"image": encoded(data), "use_det": False, "return_word_box": True})
    assert texts(whole) == ["Pump 4"]
    (item,) = whole.json()["results"]
    assert item["bbox"] == [[0, 0], [width, 0], [width, height], [0, height]]
    assert [word["text"] for word in item["words"]] == ["Pump", "4"]
    places = client.post("/v1/ocr", json={"image": encoded(png("Pump 4", margin=60)), "use_rec": False})
    assert set(texts(places)) == {""}
    assert texts(client.post("/v1/ocr", json={"image": encoded(data), "text_score": 1})) == []


def test_without_use_angle_cls_a_page_on_its_head_is_not_turned(client: TestClient, png: Png) -> None:
    picture = Image.open(io.BytesIO(png("The quick brown fox jumps", "over the lazy dog", margin=60))).rotate(180)
    file = io.BytesIO()
    picture.save(file, "PNG")
    turned, unturned = (
        client.post("/paddleocr", json={"image": encoded(file.getvalue()), "use_angle_cls": use})
        for use in (True, False)
    )
    assert texts(turned) == ["The quick brown fox jumps", "over the lazy dog"]
    assert texts(unturned) != texts(turned)


@pytest.mark.parametrize(
    ("path", "member"), [("/paddleocr", "det_db_box_thresh"), ("/easyocr", "text_threshold"), ("/v1/ocr", "box_thresh")]
)
def test_a_detector_that_has_to_be_certain_finds_nothing(client: TestClient, png: Png, path: str, member: str) -> None:
    image = encoded(png("Valve 17", margin=120))
    assert texts(client.post(path, json={"image": image, member: 1})) == []
    assert texts(client.post(path, json={"image": image, member: 0.3})) == ["Valve 17"]


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize(
    ("image", "slug", "says"),
    [
        ("no base64!", "not-base64", "neither base64"),
        ("https://example.com/a.png", "not-base64", "nothing is fetched"),
        (encoded(b"only a text"), "not-an-image", "it is text"),
        (encoded(hostile.sound()[:60]), "not-an-image", "cannot be read"),
        ("", "not-an-image", "empty"),
        (7, "invalid-input", "image"),
        (None, "invalid-input", "image"),
        (encoded(hostile.blank(4097, 8)), "image-too-large", "4096"),
        (encoded(hostile.claims(20_000, 20_000)), "image-too-large", "the limit is 4096 × 4096"),
    ],
)
def test_what_is_no_image_is_refused(
    client: TestClient, refusal: Refusal, path: str, image: Any, slug: str, says: str
) -> None:
    status, told, detail = refusal(client.post(path, json={"image": image}))
    assert (status, told) == (422, slug)
    assert says in detail


@pytest.mark.parametrize(
    ("path", "member", "value", "slug"),
    [
        ("/paddleocr", "lang", "klingon", "unknown-language"),
        ("/paddleocr", "lang", None, "invalid-input"),
        ("/paddleocr", "det_db_thresh", 1.5, "invalid-input"),
        ("/paddleocr", "det_db_box_thresh", "0.5", "invalid-input"),
        ("/paddleocr", "det_db_unclip_ratio", -1, "invalid-input"),
        ("/paddleocr", "use_gpu", True, "invalid-input"),
        ("/easyocr", "languages", ["en", "tlh"], "unknown-language"),
        ("/easyocr", "languages", [], "invalid-input"),
        ("/easyocr", "languages", "en", "invalid-input"),
        ("/easyocr", "text_threshold", 2, "invalid-input"),
        ("/easyocr", "gpu", "yes", "invalid-input"),
        ("/v1/ocr", "text_score", -0.1, "invalid-input"),
        ("/v1/ocr", "use_det", "yes", "invalid-input"),
        ("/v1/ocr", "lang", "en", "invalid-input"),
    ],
)
def test_a_bad_member_is_refused_by_name(
    client: TestClient, png: Png, refusal: Refusal, path: str, member: str, value: Any, slug: str
) -> None:
    status, told, detail = refusal(client.post(path, json={"image": encoded(png("a")), member: value}))
    assert (status, told) == (422, slug)
    assert member in detail


def test_an_unknown_language_is_refused_with_the_list(client: TestClient, png: Png, refusal: Refusal) -> None:
    detail = refusal(client.post("/easyocr", json={"image": encoded(png("a")), "languages": ["xx"]}))[2]
    assert detail.startswith("languages has 'xx', these models read ch_sim, ")
    out = refusal(client.post("/paddleocr", json={"image": encoded(png("a")), "det_db_thresh": 1.5}))[2]
    assert out == "det_db_thresh is 1.5, it can be 0 to 1"


@pytest.mark.parametrize(
    ("body", "headers", "status", "slug"),
    [
        (b"{", {}, 400, "malformed-json"),
        (b'{"image": "\xff"}', {}, 400, "malformed-json"),
        (b'{"image": "", "text_score": NaN}', {}, 422, "invalid-input"),
        (b'{"image": "", "image": ""}', {}, 422, "invalid-input"),
        (b"{}", {}, 422, "invalid-input"),
        (b"[]", {}, 422, "invalid-input"),
        (b"image=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported-media-type"),
    ],
)
def test_a_body_that_is_no_request_is_refused(
    client: TestClient, refusal: Refusal, body: bytes, headers: dict[str, str], status: int, slug: str
) -> None:
    answer = client.post("/v1/ocr", content=body, headers={"Content-Type": "application/json", **headers})
    assert refusal(answer)[:2] == (status, slug)


def test_a_query_parameter_is_refused(client: TestClient, png: Png, refusal: Refusal) -> None:
    answer = client.post("/v1/ocr?format=text", json={"image": encoded(png("a"))})
    assert refusal(answer)[1:] == ("invalid-input", "there is no parameter 'format', this call takes none")


def test_a_file_over_the_limit_is_refused_with_both_numbers(run_service: Run, refusal: Refusal) -> None:
    with run_service(max_file_size=2048) as client:
        status, slug, detail = refusal(client.post("/v1/ocr", json={"image": encoded(bytes(2049))}))
        assert (status, slug, detail) == (413, "file-too-large", "the image has 2049 bytes, the limit is 2048")
        body = json.dumps({"image": encoded(bytes(100_000))})
        headers = {"Content-Type": "application/json"}
        assert refusal(client.post("/v1/ocr", content=body, headers=headers))[:2] == (413, "body-too-large")
