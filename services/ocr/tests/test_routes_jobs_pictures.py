"""The pages of a job's file as pictures."""

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pdfs
import pytest
from ocr import drawing
from PIL import Image
from servicekit import auth
from starlette.testclient import TestClient

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[TestClient]]
ENDED = ("succeeded", "failed", "cancelled")
WAIT_S = 120


@pytest.fixture(scope="module")
def jobs(client: TestClient) -> TestClient:
    """The whole service, whose jobs are there."""
    wait_for(client, "/jobs", lambda answer: answer.status_code == 200)
    return client


def wait_for(client: TestClient, path: str, is_there: Callable[[Any], bool], headers: Any = None) -> Any:
    until = time.monotonic() + WAIT_S
    while not is_there(answer := client.get(path, headers=headers)):
        assert time.monotonic() < until, answer.text
        time.sleep(0.02)
    return answer


def finished(client: TestClient, data: bytes, headers: Any = None, **fields: str) -> str:
    """Returns the address of a job that has ended."""
    answer = client.post("/jobs", files={"file": ("scan.pdf", data)}, data=fields, headers=headers)
    place = f"/jobs/{answer.json()['id']}"
    wait_for(client, place, lambda answer: answer.json()["status"] in ENDED, headers)
    return place


def picture_of(answer: Any) -> Image.Image:
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"].startswith("private")
    assert {"Accept", "X-API-Key"} <= set(answer.headers["vary"].split(", "))
    picture = Image.open(io.BytesIO(answer.content))
    assert answer.headers["content-type"] == f"image/{str(picture.format).lower()}"
    return picture


def test_each_page_is_what_render_draws(jobs: TestClient) -> None:
    data = pdfs.mixed()
    place = finished(jobs, data, pages="1")
    for page in ("1", "2"):
        answer = jobs.get(f"{place}/pages/{page}/image")
        assert picture_of(answer).format == "JPEG"
        assert answer.content == jobs.post("/render", files={"file": data}, data={"page": page}).content
    png = jobs.get(f"{place}/pages/1/image?dpi=72", headers={"Accept": "image/png"})
    assert (picture_of(png).format, picture_of(png).size) == ("PNG", pdfs.A4)


def test_frames_of_an_image_are_its_pages(jobs: TestClient, png: Callable[..., bytes], refusal: Refusal) -> None:
    frames = [Image.open(io.BytesIO(png(text))) for text in ("Valve 17", "A longer line of text")]
    file = io.BytesIO()
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    place = finished(jobs, file.getvalue())
    assert [picture_of(jobs.get(f"{place}/pages/{n}/image")).size for n in (1, 2)] == [each.size for each in frames]
    assert refusal(jobs.get(f"{place}/pages/1/image?dpi=100"))[:2] == (422, "invalid-input")


def test_a_page_that_there_is_not_is_refused(jobs: TestClient, refusal: Refusal) -> None:
    place = finished(jobs, pdfs.digital(pages=2))
    assert refusal(jobs.get(f"{place}/pages/3/image"))[:2] == (422, "pages-invalid")
    for path in ("pages/0/image", "pages/two/image", "pages/1/image?dpi=9", "pages/1/image?page=2"):
        assert refusal(jobs.get(f"{place}/{path}"))[:2] == (422, "invalid-input")
    assert refusal(jobs.get(f"/jobs/{'0' * 32}/pages/1/image"))[:2] == (404, "unknown-job")


def test_a_broken_file_is_refused_as_it_was_when_it_was_read(jobs: TestClient, refusal: Refusal) -> None:
    place = finished(jobs, pdfs.truncated())
    assert refusal(jobs.get(f"{place}/pages/1/image"))[:2] == (422, "pdf-invalid")


def test_a_password_draws_pages_until_the_job_ends(run_service: Run, refusal: Refusal) -> None:
    data = pdfs.encrypted("open sesame", pdfs.scanned(60))
    with run_service() as client:
        wait_for(client, "/jobs", lambda answer: answer.status_code == 200)
        answer = client.post("/jobs", files={"file": data}, data={"password": "open sesame", "mode": "ocr"})
        place = f"/jobs/{answer.json()['id']}"
        assert picture_of(client.get(f"{place}/pages/60/image")).width > 0
        client.delete(place)
        assert refusal(client.get(f"{place}/pages/60/image"))[:2] == (422, "pdf-encrypted")


def test_another_keys_job_has_no_pictures(run_service: Run, refusal: Refusal) -> None:
    keys = {name: auth.generate(name, "read") for name in ("a", "b")}
    as_ = {name: {"X-API-Key": secret} for name, (secret, _) in keys.items()}
    with run_service(api_keys=[line for _, line in keys.values()]) as client:
        wait_for(client, "/jobs", lambda answer: answer.status_code == 200, as_["a"])
        place = finished(client, pdfs.digital(), as_["a"])
        assert picture_of(client.get(f"{place}/pages/1/image", headers=as_["a"]))
        assert refusal(client.get(f"{place}/pages/1/image", headers=as_["b"]))[:2] == (404, "unknown-job")


def test_a_job_that_is_deleted_while_it_is_drawn_is_unknown(
    jobs: TestClient, refusal: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = finished(jobs, pdfs.digital())
    draw = drawing.document_page

    async def late(reader: Any, path: Path, request: Any) -> bytes:
        store = jobs.app.state.services.jobs.store  # type: ignore[attr-defined] # our own application
        store.delete(place.rpartition("/")[2])
        return await draw(reader, path, request)

    monkeypatch.setattr(drawing, "document_page", late)
    assert refusal(jobs.get(f"{place}/pages/1/image"))[:2] == (404, "unknown-job")
