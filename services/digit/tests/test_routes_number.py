"""`POST /predict_number` over HTTP."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from digit.app import create_app
from digit.settings import Settings
from PIL import Image, ImageOps
from starlette.testclient import TestClient
from train.strokes import generator
from train.written_numbers import Style, drawn, write


def png_of(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def number(text: str, tall_px: float = 80) -> bytes:
    style = Style(tall_px=(tall_px, tall_px + 1), gap=(0.15, 0.3))
    return png_of(ImageOps.invert(write(generator(3, "train"), text, drawn("train"), style)))


@pytest.fixture
def post(client: TestClient) -> Callable[..., Any]:
    """Sends a file: `post(data, query="?detail=true")`."""
    return lambda data, query="", **files: client.post(
        f"/predict_number{query}", files={"file": ("number.png", data), **files}
    )


def test_answers_the_text_and_its_digits_from_left_to_right(post: Callable[..., Any]) -> None:
    answer = post(number("2026"))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-is-digit"] == "true"
    body = answer.json()
    assert set(body) == {"text", "digits", "model"}
    assert body["text"] == "2026"
    assert body["model"] == Settings().model
    assert [digit["prediction"] for digit in body["digits"]] == [2, 0, 2, 6]
    assert all(set(digit) == {"prediction", "confidence", "bbox"} for digit in body["digits"])
    assert [digit["bbox"][0] for digit in body["digits"]] == sorted(digit["bbox"][0] for digit in body["digits"])


def test_detail_adds_probabilities_and_what_was_left_out(post: Callable[..., Any]) -> None:
    body = post(number("-27"), "?detail=true").json()
    assert body["text"] == "27"
    assert len(body["left_out"]) == 1
    for digit in body["digits"]:
        assert len(digit["probabilities"]) == 10
        assert digit["is_digit"] is True


def test_the_model_can_be_chosen(post: Callable[..., Any]) -> None:
    assert post(number("27"), "?model=cnn").json()["model"] == "cnn"
    refused = post(number("27"), "?model=none")
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:lineside:problem:unknown-model"


def test_boxes_of_a_large_picture_are_in_its_own_pixels(post: Callable[..., Any]) -> None:
    data = number("27", 1500)
    width, height = Image.open(io.BytesIO(data)).size
    assert max(width, height) > 2048
    first, second = post(data).json()["digits"]
    for digit in (first, second):
        x, y, w, h = digit["bbox"]
        assert 0 <= x < x + w <= width
        assert 0 <= y < y + h <= height
        assert h > 1200


@pytest.mark.parametrize(
    ("data", "slug", "detail"),
    [
        (png_of(Image.new("L", (300, 100), 255)), "no-ink", "The picture is blank: no ink was found: number.png"),
        (b"not a picture", "not-an-image", "File is not an image: number.png"),
        (number("-"), "no-digits", "No digit was found: the one mark that was seen is none: number.png"),
    ],
)
def test_refuses_what_is_no_number(post: Callable[..., Any], data: bytes, slug: str, detail: str) -> None:
    answer = post(data)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:lineside:problem:{slug}"
    assert answer.json()["error"] == detail


def test_refuses_two_numbers(post: Callable[..., Any]) -> None:
    one = Image.open(io.BytesIO(number("123")))
    page = Image.new("L", (one.width, 2 * one.height))
    page.paste(one, (0, 0))
    page.paste(one, (0, one.height))
    answer = post(png_of(page))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lineside:problem:several-numbers"


def test_refuses_a_number_that_is_too_long() -> None:
    with TestClient(create_app(Settings(access_log=False, max_digits=2))) as client:
        answer = client.post("/predict_number", files={"file": ("a.png", number("365"))})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lineside:problem:number-too-long"
    assert "3 digits, the limit is 2" in answer.json()["detail"]


@pytest.mark.parametrize("query", ["?modl=cnn", "?detail=perhaps"])
def test_refuses_a_query_that_it_does_not_know(post: Callable[..., Any], query: str) -> None:
    answer = post(number("27"), query)
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lineside:problem:invalid-input"


def test_refuses_more_than_one_file_and_another_field(client: TestClient) -> None:
    two = [("file", ("a.png", number("1"))), ("file", ("b.png", number("2")))]
    assert client.post("/predict_number", files=two).json()["type"] == "urn:lineside:problem:too-many-files"
    other = client.post("/predict_number", files={"image": ("a.png", number("1"))})
    assert other.json()["type"] == "urn:lineside:problem:file-missing"


def test_counts_numbers_and_refusals(client: TestClient, post: Callable[..., Any]) -> None:
    post(number("27"))
    post(number("-"))
    text = client.get("/metrics").text
    assert 'route="/predict_number"' in text
    assert 'reason="no-digits"' in text
