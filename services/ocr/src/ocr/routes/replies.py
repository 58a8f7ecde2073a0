"""What was read, in the form that was asked for."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

import msgspec
from fastapi import Request
from servicekit import media
from servicekit.problems import UploadStorageFull
from servicekit.uploads import Upload
from starlette.responses import Response

from ocr import answers
from ocr.outputs import alto, hocr, markdown, text
from ocr.pictures import JPEG, PNG, Encoding
from ocr.reader import Reader
from ocr.results import PageResult
from ocr.routes.forms import ALTO, HOCR, JSON, MARKDOWN, PDF, TEXT, Form
from ocr.routes.streams import Stream

PIECE_BYTES = 1 << 18
Results = Sequence[PageResult]


async def image(reader: Reader, results: Results, form: Form, name: str, *, words: bool) -> Response:
    """Returns an image's answer in any form but a PDF."""
    if form is JSON:
        return await _json(reader, lambda: answers.image(results, words=words))
    return await _text(reader, results, form, name)


async def document(reader: Reader, results: Results, form: Form, name: str, *, words: bool) -> Response:
    """Returns a document's answer in any form but a PDF."""
    if form is JSON:
        return await _json(reader, lambda: answers.document(results, words=words))
    return await _text(reader, results, form, name)


async def pdf(reader: Reader, path: Path, name: str, needs: AsyncExitStack) -> Stream:
    """Returns the file at `path`, which lives as long as `needs`."""
    headers = {**PDF.headers(name), "Content-Length": str((await reader.run(path.stat)).st_size)}
    return Stream(_pieces(reader, path), needs, PDF.media_type, headers)


def encoding(request: Request) -> Encoding:
    """Returns the form in which a picture is wanted: JPEG, unless `Accept` names PNG and would not rather have JPEG."""
    return PNG if media.prefers(request, PNG.media_type, JPEG.media_type) else JPEG


def picture(file: bytes, form: Encoding, headers: Mapping[str, str]) -> Response:
    """Returns an image file."""
    also = {"Vary": ", ".join(filter(None, ("Accept", headers.get("Vary"))))}
    return Response(file, headers={**headers, **also}, media_type=form.media_type)


@asynccontextmanager
async def folder(reader: Reader) -> AsyncIterator[Path]:
    """Gives a folder that is gone at the end of the block."""
    made = await reader.run(tempfile.mkdtemp, None, "lineside-ocr-")
    try:
        yield Path(made)
    finally:
        await reader.run(shutil.rmtree, made, True)


@asynccontextmanager
async def stored(reader: Reader, file: Upload) -> AsyncIterator[Path]:
    """Gives a document a name of its own, for the processes that open it; raises UploadStorageFull."""
    async with folder(reader) as made:
        path = made / "document.pdf"
        await reader.run(copy, file, path)
        yield path


def copy(file: Upload, path: Path) -> None:
    """Writes what came to a file with a name; raises UploadStorageFull."""
    try:
        with file.file as source, path.open("wb") as target:
            shutil.copyfileobj(source, target, PIECE_BYTES)
    except OSError as error:
        raise UploadStorageFull("there is no room for the upload on the server's disk") from error


async def _json(reader: Reader, members: Callable[[], object]) -> Response:
    body = await reader.run(lambda: msgspec.json.encode(members()))
    return Response(body, media_type=JSON.media_type)


async def _text(reader: Reader, results: Results, form: Form, name: str) -> Response:
    render: dict[Form, Callable[[], str]] = {
        TEXT: lambda: text(results),
        MARKDOWN: lambda: markdown(results),
        HOCR: lambda: hocr(results, name, ()),
        ALTO: lambda: alto(results, name, version("lineside-ocr")),
    }
    body = await reader.run(render[form])
    return Response(body, headers=form.headers(name), media_type=form.media_type)


async def _pieces(reader: Reader, path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while piece := await reader.run(file.read, PIECE_BYTES):
            yield piece
