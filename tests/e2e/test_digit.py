"""digit: every call of the contract, happy and refused, over HTTP and WebSocket against a base URL."""

import base64
import csv
import io
import json
import zipfile
from typing import Any

import hostile
import httpx2
import pytest
from answers import expect, refused
from PIL import Image, ImageDraw
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

LINES = {
    1: [(28, 10), (28, 46)],
    7: [(14, 12), (40, 12), (24, 46)],
}


def drawn(digit: int, kind: str = "PNG", *, size: int = 56) -> bytes:
    """Returns a picture of a digit, dark on white."""
    picture = Image.new("RGB", (size, size), "white")
    points = [(x * size / 56, y * size / 56) for x, y in LINES[digit]]
    ImageDraw.Draw(picture).line(points, fill="black", width=max(2, size // 14), joint="curve")
    file = io.BytesIO()
    picture.save(file, kind)
    return file.getvalue()


def zipped(**pictures: bytes) -> bytes:
    """Returns a ZIP; `a__b` is the file b.png in the folder a."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in pictures.items():
            archive.writestr(name.replace("__", "/") + ".png", data)
    return file.getvalue()


def batch(api: httpx2.Client, *files: tuple[str, bytes], query: str = "", **headers: str) -> httpx2.Response:
    return api.post(f"/digit/predict_batch{query}", files=[("files", file) for file in files], headers=headers)


# --- predict ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["seven.png", "seven.jpg", "seven.jpeg", "seven"])
def test_a_picture_is_read_and_the_answer_is_the_seeds(api: httpx2.Client, name: str) -> None:
    kind = "JPEG" if ".j" in name else "PNG"
    answer = api.post("/digit/predict", files={"file": (name, drawn(7, kind))})
    assert expect(answer, 200) == {"prediction": 7}
    assert answer.headers["x-is-digit"] == "true"


def test_detail_tells_how_sure_it_is_and_where(api: httpx2.Client) -> None:
    answer = expect(api.post("/digit/predict?detail=true", files={"file": drawn(7, size=560)}), 200)
    assert set(answer) == {"prediction", "confidence", "probabilities", "model", "is_digit", "box"}
    assert answer["confidence"] == max(answer["probabilities"]) == answer["probabilities"][7]
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
    x, y, width, height = answer["box"]
    assert 100 < x < 160
    assert 80 < y < 140
    assert 220 < width < 320
    assert 320 < height < 420


@pytest.mark.parametrize("model", ["cnn_transformer", "cnn", "ensemble"])
def test_every_model_reads(api: httpx2.Client, model: str) -> None:
    for digit in LINES:
        answer = expect(api.post(f"/digit/predict?detail=1&model={model}", files={"file": drawn(digit)}), 200)
        assert (answer["prediction"], answer["model"], answer["is_digit"]) == (digit, model, True)


def test_what_is_no_image_has_the_seeds_text(api: httpx2.Client) -> None:
    problem = refused(api.post("/digit/predict", files={"file": ("filename.png", b"text")}), 422, "not-an-image")
    assert problem["error"] == "File is not an image: filename.png"
    assert "PNG or JPEG" in problem["reason"]


@pytest.mark.parametrize(
    ("make", "status", "slug"),
    [
        (lambda: {"files": {"picture": drawn(7)}}, 422, "file-missing"),
        (lambda: {"files": {"file": b""}}, 422, "not-an-image"),
        (lambda: {"json": {"file": "seven"}}, 415, "unsupported-media-type"),
        (lambda: {"files": {"file": hostile.blank(64, 64)}}, 422, "no-ink"),
        (lambda: {"files": {"file": hostile.claims(20_000, 20_000)}}, 422, "image-too-large"),
        (lambda: {"files": {"file": drawn(7)}, "params": {"model": "svm"}}, 422, "unknown-model"),
        (lambda: {"files": {"file": drawn(7)}, "params": {"details": "true"}}, 422, "invalid-input"),
    ],
    ids=["another field", "empty", "JSON", "blank", "too large", "unknown model", "unknown parameter"],
)
def test_predict_refuses(api: httpx2.Client, make: Any, status: int, slug: str) -> None:
    refused(api.post("/digit/predict", **make()), status, slug)


# --- batches ----------------------------------------------------------------------------------------------------------


def test_one_file_many_files_and_zips_are_read_together(api: httpx2.Client) -> None:
    found = batch(
        api,
        ("img_0_label_7.png", drawn(7)),
        ("scans.zip", zipped(monday__a=drawn(1), tuesday__a=drawn(7), b=drawn(7))),
    )
    predictions = expect(found, 200)["predictions"]
    assert predictions == {"img_0_label_7.png": 7, "monday/a.png": 1, "tuesday/a.png": 7, "b.png": 7}


def test_a_zip_with_another_file_has_the_seeds_text(api: httpx2.Client) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("seven.png", drawn(7))
        archive.writestr("notes/readme.txt", "hello")
        archive.writestr("__MACOSX/._seven.png", "what a Mac adds")
        archive.writestr("Thumbs.db", "what Windows adds")
    problem = refused(batch(api, ("a.zip", file.getvalue())), 422, "archive-not-images")
    assert problem["error"] == "Zip contains non-image file: readme.txt"
    answer = expect(batch(api, ("a.zip", file.getvalue()), query="?on_error=skip"), 200)
    assert answer["predictions"] == {"seven.png": 7}
    assert list(answer["errors"]) == ["readme.txt"]


def test_a_batch_comes_as_csv_that_is_safe_in_a_spreadsheet(api: httpx2.Client) -> None:
    answer = batch(api, ("=cmd|'a'!b.png", drawn(7)), ("seven.png", drawn(7)), Accept="text/csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["prediction"] for row in rows] == ["7", "7"]
    assert rows[0]["name"].startswith("'=")
    assert list(rows[0]) == ["name", "prediction", "confidence", "is_digit", "model", "error"]


def test_a_batch_is_streamed_line_by_line(api: httpx2.Client) -> None:
    files = [("files", (f"{number}.png", drawn(7))) for number in range(40)]
    headers = {"Accept": "application/x-ndjson"}
    with api.stream("POST", "/digit/predict_batch", files=files, headers=headers) as answer:
        lines = [json.loads(line) for line in answer.iter_lines()]
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line["name"] for line in lines[:-1]] == [f"{number}.png" for number in range(40)]
    assert {line["prediction"] for line in lines[:-1]} == {7}
    assert lines[-1] == {"done": True, "total": 40, "failed": 0}


def test_single_and_batched_answers_are_the_same(api: httpx2.Client) -> None:
    pictures = {f"{size}.png": drawn(7, size=size) for size in (28, 40, 100, 300, 700)}
    together = expect(batch(api, *pictures.items(), query="?detail=true"), 200)["predictions"]
    for name, picture in pictures.items():
        alone = expect(api.post("/digit/predict?detail=true", files={"file": picture}), 200)
        assert {**together[name], "probabilities": 0, "confidence": 0} == {**alone, "probabilities": 0, "confidence": 0}
        assert together[name]["probabilities"] == pytest.approx(alone["probabilities"], abs=2e-6)


@pytest.mark.parametrize(
    ("make", "slug"),
    [
        (hostile.nested_zip, "archive-not-images"),
        (hostile.encrypted_zip, "archive-not-images"),
        (hostile.honest_bomb, "archive-not-images"),
        (hostile.lying_bomb, "archive-invalid"),
        (hostile.overlapping_bomb, "archive-invalid"),
        (hostile.million_entries, "archive-invalid"),
    ],
)
def test_a_hostile_zip_is_refused(api: httpx2.Client, make: Any, slug: str) -> None:
    problem = refused(batch(api, ("hostile.zip", make())), 422, slug)
    assert len(problem["detail"]) < 500


# --- numbers ----------------------------------------------------------------------------------------------------------


def test_a_written_number_is_read_digit_by_digit(api: httpx2.Client) -> None:
    picture = Image.new("L", (240, 80), 255)
    draw = ImageDraw.Draw(picture)
    for at, digit in enumerate((1, 7, 7, 1)):
        draw.line([(x + 8 + at * 56, y + 10) for x, y in LINES[digit]], fill=0, width=5, joint="curve")
    file = io.BytesIO()
    picture.save(file, "PNG")
    answer = expect(api.post("/digit/predict_number", files={"file": file.getvalue()}), 200)
    assert answer["text"] == "1771"
    assert [digit["prediction"] for digit in answer["digits"]] == [1, 7, 7, 1]
    lefts = [digit["bbox"][0] for digit in answer["digits"]]
    assert lefts == sorted(lefts)
    refused(api.post("/digit/predict_number", files={"file": hostile.blank(64, 64)}), 422, "no-ink")


# --- socket and models ------------------------------------------------------------------------------------------------


def test_a_socket_reads_base64_json_and_bytes(base_url: str) -> None:
    picture = drawn(7)
    encoded = base64.b64encode(picture).decode()
    with connect(f"ws{base_url.removeprefix('http')}/digit/ws") as socket:
        for frame in (encoded, f"data:image/png;base64,{encoded}", picture, json.dumps({"image": encoded})):
            socket.send(frame)
            assert json.loads(socket.recv(10))["prediction"] == 7
        socket.send(json.dumps({"image": "?", "id": "a1"}))
        bad = json.loads(socket.recv(10))
        assert bad["id"] == "a1"
        assert bad["error"]
        socket.send(json.dumps({"image": encoded, "id": "a2"}))
        assert json.loads(socket.recv(10))["id"] == "a2"


def test_a_socket_is_not_opened_for_another_site(base_url: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        connect(f"ws{base_url.removeprefix('http')}/digit/ws", origin="https://evil.example")  # type: ignore[arg-type]
    assert caught.value.response.status_code == 403


def test_the_models_tell_their_accuracy_on_named_sets(api: httpx2.Client) -> None:
    models = expect(api.get("/digit/models"), 200)["items"]
    assert {model["name"] for model in models} == {"cnn_transformer", "cnn", "ensemble"}
    assert sum(model["default"] for model in models) == 1
    for model in models:
        assert model["accuracy"]["mnist_test"] > 0.995
        assert len(model["sha256"]) == 64
        assert model["size_bytes"] > 100_000
