"""Pictures of pages, for who wants to see what was read: a document's page is drawn, an image is decoded."""

from dataclasses import dataclass
from pathlib import Path

from servicekit.problems import InvalidInput

from ocr import pictures
from ocr.pictures import JPEG, Data, Encoding
from ocr.problems import PagesInvalid
from ocr.reader import DocumentRequest, DocumentWork, Reader

PICTURE_DPI = 110  # an A4 page is then as wide as a screen has room for


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What a call asks for."""

    number: int = 1  # of the page, or of the frame of a TIFF
    encoding: Encoding = JPEG
    dpi: int | None = None  # of a document; None: PICTURE_DPI
    password: str | None = None


async def document_page(reader: Reader, path: Path, request: PictureRequest) -> bytes:
    """Draws a page of a PDF, upright by its own /Rotate, at a lower resolution where it would be too large.

    Raises PagesInvalid, NotAPdf, and the Problems of `Documents.open`.
    """
    with reader.counts.refusing():
        reader.check()
        async with reader.opened(path, request.password) as document:
            _check_number(request.number, document.n_pages)
            asked = DocumentRequest(mode="ocr", dpi=request.dpi or PICTURE_DPI)  # the mode that draws every page
            work = DocumentWork(reader, document, asked)
            content, held, _ = await work.drawn(request.number)
            try:
                assert content.picture is not None
                cost = content.picture.nbytes  # the file that is made takes no more
                return await reader.in_turn(work, cost, pictures.encoded, content.picture, request.encoding)
            finally:
                reader.rendered.give(held)


async def image_page(reader: Reader, data: Data, request: PictureRequest) -> bytes:
    """Makes a picture that every browser shows of an image, or of a TIFF's frame, upright by its EXIF.

    Raises InvalidInput for what only documents have, PagesInvalid, NotAnImage and ImageTooLarge.
    """
    with reader.counts.refusing():
        reader.check()
        if given := [name for name in ("dpi", "password") if getattr(request, name) is not None]:
            raise InvalidInput(f"{given[0]} is for PDFs, the file is an image")
        costs = await reader.run(pictures.costs, data, reader.limits)
        _check_number(request.number, len(costs))
        cost = 2 * costs[request.number - 1]  # the file that is made takes no more than what it is made of
        return await reader.in_turn(request, cost, _converted, reader, data, request)


def _converted(reader: Reader, data: Data, request: PictureRequest) -> bytes:
    with reader.counts.seconds.labels("decode").time():
        picture = pictures.decoded(data, request.number - 1, reader.limits)
    return pictures.encoded(picture, request.encoding)


def _check_number(number: int, n_pages: int) -> None:
    if not 1 <= number <= n_pages:
        raise PagesInvalid(f"page {number} is not within the pages 1-{n_pages}")
