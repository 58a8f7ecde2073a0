import asyncio
import csv
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import hostile
import httpx2
import pytest
from digit.app import create_app
from digit.settings import Settings
from starlette.testclient import TestClient

Png = Callable[..., bytes]
Zipped = Callable[..., bytes]
File = tuple[str, bytes]
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}


def post(client: TestClient, *files: File, query: str = "", **options: Any) -> Any:
    return client.post(f"/predict_batch{query}", files=[("files", file) for file in files], **options)


def refusal(answer: Any) -> tuple[int, str, str]:
    """Returns status, slug and detail of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["error"] == problem["detail"]
    return answer.status_code, problem["type"].removeprefix("urn:lineside:problem:"), problem["detail"]


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


def test_a_stream_has_a_line_for_each_picture_in_order_and_a_last_one(
    client: TestClient, png: Png, zipped: Zipped
) -> None:
    files = hundred(png)
    *told, last = lines(post(client, ("all.zip", zipped(*files)), headers=NDJSON))
    assert [line["name"] for line in told] == [name for name, _ in files]
    assert [line["prediction"] for line in told] == [i % 10 for i in range(100)]
    assert all(set(line) == {"name", "prediction", "confidence", "is_digit"} for line in told)
    assert last == {"done": True, "total": 100, "failed": 0}


def test_a_stream_tells_detail_where_it_is_asked_for(client: TestClient, png: Png) -> None:
    first, _ = lines(post(client, ("a.png", png(6)), query="?detail=true", headers=NDJSON))
    assert {"probabilities", "model", "box"} <= set(first)


def test_a_file_that_is_no_picture_refuses_the_batch(client: TestClient, png: Png) -> None:
    for headers in ({}, CSV, NDJSON):
        answer = post(client, ("a.png", png(1)), ("filename.png", b"text"), headers=headers)
        assert refusal(answer) == (422, "not-an-image", "File is not an image: filename.png")


def test_a_zip_with_a_file_that_is_no_picture_is_refused(client: TestClient, png: Png, zipped: Zipped) -> None:
    archive = zipped(("a.png", png(1)), ("docs/file_name", b"text"))
    for headers in ({}, CSV, NDJSON):
        answer = post(client, ("a.zip", archive), headers=headers)
        assert refusal(answer) == (422, "archive-not-images", "Zip contains non-image file: file_name")
        assert "text" in answer.json()["reason"]


def test_a_blank_picture_refuses_the_batch(client: TestClient, png: Png) -> None:
    answer = post(client, ("a.png", png(1)), ("blank.png", png(1, ink=9, paper=9)))
    assert refusal(answer) == (422, "no-ink", "The picture is blank: no ink was found: blank.png")


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


def test_a_stream_that_has_begun_ends_with_the_error(client: TestClient, png: Png, zipped: Zipped) -> None:
    files = [*hundred(png), ("bad.png", b"text")]
    *told, last = lines(post(client, ("all.zip", zipped(*files)), headers=NDJSON))
    assert len(told) == 100
    assert last == {"done": False, "total": 100, "failed": 0, "error": "Zip contains non-image file: bad.png"}


@pytest.mark.parametrize(
    "kind", [kind for kind in hostile.BAD_ARCHIVES if kind not in ("nothing", "text", "a picture")]
)
def test_a_bad_archive_is_refused_whole(client: TestClient, kind: str) -> None:
    word, make = hostile.BAD_ARCHIVES[kind]
    data = make()
    answer = post(client, ("bad.zip", data))
    status, slug, detail = refusal(answer)
    assert status == 422
    if data.startswith(b"PK"):
        assert slug == "archive-invalid"
        assert detail.startswith("bad.zip: ")
        assert word in detail
    else:
        assert (slug, detail) == ("not-an-image", "File is not an image: bad.zip")


@pytest.mark.parametrize("kind", hostile.PARTLY_BAD_ARCHIVES)
def test_a_bad_entry_refuses_its_archive_unless_it_is_skipped(client: TestClient, kind: str) -> None:
    word, make = hostile.PARTLY_BAD_ARCHIVES[kind]
    archive = ("some.zip", make())
    refused = post(client, archive)
    assert refusal(refused) == (422, "archive-not-images", "Zip contains non-image file: bad.png")
    assert word in refused.json()["reason"]
    skipped = post(client, archive, query="?on_error=skip").json()
    assert skipped["predictions"] == {"good.png": 7}
    assert word in skipped["errors"]["bad.png"]


def test_an_archive_that_proves_damaged_on_the_way_keeps_what_was_read(client: TestClient, png: Png) -> None:
    lies = hostile.Part(b"lies.png", packed=hostile.zeros(9), crc=0, size=1_000_000)
    parts = [hostile.Part(b"good.png", png(7)), lies, hostile.Part(b"after.png", png(1))]
    archive = ("x.zip", hostile.archive(parts))
    assert refusal(post(client, archive))[:2] == (422, "archive-invalid")
    answer = post(client, archive, query="?on_error=skip").json()
    assert answer["predictions"] == {"good.png": 7}
    assert set(answer["errors"]) == {"lies.png", "after.png"}
    assert "more bytes than" in answer["errors"]["after.png"]


def test_two_thousand_files_are_a_batch(client: TestClient, png: Png) -> None:
    data = png(8)
    answer = post(client, *[(f"{i}.png", data) for i in range(2000)], query="?model=cnn")
    assert answer.json()["predictions"] == {f"{i}.png": 8 for i in range(2000)}


@pytest.fixture(scope="module")
def narrow() -> Iterator[TestClient]:
    """A service with limits that small files reach."""
    limits: dict[str, int] = {"max_images": 5, "max_file_bytes": 4096, "max_unpacked_bytes": 20_000}
    with TestClient(create_app(Settings(**limits, max_upload_bytes=50_000))) as client:
        yield client


def test_too_many_pictures_are_refused_however_they_come(narrow: TestClient, png: Png, zipped: Zipped) -> None:
    six = [(f"{i}.png", png(1)) for i in range(6)]
    assert refusal(post(narrow, *six))[:2] == (422, "too-many-files")
    status, slug, detail = refusal(post(narrow, ("a.zip", zipped(*six[:4])), ("b.zip", zipped(*six[4:]))))
    assert (status, slug) == (422, "too-many-images")
    assert "6 images" in detail
    assert "5" in detail
    assert post(narrow, *six[:5]).status_code == 200


def test_a_picture_over_the_limit_of_bytes_is_refused(narrow: TestClient, png: Png, zipped: Zipped) -> None:
    large = png(1) + bytes(5000)
    assert refusal(post(narrow, ("a.png", large)))[:2] == (413, "file-too-large")
    status, slug, _ = refusal(post(narrow, ("a.zip", zipped(("a.png", large)))))
    assert (status, slug) == (422, "archive-not-images")
    skipped = post(narrow, ("a.png", large), ("b.png", png(2)), query="?on_error=skip").json()
    assert skipped["predictions"] == {"b.png": 2}
    assert "4096" in skipped["errors"]["a.png"]


def test_all_archives_together_unpack_to_no_more_than_the_limit(narrow: TestClient, png: Png, zipped: Zipped) -> None:
    data = png(1) + bytes(3500)
    archives = [(f"{name}.zip", zipped(*((f"{name}{i}.png", data) for i in range(2)))) for name in "abc"]
    assert post(narrow, *archives[:2]).status_code == 200
    limited = TestClient(create_app(Settings(max_unpacked_bytes=10_000)))
    with limited:
        status, slug, detail = refusal(post(limited, *archives))
    assert (status, slug) == (422, "archive-invalid")
    assert "10000" in detail


def test_a_body_over_the_limit_is_refused(narrow: TestClient) -> None:
    assert refusal(post(narrow, ("a.zip", bytes(60_000))))[:2] == (413, "body-too-large")


def test_another_field_and_no_file_are_refused(client: TestClient, png: Png) -> None:
    status, slug, detail = refusal(client.post("/predict_batch", files={"file": ("a.png", png(1))}))
    assert (status, slug) == (422, "file-missing")
    assert '"files"' in detail
    assert '"file"' in detail


def test_an_empty_archive_is_an_empty_batch(client: TestClient, zipped: Zipped) -> None:
    assert post(client, ("a.zip", zipped())).json() == {"predictions": {}}
    assert lines(post(client, ("a.zip", zipped()), headers=NDJSON)) == [{"done": True, "total": 0, "failed": 0}]


@pytest.mark.parametrize("query", ["?on_eror=skip", "?on_error=ignore", "?detail=2", "?model=resnet"])
def test_a_query_that_the_call_does_not_take_is_refused(client: TestClient, png: Png, query: str) -> None:
    status, slug, _ = refusal(post(client, ("a.png", png(1)), query=query))
    assert (status, slug) == (422, "unknown-model" if "model" in query else "invalid-input")


def test_the_document_has_what_the_hot_path_serves(client: TestClient) -> None:
    entry = client.get("/openapi.json").json()["paths"]["/predict_batch"]["post"]
    assert entry["requestBody"]["content"]["multipart/form-data"]["schema"]["properties"]["files"]["type"] == "array"
    assert {parameter["name"] for parameter in entry["parameters"]} == {"model", "detail", "on_error"}
    assert set(entry["responses"]["200"]["content"]) == {"application/json", "text/csv", "application/x-ndjson"}
    examples = entry["responses"]["422"]["content"]["application/problem+json"]["examples"]
    assert {"archive-invalid", "archive-not-images", "too-many-images", "no-ink", "not-an-image"} <= set(examples)


def test_lines_come_while_the_rest_is_still_read(server: Any, png: Png, zipped: Zipped) -> None:
    data = png(3, 400)
    body = {"files": ("a.zip", zipped(*((f"{i}.png", data) for i in range(300))))}
    with httpx2.stream("POST", f"{server.url}/predict_batch", files=body, headers=NDJSON, timeout=60) as answer:
        arrivals = answer.iter_lines()
        assert json.loads(next(arrivals))["name"] == "0.png"
        assert images_read(server.url) < 300
        assert json.loads(list(arrivals)[-1]) == {"done": True, "total": 300, "failed": 0}


def test_a_client_that_goes_stops_the_work(server: Any, png: Png, zipped: Zipped) -> None:
    data = png(3, 400)
    before = images_read(server.url)
    body = {"files": ("a.zip", zipped(*((f"{i}.png", data) for i in range(1000))))}
    with httpx2.stream("POST", f"{server.url}/predict_batch", files=body, headers=NDJSON, timeout=60) as answer:
        next(answer.iter_lines())
    settled = asyncio.run(until_settled(server.url))
    assert 0 < settled - before < 1000


def images_read(url: str) -> float:
    text = httpx2.get(f"{url}/metrics").text
    found = [line for line in text.splitlines() if line.startswith("digit_images_total") and "/predict_batch" in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


async def until_settled(url: str) -> float:
    """Returns how many were read when no more are."""
    last, now = -1.0, images_read(url)
    while now != last:
        await asyncio.sleep(1)
        last, now = now, images_read(url)
    return now
