"""Odd and hostile files and names, sent to the real service with its own model: each works, or costs one request."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import hostile
import httpx2
import numpy as np
import pytest
from cars_process import Server, on_disk, photograph, problem, send, stored
from PIL import Image, ImageDraw

MOST_MIB = 250
MAX_FILE_BYTES = 10_485_760
SCRIPT = b"<script>alert(document.domain)</script>"
REFUSED = {
    **{name: make for name, (_, make) in hostile.OTHER_KINDS.items()},
    **{
        name: hostile.BROKEN[name][1]
        for name in (
            "half a PNG",
            "half a JPEG",
            "half a progressive JPEG",
            "a PNG's first 8 bytes",
            "a JPEG's first 3 bytes",
            "a wrong checksum of the pixels",
            "no pixels",
            "no end",
            "5,000 passes",
            "100,000 chunks",
            "100,000 segments",
            "two headers",
        )
    },
    "a GIF that is a script": lambda: b"GIF89a/*" + bytes(64) + b"*/=1;alert(1)",
    "a PDF before a JPEG": lambda: b"%PDF-1.7\n" + photograph("JPEG"),
}
TOO_LARGE = {
    "30,000 x 30,000 px in 100 kB": lambda: hostile.claims(30_000, 30_000),
    "30,000 x 30,000 px of 64 bits": lambda: hostile.claims(30_000, 30_000, 16, hostile.RGB_ALPHA),
    "65,535 x 65,535 px": lambda: hostile.resized_jpeg(65_535, 65_535),
}
POLYGLOTS = {
    "a JPEG with a script in a comment": lambda: hostile.with_segment(photograph("JPEG"), 0xFE, SCRIPT),
    "a page after a JPEG": lambda: photograph("JPEG") + b"<!doctype html>" + SCRIPT,
    "a ZIP after a PNG": lambda: photograph() + hostile.zipped(("a.txt", b"a")),
    "a PNG with a script in a text": lambda: scripted(),
}
NAMES = {
    "slashes": b"../../etc/passwd.png",
    "backslashes": b"..\\\\..\\\\boot.ini",
    "a formula": b"=cmd|' /C calc'!A0.png",
    "markup": b"<img src=x onerror=alert(1)>.png",
    "a quote": b"a%22b.png",
    "controls": b"a\x07\x1b[31mb\x7f.png",
    "a line break": b"a%0D%0AX-Evil: 1.png",
    "a right-to-left mark": "a\u202egnp.exe".encode(),
    "no UTF-8": b"\xff\xfe\xfd.png",
    "nothing": b"",
    "a dot": b"..",
    "255 characters": "я".encode() * 255,
    "3,000 characters": b"a" * 3000,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    server = Server(folder / "server", on_disk(folder).settings)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def count(client: httpx2.Client) -> int:
    files: int = client.get("/visualization/stats").json()["files"]
    return files


def scripted() -> bytes:
    picture = Image.open(io.BytesIO(photograph()))
    rows = np.asarray(picture).reshape(picture.height, -1)
    text = hostile.chunk(b"tEXt", b"Comment\0" + SCRIPT)
    return hostile.png(hostile.header(*picture.size, colour=hostile.RGB), [row.tobytes() for row in rows], text)


def named(client: httpx2.Client, name: bytes, data: bytes, path: str = "/upload/", field: str = "file") -> Any:
    """Sends a form whose bytes are as they stand here: a client's library would mend the name."""
    head = b'--cut\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n' % (field.encode(), name)
    body = head + b"Content-Type: image/png\r\n\r\n" + data + b"\r\n--cut--\r\n"
    return client.post(path, content=body, headers={"Content-Type": "multipart/form-data; boundary=cut"})


@pytest.mark.parametrize("kind", [name for name in hostile.SEVENS if "bomb" not in name])
def test_all_kinds_of_jpeg_and_png_work(client: httpx2.Client, kind: str) -> None:
    answer = send(client, hostile.SEVENS[kind]())
    assert answer.status_code in (200, 201), answer.text
    file = answer.json()
    assert (file["width"], file["height"]) == (64, 64)
    small = client.get(f"/files/{file['id']}/thumbnail")
    assert Image.open(io.BytesIO(small.content)).format == "JPEG"
    assert client.get(f"/files/{file['id']}/image").headers["content-type"] == file["content_type"]
    read = client.post(f"/inference/{file['id']}")
    assert read.json()["status"] in ("recognized", "unrecognized"), read.text


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_a_picture_that_exif_turns_is_upright_everywhere(
    client: httpx2.Client, server: Server, orientation: int, order: str
) -> None:
    upright = Image.new("RGB", (120, 60), "white")
    ImageDraw.Draw(upright).rectangle((0, 0, 40, 20), fill="red")
    ImageDraw.Draw(upright).rectangle((0, 40, 20, 60), fill="blue")
    upright.putpixel((119, 59 - orientation), (0, 0, ord(order)))  # another picture each time
    file = send(client, hostile.exif_jpeg(upright, orientation, order)).json()
    assert (file["width"], file["height"]) == (120, 60)
    small = Image.open(io.BytesIO(client.get(f"/files/{file['id']}/thumbnail").content)).convert("RGB")
    wanted = np.asarray(upright.resize(small.size), np.int16)
    assert np.abs(np.asarray(small, np.int16) - wanted).mean() < 8
    region = {"x": 80, "y": 0, "width": 40, "height": 60}
    read = client.post(f"/inference/{file['id']}", params={"bbox": "80,0,40,60"})
    assert read.json()["region"] == region, read.text


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_sound_picture_is_refused_and_nothing_kept(client: httpx2.Client, kind: str) -> None:
    before, data = count(client), REFUSED[kind]()
    for path in ("/upload/", "/recognize"):
        answer = client.post(path, files={"file": ("car.jpg", data)})
        assert problem(answer) == (422, "not-an-image"), answer.text
        assert len(answer.content) < 2000
    assert count(client) == before


@pytest.mark.parametrize("kind", TOO_LARGE)
def test_too_many_pixels_are_refused_by_the_header_alone(client: httpx2.Client, kind: str) -> None:
    data = TOO_LARGE[kind]()
    assert len(data) < 100_000
    for path in ("/upload/", "/recognize"):
        assert problem(client.post(path, files={"file": ("car.jpg", data)})) == (422, "image-too-large")


def test_ten_megabytes_are_taken_and_one_byte_more_is_not(client: httpx2.Client) -> None:
    data = photograph("JPEG")
    most = data + bytes(MAX_FILE_BYTES - len(data))
    assert problem(send(client, most + b"\0")) == (413, "file-too-large")
    assert send(client, most).status_code == 201
    form = [("files", ("large.jpg", most + b"\0")), ("files", ("good.png", photograph()))]
    assert [item["status"] for item in client.post("/upload/batch", files=form).json()["items"]] == [413, 201]


@pytest.mark.parametrize("kind", POLYGLOTS)
def test_a_picture_that_is_something_else_too_is_given_as_a_picture_alone(client: httpx2.Client, kind: str) -> None:
    image_id = stored(client, POLYGLOTS[kind]())
    answer = client.get(f"/files/{image_id}/image", headers={"Accept": "text/html"})
    assert answer.headers["content-type"] in ("image/jpeg", "image/png")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert b"<script>" not in client.get(f"/files/{image_id}/thumbnail").content
    assert client.post(f"/inference/{image_id}").status_code == 200


@pytest.mark.parametrize("kind", NAMES)
def test_any_name_is_harmless_wherever_it_is_shown(client: httpx2.Client, kind: str) -> None:
    answer = named(client, NAMES[kind], photograph())
    if answer.status_code == 400:  # a head that no multipart may have
        assert problem(answer) == (400, "multipart-invalid")
        return
    assert answer.status_code == 201, answer.text
    file = answer.json()
    shown = file["filename"]
    assert shown
    assert shown.isprintable()
    assert len(shown) <= 255
    assert not set("/\\") & set(shown)
    image = client.get(f"/files/{file['id']}/image")
    assert "x-evil" not in image.headers
    assert image.headers["content-disposition"].isascii()
    newest = next(csv.DictReader(io.StringIO(client.get("/visualization/export/csv").text)))
    assert newest["id"] == str(file["id"])
    assert newest["filename"][0] not in "=+-@\t\r"
    assert "<img src=x" not in client.get("/visualization/report").text
    assert client.delete(f"/files/{file['id']}").status_code == 204


def test_a_name_of_5000_characters_is_refused(client: httpx2.Client) -> None:
    for path, field in (("/upload/", "file"), ("/recognize", "file"), ("/upload/batch", "files")):
        assert problem(named(client, b"a" * 5000, photograph(), path, field)) == (400, "multipart-invalid")


def test_after_all_of_this_it_is_well_and_has_taken_no_more_memory_than_promised(
    client: httpx2.Client, server: Server
) -> None:
    large = io.BytesIO()
    noise = np.random.default_rng(7).integers(0, 256, (300, 400, 3), np.uint8)
    Image.fromarray(noise).resize((4000, 3000)).save(large, "JPEG")
    for _ in range(40):
        image_id = stored(client)
        client.post(f"/inference/{image_id}")
        client.get(f"/files/{image_id}/thumbnail")
        assert client.post("/recognize", files={"file": large.getvalue()}).status_code == 200
    client.get("/visualization/report")
    client.get("/visualization/export/xlsx")
    assert client.get("/health").json()["status"] == "healthy"
    assert server.process
    taken_mib = resident_mib(server.process.pid)
    print(f"{taken_mib:.0f} MiB")
    assert taken_mib <= MOST_MIB


def resident_mib(process_id: int) -> float:
    with open(f"/proc/{process_id}/status") as status:  # noqa: PTH123 - a file of the kernel's
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS")) / 1024
