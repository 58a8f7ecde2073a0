from collections.abc import Callable, Iterator
from typing import Any

import hostile
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


@pytest.mark.parametrize("query", ["?on_eror=skip", "?on_error=ignore", "?detail=2", "?model=resnet"])
def test_a_query_that_the_call_does_not_take_is_refused(client: TestClient, png: Png, query: str) -> None:
    status, slug, _ = refusal(post(client, ("a.png", png(1)), query=query))
    assert (status, slug) == (422, "unknown-model" if "model" in query else "invalid-input")
