import asyncio
import io
import os
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import hostile
import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servicekit import spool, uploads
from servicekit.app import Service
from servicekit.context import KEY, RequestContext
from servicekit.limits import allow_body
from servicekit.problems import (
    FileMissing,
    FileTooLarge,
    InvalidInput,
    MultipartInvalid,
    Problem,
    TooManyFiles,
    UnsupportedMediaType,
    UploadStorageFull,
)
from servicekit.responses import json_response
from servicekit.uploads import Form, Reading, Upload
from servicekit.uploads.parts import MEMORY_BYTES
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.testclient import TestClient

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
ONE = Form("file", max_file_bytes=10 << 20)
MANY = Form("files", max_file_bytes=10 << 20, max_files=100, fields=("lang", "mode"))
MIB = 1 << 20


def part(disposition: str, content: bytes = b"", *headers: str) -> bytes:
    lines = [f"--{BOUNDARY}", f"Content-Disposition: form-data; {disposition}", *headers, "", ""]
    return "\r\n".join(lines).encode() + content + b"\r\n"


def file_part(content: bytes = b"content", *, field: str = "file", name: str = "a.png") -> bytes:
    return part(f'name="{field}"; filename="{name}"', content, "Content-Type: image/png")


def body(*parts: bytes) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def text_part(field: str, value: str) -> bytes:
    return part(f'name="{field}"', value.encode())


def reading(chunks: Sequence[bytes], form: Form, content_type: str = CONTENT_TYPE, *, ends: bool = True) -> Reading:
    """Returns a reading of a body that arrives in these pieces; the client goes away after them unless it `ends`."""
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        if not waiting:
            return {"type": "http.disconnect"}
        await asyncio.sleep(0)
        chunk = waiting.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting) or not ends}

    context = RequestContext({b"content-type": content_type.encode("latin-1")}, "an-id")
    return Reading({KEY: context}, receive, form)


Received = tuple[list[tuple[str, str, bytes]], dict[str, str]]


def receive(data: bytes, form: Form = ONE, size: int = 65_536, content_type: str = CONTENT_TYPE) -> Received:
    """Returns (name, type, content) of the files, and the texts, of a body that arrives in pieces of one size."""

    async def read() -> Received:
        pieces = [data[at : at + size] for at in range(0, len(data), size)] or [b""]
        async with reading(pieces, form, content_type) as received:
            return [(file.name, file.content_type, file.data()) for file in received.files], received.fields

    return asyncio.run(read())


def refusal(kind: type[Problem], data: bytes, form: Form = ONE, content_type: str = CONTENT_TYPE) -> str:
    with pytest.raises(kind) as refused:
        receive(data, form, content_type=content_type)
    return str(refused.value.detail)


# --- what is read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 7, 100, 65_536])
def test_reads_a_file_however_it_arrives(size: int) -> None:
    content = f"\r\n--{BOUNDARY}\r\r\n--\n".encode() * 3 + b"\r"
    content = content.replace(BOUNDARY.encode(), BOUNDARY[:-1].encode())
    assert receive(body(file_part(content)), size=size) == ([("a.png", "image/png", content)], {})


def test_reads_many_files_and_the_fields_that_the_call_takes() -> None:
    parts = [file_part(b"%d" % number, field="files", name=f"{number}.png") for number in range(100)]
    files, fields = receive(body(text_part("lang", "中文"), *parts, text_part("mode", "")), MANY)
    assert [(name, content) for name, _, content in files] == [(f"{n}.png", b"%d" % n) for n in range(100)]
    assert fields == {"lang": "中文", "mode": ""}


def test_an_empty_file_is_a_file() -> None:
    assert receive(body(file_part(b""))) == ([("a.png", "image/png", b"")], {})


def test_a_file_without_a_type_has_the_general_one() -> None:
    assert receive(body(part('name="file"; filename="a"', b"x"))) == ([("a", "application/octet-stream", b"x")], {})


def test_tolerates_what_stands_before_and_after_the_parts() -> None:
    assert receive(b"preamble\r\n" + body(file_part()) + b"epilogue", size=5)[0][0][2] == b"content"


def test_takes_a_boundary_in_quotation_marks_and_any_case_of_the_type() -> None:
    for content_type in (f'Multipart/Form-Data; charset=utf-8; boundary="{BOUNDARY}"', f"{CONTENT_TYPE}; x=y"):
        assert receive(body(file_part()), content_type=content_type)[0][0][0] == "a.png"


NAMES = {
    "UTF-8": ('"數字 七.png"', "數字 七.png"),
    "escaped by percent": ('"a%22b%0D%0A.png"', 'a"b\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.png'),
    "a percent that escapes nothing": ('"100%25.png"', "100%25.png"),
    "escaped by backslash": (r'"a\"b.png"', 'a"b.png'),
    "a path of Unix": ('"/etc/passwd"', "passwd"),
    "a path upwards": ('"../../a.png"', "a.png"),
    "a path of Windows": (r'"C:\fakepath\a.png"', "a.png"),
    "a folder": ('"folder/sub/a.png"', "a.png"),
    "dots": ('".."', "unnamed"),
    "a slash": ('"/"', "unnamed"),
    "a space": ('" "', "unnamed"),
    "a NUL and an escape": ('"a\0\x1b[31m.png"', "a" + "\N{REPLACEMENT CHARACTER}" * 2 + "[31m.png"),
    "turned writing": ('"a\u202egnp.exe"', "a\N{REPLACEMENT CHARACTER}gnp.exe"),
    "no quotation marks": ("a.png", "a.png"),
    "300 characters": ('"' + "x" * 300 + '.png"', "x" * 200 + "…" + "x" * 50 + ".png"),
    "RFC 5987": ("\"?.png\"; filename*=UTF-8''%E4%B8%83%20%22.png", '七 ".png'),
    "RFC 5987 alone": ("\"\"; filename*=utf-8'en'%e4%b8%83.png", "七.png"),
    "RFC 5987 of an unknown charset": ("\"a.png\"; filename*=klingon''%e4", "a.png"),
    "RFC 5987 within a name": ('"filename*=utf-8"', "filename*=utf-8"),
    "a formula": ('"=cmd|1.png"', "=cmd|1.png"),
}


@pytest.mark.parametrize(("sent", "name"), NAMES.values(), ids=NAMES)
def test_names_a_file_as_browsers_mean_it_without_folders_and_controls(sent: str, name: str) -> None:
    assert receive(body(part(f'name="file"; filename={sent}', b"x")))[0][0][0] == name


def test_a_name_that_is_no_utf8_is_read_with_marks_for_what_cannot() -> None:
    data = body(file_part(name="@")).replace(b"@", b"\xa4\xb8.png")
    assert receive(data)[0][0][0] == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.png"


def test_a_name_that_only_rfc_5987_has_makes_a_file() -> None:
    assert receive(body(part("name=\"file\"; filename*=UTF-8''%E4%B8%83.png", b"x")))[0][0][0] == "七.png"


# --- what is refused --------------------------------------------------------------------------------------------------


def test_says_which_field_it_takes_and_which_came() -> None:
    assert refusal(FileMissing, body(file_part(field="image"))) == (
        'this call takes the file in the field "file"; the field "image" came'
    )
    several = body(file_part(field="image"), text_part("lang", "en"), file_part(field="image"), text_part("x", "y"))
    assert refusal(FileMissing, several, MANY) == (
        'this call takes files in the field "files"; the fields "lang", "image", "x" came'
    )
    assert refusal(FileMissing, body()) == 'this call takes the file in the field "file"; no field came'


def test_says_that_a_file_came_as_text() -> None:
    detail = refusal(FileMissing, body(text_part("file", "picture.png")))
    assert detail == 'this call takes the file in the field "file"; it came as text, without a file name'


def test_a_form_in_which_no_file_was_chosen_has_none() -> None:
    data = body(part('name="file"; filename=""', b"", "Content-Type: application/octet-stream"))
    assert refusal(FileMissing, data) == 'this call takes the file in the field "file"; it came without a file'


def test_an_input_without_a_file_beside_one_with_a_file_is_nothing() -> None:
    for nothing in (part('name="file"; filename=""'), part('name="file"')):
        assert receive(body(nothing, file_part(), nothing))[0][0][2] == b"content"


def test_content_under_an_empty_name_is_a_file() -> None:
    assert receive(body(part('name="file"; filename=""', b"content")))[0] == [
        ("unnamed", "application/octet-stream", b"content")
    ]


def test_refuses_fields_that_it_does_not_take_by_name() -> None:
    detail = refusal(InvalidInput, body(file_part(), text_part("model", "cnn"), text_part("<b>\x1b", "")))
    assert detail == (
        'this call takes the file in the field "file"; the fields "model", "<b>\N{REPLACEMENT CHARACTER}" came as well'
    )


def test_names_eight_fields_at_most_and_reads_no_more_than_sixteen() -> None:
    detail = refusal(FileMissing, body(*(text_part(f"f{number}", "") for number in range(16))))
    assert detail.endswith('"f6", "f7" … came')
    detail = refusal(InvalidInput, body(*(text_part(f"f{number}", "") for number in range(100_000))))
    assert detail.endswith('"f6", "f7" … came')


def test_refuses_a_form_of_nothing_but_inputs_without_a_file() -> None:
    data = body(*[part('name="file"; filename=""')] * 100_000)
    assert refusal(MultipartInvalid, data) == "more than 16 parts came without a file, which is the limit"


def test_refuses_more_files_than_it_takes() -> None:
    assert refusal(TooManyFiles, body(file_part(), file_part())) == "more files came than 1, which is the limit"
    data = body(*(file_part(field="files") for _ in range(101)))
    assert refusal(TooManyFiles, data, MANY) == "more files came than 100, which is the limit"


def test_refuses_a_file_that_is_too_large_and_takes_one_of_exactly_the_limit() -> None:
    form = Form("file", max_file_bytes=1000)
    assert len(receive(body(file_part(b"x" * 1000)), form)[0][0][2]) == 1000
    detail = refusal(FileTooLarge, body(file_part(b"x" * 1001, name="七.png")), form)
    assert detail == 'the file "七.png" has more than 1000 bytes, which is the limit'


def test_refuses_a_text_that_is_repeated_too_long_or_no_utf8() -> None:
    file = file_part(field="files")
    repeated = body(text_part("lang", "a"), text_part("lang", "b"), file)
    assert refusal(InvalidInput, repeated, MANY) == 'the field "lang" is repeated'
    assert "65536 bytes" in refusal(InvalidInput, body(text_part("lang", "x" * 65_537), file), MANY)
    assert refusal(InvalidInput, body(part('name="lang"', b"\xff"), file), MANY) == 'the field "lang" is not UTF-8'


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "image/png", "multipart/mixed; boundary=x", "text/plain"]
)
def test_refuses_another_media_type(content_type: str) -> None:
    assert "this call takes multipart/form-data" in refusal(UnsupportedMediaType, b"", content_type=content_type)


@pytest.mark.parametrize("parameters", ["", "; boundary", "; boundary=", '; boundary=""', f"; boundary={'x' * 201}"])
def test_refuses_a_type_without_a_boundary(parameters: str) -> None:
    detail = refusal(MultipartInvalid, body(file_part()), content_type=f"multipart/form-data{parameters}")
    assert detail == "Content-Type names no boundary of 1 to 200 characters"


INVALID = {
    "nothing": (b"", "does not begin with the boundary"),
    "no multipart": (b'{"image": "..."}', "does not begin with the boundary"),
    "another boundary": (body(file_part()).replace(b"WebKit", b"Gecko-"), "does not begin with the boundary"),
    "line feeds alone": (body(file_part()).replace(b"\r\n", b"\n"), "line break"),
    "no name": (body(part('filename="a.png"', b"x")), "part 1 of the body has no name"),
    "an empty name": (body(file_part(), part('name=""', b"x")), "part 2 of the body has no name"),
    "no disposition": (f"--{BOUNDARY}\r\nContent-Type: image/png\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "Disposition"),
    "another disposition": (body(file_part()).replace(b"form-data", b"attachment"), "Disposition"),
    "no header": (f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--".encode(), "Disposition"),
    "a header without a colon": (body(part('name="file"', b"x", "nonsense")), "header"),
    "a header of 5,000 bytes": (body(part('name="file"', b"x", "X: " + "x" * 5000)), "header"),
    "a header without end": (f"--{BOUNDARY}\r\nX: ".encode() + b"x" * 100_000, "header"),
    "9 headers": (body(part('name="file"', b"x", *(f"X-{number}: y" for number in range(9)))), "header"),
    "base64": (
        body(part('name="file"; filename="a"', b"eA==", "X: y", "Content-Transfer-Encoding: base64")),
        "'base64'",
    ),
}


@pytest.mark.parametrize(("data", "word"), INVALID.values(), ids=INVALID)
def test_refuses_what_is_no_form(data: bytes, word: str) -> None:
    assert word in refusal(MultipartInvalid, data)


def test_refuses_a_form_cut_anywhere() -> None:
    data = body(text_part("lang", "en"), file_part(field="files"))
    for length in range(len(data) - 2):
        assert refusal(MultipartInvalid, data[:length], MANY)


def test_a_client_that_goes_away_is_no_refusal() -> None:
    async def read() -> None:
        async with reading([body(file_part())[:100]], ONE, ends=False):
            raise AssertionError("nothing came")

    with pytest.raises(ClientDisconnect):
        asyncio.run(read())


# --- memory and disk --------------------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[io.FileIO]:
    """Returns the temporary files that are opened from now on."""
    files: list[io.FileIO] = []
    temporary = spool.tempfile.TemporaryFile

    def remember(**options: Any) -> io.FileIO:
        files.append(temporary(**options))
        return files[-1]

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", remember)
    return files


def noise(size: int, seed: int = 0) -> bytes:
    """Returns bytes that no other seed gives."""
    return ((bytes((seed,)) + bytes(range(256)) * 257) * (size // 65_000 + 1))[:size]


def test_small_files_stay_in_memory(opened: list[io.FileIO]) -> None:
    content = noise(MEMORY_BYTES)
    assert receive(body(file_part(content)))[0][0][2] == content
    assert opened == []


def test_one_temporary_file_takes_what_is_larger_and_is_gone_at_the_end(opened: list[io.FileIO]) -> None:
    sizes = (MEMORY_BYTES + 1, 10, 3 * MIB, MEMORY_BYTES - 10, 5 * MIB, 0)
    contents = [noise(size, seed) for seed, size in enumerate(sizes)]

    async def read() -> None:
        data = body(*(file_part(content, field="files") for content in contents))
        pieces = [data[at : at + 100_003] for at in range(0, len(data), 100_003)]
        async with reading(pieces, MANY) as received:
            assert [file.in_memory for file in received.files] == [False, True, False, True, False, True]
            assert [file.size for file in received.files] == [len(content) for content in contents]
            assert [file.data() for file in received.files] == contents
            assert os.fstat(opened[0].fileno()).st_nlink == 0
            large = received.files[2]
        assert opened[0].closed
        assert received.files[1].data() == contents[1]
        with pytest.raises(ValueError, match="closed"):
            large.data()

    asyncio.run(read())
    assert len(opened) == 1


def test_many_files_that_are_small_each_do_not_fill_the_memory(opened: list[io.FileIO]) -> None:
    contents = [noise(100_000, seed) for seed in range(90)]

    async def read() -> int:
        def pieces() -> Iterator[bytes]:
            for content in contents:
                yield file_part(content, field="files")
            yield body()

        source = pieces()

        async def receive() -> dict[str, Any]:
            chunk = next(source)
            return {"type": "http.request", "body": chunk, "more_body": not chunk.endswith(b"--\r\n")}

        context = RequestContext({b"content-type": CONTENT_TYPE.encode()}, "an-id")
        tracemalloc.start()
        try:
            async with Reading({KEY: context}, receive, MANY) as received:
                peak = tracemalloc.get_traced_memory()[1]
                assert [file.data() for file in received.files] == contents
                assert sum(file.in_memory for file in received.files) == MEMORY_BYTES // 100_000
        finally:
            tracemalloc.stop()
        return peak

    assert asyncio.run(read()) < 2 * MIB
    assert len(opened) == 1
    assert opened[0].closed


def test_what_went_to_the_disk_no_longer_counts_as_memory() -> None:
    contents = [noise(2 * MIB, seed) for seed in range(12)] + [b"small"]

    async def read() -> list[Upload]:
        data = [file_part(content, field="files") for content in contents]
        async with reading([*data, body()], MANY) as received:
            return received.files

    assert [file.in_memory for file in asyncio.run(read())] == [False] * 12 + [True]


def test_a_large_file_can_be_read_as_a_file() -> None:
    content = noise(3 * MIB)

    async def read() -> None:
        async with reading([body(file_part(b"x" * 9), file_part(content))], Form("file", 4 * MIB, 2)) as received:
            for file, wanted in zip([upload.file for upload in received.files], [b"x" * 9, content], strict=True):
                assert file.seek(0, 2) == len(wanted)
                assert file.seek(-5, 1) == len(wanted) - 5
                assert file.read() == wanted[-5:]
                assert file.read(1) == b""
                assert file.seek(3) == 3
                assert file.read(4) == wanted[3:7]
                assert file.tell() == 7
                assert file.seek(len(wanted) + 9) == len(wanted) + 9
                assert file.read() == b""
                with pytest.raises((OSError, ValueError)):
                    file.seek(-1)
            one, other = received.files[1].file, received.files[1].file
            assert one.read(10) == other.read(10)

    asyncio.run(read())


@pytest.mark.parametrize("seam", ["after", "refusal", "gone"])
def test_the_temporary_file_is_gone_whatever_happens(opened: list[io.FileIO], seam: str) -> None:
    large = body(file_part(noise(3 * MIB), field="files"))[:-50]
    pieces = [large[at : at + MIB] for at in range(0, len(large), MIB)]
    end = {"after": b"\r\n" + body(), "refusal": b"\r\n" + body(part("x")), "gone": b""}[seam]

    async def read() -> None:
        async with reading([*pieces, *([end] if end else [])], MANY, ends=bool(end)):
            raise ZeroDivisionError

    with pytest.raises((ZeroDivisionError, MultipartInvalid, ClientDisconnect)):
        asyncio.run(read())
    assert [file.closed for file in opened] == [True]


def test_a_request_that_is_cancelled_closes_the_file_after_the_thread_that_writes_it(
    opened: list[io.FileIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def read() -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        write = spool.Spool._write

        def slow(self: spool.Spool, pieces: list[bytes]) -> None:
            loop.call_soon_threadsafe(begun.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(10)
            write(self, pieces)

        monkeypatch.setattr(spool.Spool, "_write", slow)

        async def upload() -> None:
            large = body(file_part(noise(3 * MIB)))
            async with reading([large[: 2 * MIB], large[2 * MIB :]], ONE):
                raise AssertionError("not so far")

        task = asyncio.create_task(upload())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert opened == []
        go_on.set()
        while not opened or not opened[0].closed:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(read(), 20))


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda **_: full)
        yield


def test_a_full_disk_is_507(full_disk: None) -> None:
    detail = refusal(UploadStorageFull, body(file_part(noise(2 * MIB))))
    assert detail == "there is no room for the upload on the server's disk"


# --- over HTTP --------------------------------------------------------------------------------------------------------


async def upload(request: Request) -> Response:
    allow_body(request, 8 * MIB)
    async with uploads.read(request, field="file", max_file_bytes=4 * MIB, fields=("lang",)) as received:
        file = received.files[0]
        return json_response({"name": file.name, "size": len(file.data()), "fields": received.fields})


@pytest.fixture
def app(make: Callable[..., Service]) -> Service:
    app = make(max_body_bytes=1024)
    app.add_api_route("/upload", upload, methods=["POST"], response_class=Response)
    return app


def test_reads_what_a_client_library_sends(app: Service) -> None:
    client = TestClient(app)
    for size in (600, 3 * MIB):
        files = {"file": ('數字 "七".png', b"x" * size, "image/png")}
        answer = client.post("/upload", files=files, data={"lang": "en"})
        assert answer.json() == {"name": '數字 "七".png', "size": size, "fields": {"lang": "en"}}


@pytest.mark.parametrize(
    ("options", "status", "slug"),
    [
        ({"files": {"image": ("a.png", b"x")}}, 422, "file-missing"),
        ({"files": [("file", ("a.png", b"x")), ("file", ("b.png", b"x"))]}, 422, "too-many-files"),
        ({"files": {"file": ("a.png", b"x" * (4 * MIB + 1))}}, 413, "file-too-large"),
        ({"files": {"file": ("a.png", b"x" * (9 * MIB))}}, 413, "body-too-large"),
        ({"json": {"image": "x"}}, 415, "unsupported-media-type"),
        ({"content": b"x", "headers": {"Content-Type": CONTENT_TYPE}}, 400, "multipart-invalid"),
        ({"files": {"file": ("a.png", b"x")}, "data": {"a": "b"}}, 422, "invalid-input"),
    ],
)
def test_each_refusal_is_a_problem(app: Service, options: dict[str, Any], status: int, slug: str) -> None:
    answer = TestClient(app).post("/upload", **options)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"urn:lineside:problem:{slug}"


def test_a_full_disk_is_a_problem_too(app: Service, full_disk: None) -> None:
    answer = TestClient(app).post("/upload", files={"file": ("a.png", b"x" * (2 * MIB))})
    assert (answer.status_code, answer.json()["title"]) == (507, "There is no room for the upload")


def test_a_refusal_while_the_body_is_coming_is_seen_and_ends_the_connection(
    app: Service, served: Callable[[Service], AbstractContextManager[int]]
) -> None:
    def endless() -> Iterator[bytes]:
        yield part('name="x"; filename="a"', b"")[:-2]
        for _ in range(60):
            yield b"x" * 65_536

    def too_large() -> Iterator[bytes]:
        yield file_part(b"")[:-2]
        for _ in range(100):
            yield b"x" * 65_536

    with served(app) as port, httpx2.Client(base_url=f"http://127.0.0.1:{port}/toy") as client:
        answer = client.post("/upload", content=too_large(), headers={"Content-Type": CONTENT_TYPE})
        assert (answer.status_code, answer.headers["connection"]) == (413, "close")
        answer = client.post("/upload", content=endless(), headers={"Content-Type": CONTENT_TYPE})
        assert answer.status_code == 400
        answer = client.post("/upload", files={"file": ("a.png", b"x")})
        assert answer.json()["size"] == 1


# --- whatever comes ---------------------------------------------------------------------------------------------------


def attempt(data: bytes, size: int, content_type: str = CONTENT_TYPE) -> Received | None:
    """Reads; only a Problem of the client's may come, with a text for people."""
    problem: Problem | None = None
    try:
        return receive(data, MANY, size, content_type)
    except Problem as error:
        problem = error
    assert 400 <= problem.status < 500
    assert 5 < len(problem.detail) < 700
    return None


@FUZZ
@given(st.binary(max_size=300), st.integers(1, 400), st.booleans())
def test_any_bytes_raise_nothing_else(data: bytes, size: int, begun: bool) -> None:
    attempt(f"--{BOUNDARY}\r\n".encode() * begun + data, size)


@FUZZ
@given(st.data())
def test_changed_bytes_raise_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(body(text_part("lang", "en"), file_part(hostile.sound(), field="files")))
    for _ in range(draw.draw(st.integers(1, 6))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attempt(bytes(data), draw.draw(st.integers(1, 1000)))


@FUZZ
@given(st.text(max_size=60))
def test_any_media_type_raises_nothing_else(content_type: str) -> None:
    printable = content_type.encode("ascii", "replace").decode()
    attempt(body(file_part(field="files")), 1000, printable)
    attempt(body(file_part(field="files")), 1000, f"multipart/form-data; boundary={printable}")


@FUZZ
@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=12), st.binary(max_size=200)), min_size=1, max_size=5), st.data()
)
def test_whatever_a_client_library_sends_comes_out(files: list[tuple[str, bytes]], draw: st.DataObject) -> None:
    request = httpx2.Request(
        "POST", "http://a", files=[("files", file) for file in files if file[0].isprintable()] or None
    )
    if not request.read():
        return
    size = draw.draw(st.integers(1, 500))
    received, _ = receive(request.read(), MANY, size, request.headers["content-type"])
    assert [content for _, _, content in received] == [content for name, content in files if name.isprintable()]
