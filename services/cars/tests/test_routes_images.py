import io
from collections.abc import Callable
from typing import Any

import pytest
from cars.routes.images import disposition
from painted import RED, Running, picture
from PIL import Image

Refusal = Callable[[Any], tuple[int, str, str]]


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("JPEG", "image/jpeg")])
def test_the_picture_comes_with_its_type_and_headers_that_keep_it_harmless(
    service: Running, kind: str, media_type: str
) -> None:
    data = picture(RED, kind=kind)
    service.stored(data)
    answer = service.client.get("/files/1/image")
    assert answer.content == data
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["etag"] == f'"{service.client.get("/files/1").json()["sha256"]}"'
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("path", ["/files/1/image", "/files/1/thumbnail"])
def test_a_client_that_has_the_picture_is_told_so(service: Running, path: str) -> None:
    service.stored(picture(RED))
    etag = service.client.get(path).headers["etag"]
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = service.client.get(path, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert service.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_large_picture_comes_whole(service: Running) -> None:
    noise = Image.effect_noise((1200, 1000), 90)
    file = io.BytesIO()
    noise.save(file, "PNG")
    assert len(file.getvalue()) > 1_000_000
    service.stored(file.getvalue())
    assert service.client.get("/files/1/image").content == file.getvalue()


def test_a_thumbnail_is_a_small_jpeg(service: Running) -> None:
    service.stored(picture(RED, (1600, 900)))
    answer = service.client.get("/files/1/thumbnail")
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).size == (320, 180)
    assert service.client.get("/files/1/thumbnail").content == answer.content


def test_a_name_in_a_header_has_a_plain_and_a_whole_form() -> None:
    assert disposition('a"b\\;é.jpg') == "inline; filename=\"a_b___.jpg\"; filename*=UTF-8''a%22b%5C%3B%C3%A9.jpg"
    assert disposition("\ud800.jpg") == "inline; filename=\"_.jpg\"; filename*=UTF-8''%3F.jpg"
