import csv
import io
import json
from collections.abc import Callable
from typing import Any

import hostile
import pytest
from digit.settings import Settings
from starlette.testclient import TestClient

Png = Callable[..., bytes]
Zipped = Callable[..., bytes]
File = tuple[str, bytes]
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}


def post(client: TestClient, *files: File, query: str = "", **options: Any) -> Any:
    return client.post(f"/predict_batch{query}", files=[("files", file) for file in files], **options)


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def hundred(png: Png) -> list[File]:
    return [(f"img_{i}_label_{i % 10}.png", png(i % 10, seed=i)) for i in range(100)]


def test_one_picture_is_a_batch(client: TestClient, png: Png) -> None:
    answer = post(client, ("seven.png", png(7)))
    assert answer.content == b'{"predictions":{"seven.png":7}}'


def test_files_and_zips_with_folders_may_be_mixed(client: TestClient, png: Png, zipped: Zipped) -> None:
    archive = zipped(("folder/", b""), ("folder/in/one.png", png(1)), ("two.png", png(2)))
    answer = post(client, ("scans.zip", archive), ("three.png", png(3)))
    assert answer.json() == {"predictions": {"one.png": 1, "two.png": 2, "three.png": 3}}
    assert list(answer.json()["predictions"]) == ["one.png", "two.png", "three.png"]


def test_what_systems_leave_in_zips_are_no_files(client: TestClient, png: Png, zipped: Zipped) -> None:
    left = ("__MACOSX/._a.png", ".DS_Store", "d/Thumbs.db", "d/desktop.ini")
    archive = zipped(("d/a.png", png(4)), *((name, b"x") for name in left))
    assert post(client, ("a.zip", archive)).json() == {"predictions": {"a.png": 4}}


def test_two_entries_of_one_name_are_kept_apart_by_their_path(client: TestClient, png: Png, zipped: Zipped) -> None:
    archive = zipped(("a/1.png", png(1)), ("b/1.png", png(2)), ("b/2.png", png(3)))
    answer = post(client, ("x.zip", archive), ("y.png", png(4)), ("y.png", png(5)))
    assert answer.json()["predictions"] == {"a/1.png": 1, "b/1.png": 2, "2.png": 3, "y.png": 4, "y.png (2)": 5}


def test_names_in_cp437_and_with_controls_are_readable(client: TestClient, png: Png) -> None:
    parts = [hostile.Part("für.png".encode("cp437"), png(1)), hostile.Part(b"a\x07\nb.png", png(2))]
    answer = post(client, ("x.zip", hostile.archive(parts)))
    assert answer.json()["predictions"] == {"für.png": 1, "a��b.png": 2}


@pytest.mark.parametrize("model", ["cnn_transformer", "cnn", "ensemble"])
def test_a_batch_says_of_each_picture_what_a_single_call_says(
    client: TestClient, png: Png, zipped: Zipped, model: str
) -> None:
    files = hundred(png)
    together = post(client, ("all.zip", zipped(*files)), query=f"?detail=true&model={model}").json()["predictions"]
    for name, data in files:
        alone = client.post(f"/predict?detail=true&model={model}", files={"file": (name, data)}).json()
        batched = together[name]
        assert batched["prediction"] == alone["prediction"]
        assert batched.pop("probabilities") == pytest.approx(alone.pop("probabilities"), abs=2e-6)  # of 6 places
        assert batched.pop("confidence") == pytest.approx(alone.pop("confidence"), abs=2e-6)
        assert batched == alone


def test_csv_is_a_download(client: TestClient, png: Png, zipped: Zipped) -> None:
    answer = post(client, ("a.zip", zipped(("1.png", png(1)), ("d/2.png", png(2)))), headers=CSV)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="predictions.csv"'
    header, *rows = csv.reader(io.StringIO(answer.text, newline=""))
    assert header == ["name", "prediction", "confidence", "is_digit", "model", "error"]
    assert [row[:2] + row[3:] for row in rows] == [
        ["1.png", "1", "true", Settings().model, ""],
        ["2.png", "2", "true", Settings().model, ""],
    ]
    assert all(0 < float(row[2]) <= 1 for row in rows)


@pytest.mark.parametrize("name", ["=1+2.png", "+a.png", "-a.png", "@SUM(A1).png"])
def test_no_name_is_a_formula_in_csv(client: TestClient, png: Png, name: str) -> None:
    rows = list(csv.reader(io.StringIO(post(client, (name, png(1)), headers=CSV).text)))
    assert rows[1][0] == f"'{name}"


def test_what_cannot_be_read_is_told_beside_the_rest(client: TestClient, png: Png, zipped: Zipped) -> None:
    files = [
        ("a.zip", zipped(("in/1.png", png(1)), ("in/notes.txt", b"text"))),
        ("broken.zip", zipped(("a.png", png(1)))[:-1]),
        ("2.png", png(2)),
        ("blank.png", png(1, ink=9, paper=9)),
        ("anim.gif", b"GIF89a"),
    ]
    reasons = {
        "notes.txt": "it is text; this call takes PNG or JPEG",
        "broken.zip": "it is truncated, or no ZIP archive: its directory is not at its end",
        "blank.png": "no ink was found",
        "anim.gif": "it is a GIF image; this call takes PNG or JPEG",
    }
    answer = post(client, *files, query="?on_error=skip")
    assert answer.status_code == 200
    assert answer.json()["predictions"] == {"1.png": 1, "2.png": 2}
    assert set(answer.json()["errors"]) == set(reasons)
    for name in ("notes.txt", "blank.png", "anim.gif"):
        assert answer.json()["errors"][name] == reasons[name]
    assert "truncated" in answer.json()["errors"]["broken.zip"]
    *told, last = lines(post(client, *files, query="?on_error=skip", headers=NDJSON))
    assert [line["name"] for line in told] == ["1.png", "notes.txt", "broken.zip", "2.png", "blank.png", "anim.gif"]
    assert [("error" in line) for line in told] == [False, True, True, False, True, True]
    assert last == {"done": True, "total": 6, "failed": 4}
    rows = list(csv.DictReader(io.StringIO(post(client, *files, query="?on_error=skip", headers=CSV).text)))
    assert [row["prediction"] for row in rows] == ["1", "", "", "2", "", ""]
    assert rows[1]["error"] == reasons["notes.txt"]


def test_errors_are_told_as_none_where_there_are_none(client: TestClient, png: Png) -> None:
    answer = post(client, ("a.png", png(1)), query="?on_error=skip")
    assert answer.json() == {"predictions": {"a.png": 1}, "errors": {}}


def test_two_thousand_files_are_a_batch(client: TestClient, png: Png) -> None:
    data = png(8)
    answer = post(client, *[(f"{i}.png", data) for i in range(2000)], query="?model=cnn")
    assert answer.json()["predictions"] == {f"{i}.png": 8 for i in range(2000)}


def test_an_empty_archive_is_an_empty_batch(client: TestClient, zipped: Zipped) -> None:
    assert post(client, ("a.zip", zipped())).json() == {"predictions": {}}
    assert lines(post(client, ("a.zip", zipped()), headers=NDJSON)) == [{"done": True, "total": 0, "failed": 0}]


def test_the_document_has_what_the_hot_path_serves(client: TestClient) -> None:
    entry = client.get("/openapi.json").json()["paths"]["/predict_batch"]["post"]
    assert entry["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["files"]["type"] == "array"
    assert {parameter["name"] for parameter in entry["parameters"]} == {"model", "detail", "on_error"}
    assert set(entry["responses"]["200"]["content"]) == {"application/json", "text/csv", "application/x-ndjson"}
    examples = entry["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"archive-invalid", "archive-not-images", "too-many-images", "no-ink", "not-an-image"} <= set(examples)
