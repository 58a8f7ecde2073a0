import hashlib
from collections.abc import Callable
from typing import Any

import hostile
import pytest
from digit.app import create_app
from digit.settings import Settings
from starlette.testclient import TestClient

Png = Callable[..., bytes]


def post(client: TestClient, data: bytes, name: str = "a.png", path: str = "/predict") -> Any:
    return client.post(path, files={"file": (name, data, "image/png")})


def refusal(answer: Any) -> tuple[int, str, str]:
    """Returns status, slug and detail of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["error"] == problem["detail"]
    assert (problem["status"], problem["request_id"]) == (answer.status_code, answer.headers["x-request-id"])
    return answer.status_code, problem["type"].removeprefix("urn:lineside:problem:"), problem["detail"]


@pytest.mark.parametrize("path", ["/predict", "/digit/predict"])
@pytest.mark.parametrize("digit", range(10))
def test_reads_a_drawn_digit_with_and_without_the_prefix(client: TestClient, png: Png, path: str, digit: int) -> None:
    answer = post(client, png(digit), path=path)
    assert (answer.status_code, answer.content) == (200, b'{"prediction":%d}' % digit)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-is-digit"] == "true"


@pytest.mark.parametrize("side", [28, 48, 49, 300, 1200])
def test_the_size_of_the_picture_does_not_matter(client: TestClient, png: Png, side: int) -> None:
    answer = post(client, png(5, side), path="/predict?detail=true").json()
    assert (answer["prediction"], answer["is_digit"]) == (5, True)
    x, y, width, height = answer["box"]
    assert (x / side, y / side) == pytest.approx((0.29, 0.15), abs=0.08)
    assert (width / side, height / side) == pytest.approx((0.45, 0.7), abs=0.14)


def test_white_on_black_is_read_like_black_on_white(client: TestClient, png: Png) -> None:
    assert post(client, png(4, 100, ink=255, paper=0)).json() == {"prediction": 4}


def test_detail_tells_everything(client: TestClient, png: Png) -> None:
    answer = post(client, png(3), path="/predict?detail=true").json()
    assert list(answer) == ["prediction", "confidence", "probabilities", "model", "is_digit", "box"]
    assert (answer["prediction"], answer["model"], answer["is_digit"]) == (3, Settings().model, True)
    assert len(answer["probabilities"]) == 10
    assert answer["confidence"] == max(answer["probabilities"]) == answer["probabilities"][3]
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("name", ["cnn_transformer", "cnn", "ensemble"])
def test_the_model_is_chosen_by_name(client: TestClient, png: Png, name: str) -> None:
    answer = post(client, png(2), path=f"/predict?model={name}&detail=1").json()
    assert (answer["prediction"], answer["model"]) == (2, name)


def test_an_unknown_model_is_refused_with_the_list(client: TestClient, png: Png) -> None:
    status, slug, detail = refusal(post(client, png(2), path="/predict?model=resnet"))
    assert (status, slug) == (422, "unknown-model")
    assert detail.startswith("there is no model 'resnet', there are cnn")
    assert "ensemble" in detail


@pytest.mark.parametrize("query", ["modle=cnn", "detail=maybe", "detail=true&detail=true", "on_error=skip"])
def test_a_query_that_the_call_does_not_take_is_refused(client: TestClient, png: Png, query: str) -> None:
    assert refusal(post(client, png(2), path=f"/predict?{query}"))[:2] == (422, "invalid-input")


@pytest.mark.parametrize("kind", hostile.SEVENS)
def test_every_sound_file_is_read(client: TestClient, kind: str) -> None:
    answer = post(client, hostile.SEVENS[kind]())
    assert (answer.status_code, answer.json()) == (200, {"prediction": 7})


@pytest.mark.parametrize("kind", hostile.OTHER_KINDS)
def test_what_is_no_picture_is_refused_by_what_it_is(client: TestClient, kind: str) -> None:
    described, make = hostile.OTHER_KINDS[kind]
    answer = post(client, make(), "filename.png")
    assert refusal(answer) == (422, "not-an-image", "File is not an image: filename.png")
    assert described in answer.json()["reason"]


@pytest.mark.parametrize("kind", hostile.BROKEN)
def test_a_broken_picture_is_refused_with_the_reason(client: TestClient, kind: str) -> None:
    word, make = hostile.BROKEN[kind]
    answer = post(client, make(), "broken.png")
    status, slug, detail = refusal(answer)
    assert status == 422
    assert word in answer.json()["reason"]
    if slug == "image-too-large":
        assert "the limit is" in detail
    else:
        assert (slug, detail) == ("not-an-image", "File is not an image: broken.png")


def test_a_picture_over_the_limit_of_pixels_is_told_so(client: TestClient) -> None:
    status, slug, detail = refusal(post(client, hostile.claims(20_000, 20_000), "huge.png"))
    assert (status, slug) == (422, "image-too-large")
    assert detail.endswith("huge.png")
    assert "400.0 million" in detail
    assert "25.0 million" in detail


@pytest.mark.parametrize("side", [1, 28, 500])
def test_a_blank_picture_is_no_digit(client: TestClient, png: Png, side: int) -> None:
    answer = post(client, png(1, side, ink=200, paper=200), "blank.png")
    status, slug, detail = refusal(answer)
    assert (status, slug) == (422, "no-ink")
    assert detail == "The picture is blank: no ink was found: blank.png"


def test_a_file_name_is_cleaned_and_cut(client: TestClient) -> None:
    detail = refusal(post(client, b"x", "наброс\u202eок.png"))[2]
    assert detail == "File is not an image: наброс\N{REPLACEMENT CHARACTER}ок.png"
    assert len(post(client, b"x", "x" * 2000 + ".png").content) < 2000


def test_another_field_is_refused_by_name(client: TestClient, png: Png) -> None:
    status, slug, detail = refusal(client.post("/predict", files={"image": ("a.png", png(1))}))
    assert (status, slug) == (422, "file-missing")
    assert '"file"' in detail
    assert '"image"' in detail


def test_no_file_two_files_and_text_are_refused(client: TestClient, png: Png) -> None:
    two = [("file", ("a.png", png(1))), ("file", ("b.png", png(2)))]
    assert refusal(client.post("/predict", files=two))[:2] == (422, "too-many-files")
    assert refusal(client.post("/predict", data={"file": "a"}))[:2] == (415, "unsupported-media-type")
    empty = {"Content-Type": "multipart/form-data; boundary=x"}
    assert refusal(client.post("/predict", content=b"--x--\r\n", headers=empty))[:2] == (422, "file-missing")
    assert refusal(client.post("/predict", content=b"--x\r\nbroken", headers=empty))[:2] == (400, "multipart-invalid")
    assert refusal(client.post("/predict", json={"file": "a"}))[:2] == (415, "unsupported-media-type")
    extra = client.post("/predict", files={"file": ("a.png", png(1))}, data={"lang": "en"})
    assert refusal(extra)[:2] == (422, "invalid-input")


def test_a_file_over_the_limit_is_refused(png: Png) -> None:
    with TestClient(create_app(Settings(max_file_bytes=2048))) as client:
        assert post(client, png(3)).status_code == 200
        status, slug, detail = refusal(post(client, png(3) + bytes(2048)))
        assert (status, slug) == (413, "file-too-large")
        assert "2048" in detail
        assert refusal(post(client, bytes(40_000)))[:2] == (413, "body-too-large")


def test_other_methods_are_refused(client: TestClient) -> None:
    assert refusal(client.get("/predict"))[:2] == (405, "method-not-allowed")


def test_keys_are_asked_for_where_there_are_some(png: Png) -> None:
    line = f"mes:read:{hashlib.sha256(b'secret').hexdigest()}"
    with TestClient(create_app(Settings(api_keys=[line]))) as client:
        assert refusal(post(client, png(3)))[:2] == (401, "unauthenticated")
        client.headers["X-API-Key"] = "secret"
        assert post(client, png(3)).json() == {"prediction": 3}


def test_before_the_models_are_loaded_it_is_not_ready(png: Png) -> None:
    client = TestClient(create_app(Settings()))  # outside its lifespan
    assert refusal(post(client, png(3)))[:2] == (503, "not-ready")


def test_the_document_has_what_the_hot_path_serves(client: TestClient) -> None:
    entry = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    assert entry["requestBody"]["content"]["multipart/form-data"]["schema"]["required"] == ["file"]
    assert {parameter["name"] for parameter in entry["parameters"]} == {"model", "detail"}
    shapes = entry["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    assert [shape["$ref"].rpartition("/")[2] for shape in shapes] == ["Prediction", "DetailedPrediction"]
    assert "X-Is-Digit" in entry["responses"]["200"]["headers"]
    examples = entry["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"not-an-image", "no-ink", "image-too-large", "unknown-model", "file-missing", "too-many-files"} <= set(
        examples
    )
