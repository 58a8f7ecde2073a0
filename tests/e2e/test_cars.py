"""cars: every call of the contract, happy and refused, over HTTP against a base URL."""

import csv
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import hostile
import httpx2
import pytest
from answers import everything, expect, refused
from PIL import Image, ImageDraw

METADATA = {
    "id", "filename", "sha256", "size_bytes", "width", "height", "content_type", "uploaded_at", "status", "predictions",
}  # fmt: skip


def drawn(kind: str = "JPEG", *, size: tuple[int, int] = (640, 400), **save: Any) -> bytes:
    """Returns a picture of something like a car, unlike any that was made before."""
    picture = Image.new("RGB", size, "lightsteelblue")
    draw = ImageDraw.Draw(picture)
    width, height = size
    draw.rectangle((0, height * 0.75, width, height), fill="dimgray")
    draw.rounded_rectangle((width * 0.15, height * 0.45, width * 0.85, height * 0.75), 30, fill="firebrick")
    draw.polygon([(width * x, height * y) for x, y in ((0.3, 0.45), (0.4, 0.25), (0.65, 0.25), (0.75, 0.45))], "navy")
    for x in (0.28, 0.72):
        draw.ellipse((width * x - 40, height * 0.75 - 40, width * x + 40, height * 0.75 + 40), fill="black")
    for bit in range(64):  # the time, so that no two pictures are the same
        draw.point((bit, 0), fill="white" if time.time_ns() >> bit & 1 else "black")
    file = io.BytesIO()
    picture.save(file, kind, **save)
    return file.getvalue()


def upload(api: httpx2.Client, data: bytes, name: str = "car.jpg") -> dict[str, Any]:
    answer = api.post("/cars/upload/", files={"file": (name, data)})
    stored: dict[str, Any] = expect(answer, 201)
    return stored


@pytest.fixture
def stored(api: httpx2.Client) -> Iterator[dict[str, Any]]:
    """Yields the metadata of a picture of its own; deletes it afterwards."""
    file = upload(api, drawn())
    yield file
    api.delete(f"/cars/files/{file['id']}")


# --- upload -----------------------------------------------------------------------------------------------------------


def test_an_upload_is_stored_and_told(api: httpx2.Client, stored: dict[str, Any]) -> None:
    assert set(stored) >= METADATA
    assert (stored["filename"], stored["content_type"]) == ("car.jpg", "image/jpeg")
    assert (stored["width"], stored["height"], stored["status"], stored["predictions"]) == (640, 400, "pending", [])
    assert stored["id"] >= 1
    assert len(stored["sha256"]) == 64
    assert expect(api.get(f"/cars/files/{stored['id']}"), 200)["sha256"] == stored["sha256"]


def test_the_same_bytes_have_the_same_id(api: httpx2.Client) -> None:
    data = drawn("PNG")
    first, second = (api.post("/cars/upload/", files={"file": (name, data)}).json() for name in ("one.png", "two.png"))
    assert (first["duplicate"], second["duplicate"]) == (False, True)
    assert first["id"] == second["id"]
    api.delete(f"/cars/files/{first['id']}")


def test_the_path_works_with_and_without_the_last_slash(api: httpx2.Client) -> None:
    for path in ("/cars/upload", "/cars/upload/"):
        file = expect(api.post(path, files={"file": drawn()}), 201)
        api.delete(f"/cars/files/{file['id']}")


def test_a_batch_tells_of_each_file(api: httpx2.Client) -> None:
    files = [("files", ("good.jpg", drawn())), ("files", ("bad.jpg", b"text")), ("files", ("good.png", drawn("PNG")))]
    items = expect(api.post("/cars/upload/batch", files=files), 207)["items"]
    assert [item["status"] for item in items] == [201, 422, 201]
    assert items[1]["error"]["type"].endswith("not-an-image")
    for item in items:
        if item["status"] == 201:
            api.delete(f"/cars/files/{item['file']['id']}")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_shown_upright_and_without_its_place(api: httpx2.Client, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8825)[2] = (53.0, 33.0, 0.0)  # GPSLatitude
    file = upload(api, drawn(exif=exif.tobytes()))
    upright = (400, 640) if orientation >= 5 else (640, 400)
    assert (file["width"], file["height"]) == upright
    kept = Image.open(io.BytesIO(api.get(f"/cars/files/{file['id']}/image").content))
    assert not kept.getexif().get_ifd(0x8825)
    api.delete(f"/cars/files/{file['id']}")


@pytest.mark.parametrize(
    ("data", "status", "slug"),
    [
        (b"", 422, "not-an-image"),
        (b"only a text", 422, "not-an-image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 422, "not-an-image"),
        (hostile.claims(30_000, 30_000), 422, "image-too-large"),
        (drawn()[:500], 422, "not-an-image"),
        (b"\xff" * 10_485_761, 413, "file-too-large"),
    ],
    ids=["empty", "text", "SVG", "30,000 wide", "cut", "10 MB + 1 byte"],
)
def test_a_bad_file_is_refused_and_not_kept(api: httpx2.Client, data: bytes, status: int, slug: str) -> None:
    before = expect(api.get("/cars/visualization/stats"), 200)["files"]
    refused(api.post("/cars/upload/", files={"file": ("car.jpg", data)}), status, slug)
    assert expect(api.get("/cars/visualization/stats"), 200)["files"] == before


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "=cmd|' '!A0.jpg", "<img src=x onerror=alert(1)>.jpg", "x" * 1000]
)
def test_hostile_names_are_harmless(api: httpx2.Client, name: str) -> None:
    file = upload(api, drawn(), name)
    assert len(file["filename"]) <= 255
    image = api.get(f"/cars/files/{file['id']}/image")
    assert image.status_code == 200
    assert image.headers["x-content-type-options"] == "nosniff"
    rows = list(csv.reader(io.StringIO(api.get("/cars/visualization/export/csv").text)))
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)
    assert "<img src=x" not in api.get("/cars/visualization/report").text
    api.delete(f"/cars/files/{file['id']}")


# --- inference --------------------------------------------------------------------------------------------------------


def test_a_stored_picture_is_recognised_and_keeps_its_answer(api: httpx2.Client, stored: dict[str, Any]) -> None:
    answer = expect(api.post(f"/cars/inference/{stored['id']}"), 200)
    assert answer["id"] == stored["id"]
    assert answer["backend"] == "local"
    assert answer["recognized"] in (True, False)
    assert answer["recognized"] or answer["reason"] in ("no_car", "unknown_model", "low_confidence")
    assert len(answer["predictions"]) <= 5
    for prediction in answer["predictions"]:
        assert set(prediction) == {"label", "make", "model", "body", "year", "confidence"}
        assert 0 <= prediction["confidence"] <= 1
    kept = expect(api.get(f"/cars/files/{stored['id']}"), 200)
    assert kept["predictions"] == answer["predictions"]
    assert kept["status"] in ("recognized", "unrecognized")
    again = expect(api.post(f"/cars/files/{stored['id']}/reprocess"), 200)
    assert (again["status"], again["predictions"]) == ("pending", [])


def test_a_picture_without_a_car_is_no_car(api: httpx2.Client) -> None:
    answer = expect(api.post("/cars/recognize", files={"file": hostile.blank(300, 200)}), 200)
    assert (answer["recognized"], answer["reason"]) == (False, "no_car")


@pytest.mark.parametrize("make", [lambda ids: ids, lambda ids: {"image_ids": ids}], ids=["a list", "an object"])
def test_a_batch_of_ids_tells_of_each(api: httpx2.Client, stored: dict[str, Any], make: Any) -> None:
    items = expect(api.post("/cars/inference/batch", json=make([stored["id"], 2**40])), 207)["items"]
    assert [item["status"] for item in items] == [200, 404]


@pytest.mark.parametrize("number", ["0", "-1", "99999999999", "9" * 30, "abc"])
def test_an_id_that_is_none_is_refused(api: httpx2.Client, number: str) -> None:
    for method, path in (("POST", "inference/{}"), ("GET", "files/{}"), ("DELETE", "files/{}")):
        answer = api.request(method, f"/cars/{path.format(number)}")
        assert answer.status_code in (404, 422)
        assert answer.json()["type"].startswith("urn:lineside:problem:")


# --- files ------------------------------------------------------------------------------------------------------------


def test_files_are_listed_newest_first_and_filtered(api: httpx2.Client) -> None:
    ids = [upload(api, drawn(), f"listed-{number}.jpg")["id"] for number in range(5)]
    listed = [item["id"] for item in everything(api, "/cars/files/?q=listed-", limit=2)]
    assert listed == ids[::-1]
    assert listed == [item["id"] for item in everything(api, "/cars/files?q=listed-&status=pending", limit=3)]
    for number in ids:
        assert api.delete(f"/cars/files/{number}").status_code == 204
        refused(api.get(f"/cars/files/{number}"), 404, "unknown-file")


def test_pictures_and_thumbnails_are_given_and_cached(api: httpx2.Client, stored: dict[str, Any]) -> None:
    for path, side in (("image", 640), ("thumbnail", 320)):
        answer = api.get(f"/cars/files/{stored['id']}/{path}")
        assert answer.headers["content-type"] == "image/jpeg"
        assert max(Image.open(io.BytesIO(answer.content)).size) <= side
        again = api.get(f"/cars/files/{stored['id']}/{path}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


# --- visualization, labels, models ------------------------------------------------------------------------------------


def test_statistics_csv_and_report_tell_of_what_is_stored(api: httpx2.Client, stored: dict[str, Any]) -> None:
    stats = expect(api.get("/cars/visualization/stats"), 200)
    assert stats["files"] == sum(stats["by_status"].values()) >= 1
    table = api.get("/cars/visualization/export/csv")
    assert table.headers["content-type"].startswith("text/csv")
    assert str(stored["id"]) in [row["id"] for row in csv.DictReader(io.StringIO(table.text))]
    report = api.get("/cars/visualization/report")
    assert report.headers["content-type"].startswith("text/html")
    assert "<svg" in report.text
    assert "<script" not in report.text


def test_the_model_tells_what_it_knows(api: httpx2.Client) -> None:
    labels = expect(api.get("/cars/labels"), 200)["items"]
    assert len(labels) == 196
    assert {"index", "name", "make", "model", "body", "year"} <= set(labels[0])
    models = expect(api.get("/cars/models"), 200)["items"]
    assert all(len(model["sha256"]) == 64 for model in models if model.get("sha256"))
    assert json.dumps(models)
