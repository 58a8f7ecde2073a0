"""A JSON body with an image in base64: large ones lie on the disk until they are read, as uploads do."""

import base64
import binascii
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar

from fastapi import Request
from servicekit import limits, media, strict
from servicekit.problems import FileTooLarge, quote
from servicekit.spool import PIECE_BYTES, Spool
from servicekit.uploads import Upload

from ocr.problems import NotBase64
from ocr.reader import Reader

MEMORY_BYTES = 1 << 18  # what is more goes to the disk
ENVELOPE_BYTES = 65_536  # of the JSON around the image


class WithImage(Protocol):
    """A request that carries an image."""

    image: str


T = TypeVar("T", bound=WithImage)


def most_bytes(max_file_bytes: int) -> int:
    """Returns how large a body may be: base64 takes 4/3 of the file, with line breaks or escaped slashes up to 3/2."""
    return max_file_bytes * 3 // 2 + ENVELOPE_BYTES


@asynccontextmanager
async def read(request: Request, type_: type[T], reader: Reader) -> AsyncIterator[tuple[T, Upload]]:
    """Gives the request, without its image, and the image as a file; at the end of the block that is gone.

    Raises UnsupportedMediaType, MalformedJSON, InvalidInput, NotBase64, FileTooLarge, UploadStorageFull.
    """
    media.require(request, "application/json")
    most = reader.settings.max_file_size
    limits.allow_body(request, most_bytes(most))
    spool = Spool()
    try:
        body = await _received(request, spool)
        async with reader.unwrapping:
            with reader.counts.refusing():
                asked, image = await reader.run(_unwrap, body, type_, most)
            file = await _file("", image, spool)
        yield asked, file
    finally:
        spool.close()


async def _received(request: Request, spool: Spool) -> Upload:
    body = Upload("body", "application/json", spool)
    async for chunk in request.stream():
        if body.in_memory and body.size + len(chunk) <= MEMORY_BYTES:
            body.keep(chunk)
        else:
            body.spill(chunk)
        if spool.pending_bytes >= PIECE_BYTES:
            await spool.flush()
    await spool.flush()
    return body


async def _file(name: str, content: bytes, spool: Spool) -> Upload:
    file = Upload(name, "application/octet-stream", spool)
    if len(content) <= MEMORY_BYTES:
        file.keep(content)
    else:
        file.spill(content)
        await spool.flush()
    return file


def _unwrap(body: Upload, type_: type[T], max_file_bytes: int) -> tuple[T, bytes]:
    asked = strict.decode(body.data(), type_)
    image = decoded(asked.image, max_file_bytes)
    asked.image = ""
    return asked, image


def decoded(text: str, max_file_bytes: int) -> bytes:
    """Decodes base64 or a data URL of base64, line breaks within it allowed; raises NotBase64 and FileTooLarge."""
    head, comma, data = text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise NotBase64(_explained(text))
    data = data if comma else text
    try:
        content = base64.b64decode(data.strip().replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters beyond ASCII
        raise NotBase64(_explained(text)) from None
    if len(content) > max_file_bytes:
        raise FileTooLarge(f"the image has {len(content)} bytes, the limit is {max_file_bytes}")
    return content


def _explained(text: str) -> str:
    """Says what `image` is instead; nothing is ever fetched."""
    if text[:8].lower().startswith(("http://", "https://", "ftp://", "file://")):
        return f"image is the address {quote(text)}: nothing is fetched, send the file itself as base64"
    return f"image is neither base64 nor a data URL like data:image/png;base64,…: it begins with {quote(text[:40])}"
