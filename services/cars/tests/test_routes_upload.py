from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from cars.problems import PicturesUnavailable
from painted import BLUE, RED, Running, picture
from servicekit.problems import UploadStorageFull

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]
GIF = b"GIF89a\x01\x00\x01\x00\x00\x00\x00;"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def batch(service: Running, *files: tuple[str, bytes]) -> Any:
    return service.client.post("/upload/batch", files=[("files", file) for file in files])


def test_an_upload_is_201_with_the_files_metadata(service: Running) -> None:
    answer = service.upload(picture(RED), "car.png")
    assert answer.status_code == 201
    file = answer.json()
    assert next(iter(file)) == "id"
    assert file["id"] == 1
    assert (file["filename"], file["content_type"], file["width"], file["height"]) == ("car.png", "image/png", 64, 48)
    assert (file["status"], file["predictions"], file["recognized"], file["duplicate"]) == ("pending", [], None, False)


def test_the_same_bytes_are_the_same_file_with_what_is_known_of_it(service: Running) -> None:
    service.stored(picture(RED))
    service.client.post("/inference/1")
    again = service.upload(picture(RED), "other-name.png")
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["duplicate"], again.json()["status"]) == (1, True, "recognized")
    assert len(service.client.get("/files/").json()["items"]) == 1


def test_an_id_of_a_deleted_file_is_not_used_again(service: Running) -> None:
    service.stored(picture(RED))
    assert service.client.delete("/files/1").status_code == 204
    assert service.stored(picture(RED)) == 2


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("note.txt", b"hello"),
        ("empty.jpg", b""),
        ("car.gif", GIF),
        ("car.heic", HEIC),
        ("car.svg", SVG),
        ("car.jpg", picture(RED, (640, 480), "JPEG")[:400]),
        ("car.png", picture(RED)[:-30]),
    ],
)
def test_what_is_no_jpeg_or_png_is_refused_and_not_stored(
    service: Running, refusal: Refusal, name: str, data: bytes
) -> None:
    status, slug, detail = refusal(service.upload(data, name))
    assert (status, slug) == (422, "not-an-image")
    assert name in detail
    assert service.client.get("/files/").json()["items"] == []


def test_a_file_over_the_limit_is_413(run_service: Run, refusal: Refusal) -> None:
    with run_service(max_file_bytes=2000) as service:
        status, slug, detail = refusal(service.upload(picture(RED) + bytes(2001)))
        assert (status, slug) == (413, "file-too-large")
        assert "2000" in detail


def test_too_many_pixels_are_422_with_the_limit(run_service: Run, refusal: Refusal) -> None:
    with run_service(max_pixels=3000) as service:
        status, slug, detail = refusal(service.upload(picture(RED)))
        assert (status, slug) == (422, "image-too-large")
        assert "3072 pixels (64 × 48), the limit is 3000" in detail


def test_no_file_and_no_form_are_refused(service: Running, refusal: Refusal) -> None:
    assert refusal(service.client.post("/upload/", files={"image": ("a.png", picture())}))[1] == "file-missing"
    assert refusal(service.client.post("/upload/", json={}))[1] == "unsupported-media-type"
    assert refusal(service.client.post("/upload/?x=1", files={"file": ("a.png", picture())}))[1] == "invalid-input"


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd.png", "=cmd|' /C calc'!A0.png", "<img src=x onerror=alert(1)>.png", "a\x07b.png", "a" * 3000],
)
def test_any_name_is_harmless(service: Running, name: str) -> None:
    service.stored(picture(RED), name)
    shown = service.client.get("/files/1").json()["filename"]
    assert "/" not in shown
    assert shown.isprintable()
    assert len(shown) <= 255
    image = service.client.get("/files/1/image")
    assert image.status_code == 200
    assert not set('<>\r\n\\"') & set(image.headers["content-disposition"].partition('"')[2].rpartition('"')[0])


def test_a_name_that_fills_the_head_of_its_part_is_refused(service: Running, refusal: Refusal) -> None:
    assert refusal(service.upload(picture(RED), "a" * 5000))[:2] == (400, "multipart-invalid")


def test_a_batch_answers_per_file_and_keeps_the_good_ones(run_service: Run) -> None:
    with run_service(max_file_bytes=4000) as service:
        large = picture(RED, (8, 8)) + bytes(5000)
        answer = batch(service, ("a.png", picture(RED)), ("n.txt", b"no"), ("l.png", large), ("a2.png", picture(RED)))
        assert answer.status_code == 207
        items = answer.json()["items"]
        assert [(item["filename"], item["status"]) for item in items] == [
            ("a.png", 201),
            ("n.txt", 422),
            ("l.png", 413),
            ("a2.png", 200),
        ]
        assert items[0]["file"]["id"] == items[3]["file"]["id"] == 1
        assert items[1]["error"]["type"] == "urn:lineside:problem:not-an-image"
        assert "request_id" not in items[1]["error"]


def test_a_batch_has_at_most_so_many_files(run_service: Run, refusal: Refusal) -> None:
    with run_service(max_files=1) as service:
        answer = batch(service, ("a.png", picture(RED)), ("b.png", picture(BLUE)))
        assert refusal(answer)[:2] == (422, "too-many-files")


@pytest.mark.parametrize(
    ("problem", "status"),
    [(UploadStorageFull("no room", headers={}), 507), (PicturesUnavailable("away", headers={"Retry-After": "5"}), 503)],
)
def test_a_storage_that_fails_refuses_uploads_while_reads_go_on(
    service: Running, refusal: Refusal, monkeypatch: pytest.MonkeyPatch, problem: Exception, status: int
) -> None:
    service.stored(picture(RED))

    def put(_key: str, _data: bytes) -> None:
        raise problem

    storage = service.client.app.state.services.storage  # type: ignore[attr-defined] # a Service
    with monkeypatch.context() as patched:
        patched.setattr(storage, "put", put)
        assert refusal(service.upload(picture(BLUE)))[0] == status
        assert refusal(batch(service, ("b.png", picture(BLUE))))[0] == status
        assert [item["status"] for item in batch(service, ("b", picture(BLUE)), ("a", picture())).json()["items"]] == [
            status,
            200,
        ]
        assert service.client.get("/files/1/image").content == picture(RED)
        assert service.client.get("/files/1/thumbnail").status_code == 200
    assert service.upload(picture(BLUE)).status_code == 201
