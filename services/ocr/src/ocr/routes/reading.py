"""What the calls that take an image in JSON have in common."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from msgspec import UNSET
from servicekit.connected import while_connected
from servicekit.images import kinds
from servicekit.problems import quote
from servicekit.uploads import Upload
from starlette.responses import Response

from ocr.jobs.record import Kind
from ocr.options import Options
from ocr.problems import NotAnImage, UnknownLanguage
from ocr.reader import PDF_HEAD_BYTES, Reader
from ocr.routes import fields, replies
from ocr.routes.forms import JSON
from ocr.settings import Settings


def reader_of(request: Request) -> Reader:
    """Returns the reader; raises NotReady before a body is read in vain."""
    reader: Reader = request.app.state.services.reader
    reader.check()
    return reader


def kind(file: Upload) -> Kind:
    """Returns what a file is by its first bytes; raises NotAnImage. How sound it is shows when it is read."""
    head = file.file.read(PDF_HEAD_BYTES)
    if b"%PDF-" in head:
        return "pdf"
    found = kinds.of(head)
    if not found.name:
        raise NotAnImage(f"the file is {found.described}; this call takes a PDF or an image")
    return "image"


async def answer(
    request: Request, reader: Reader, image: Upload, options: Options, *, route: str, words: bool = False
) -> Response:
    """Reads the image, unless the client goes away, and answers in JSON."""
    results = await while_connected(request.receive, reader.read_image(image, options, route=route))
    return await replies.image(reader, results, JSON, image.name, words=words)


def options(settings: Settings, names: Mapping[str, str], given: Mapping[str, object]) -> Options:
    """Returns options; `names` maps the call's members to ours; what was not sent is as the operator has it."""
    for name, ours in names.items():
        if ours in fields.RANGES and isinstance(value := given[name], float):
            fields.check(name, value, *fields.RANGES[ours])
    chosen = {ours: given[name] for name, ours in names.items() if given[name] is not UNSET}
    return fields.chosen(settings, **chosen)  # type: ignore[arg-type] # typed by the request's Struct


def check_languages(reader: Reader, field: str, given: Sequence[str], names: Mapping[str, str]) -> None:
    """Raises UnknownLanguage, with the list, for a language that these models do not read."""
    read = reader.pipeline.languages
    known = [name for name, code in names.items() if code in read]
    for name in given:
        if name not in known:
            raise UnknownLanguage(f"{field} has {quote(name)}, these models read {', '.join(known)}")
