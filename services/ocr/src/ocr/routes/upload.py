"""`POST /upload`: an image in a form, its text in any form."""

from contextlib import AsyncExitStack, aclosing

from fastapi import APIRouter, Request
from servicekit import limits, query, uploads
from servicekit.connected import while_connected
from servicekit.images import ImageError
from servicekit.openapi import multipart_body
from servicekit.uploads import Upload
from starlette.responses import Response

from ocr import schemas
from ocr.outputs import OutputError, searchable_pdf
from ocr.problems import NotAnImage
from ocr.reader import Reader
from ocr.results import PageResult
from ocr.routes import document, fields, forms, reading, replies, streams

router = APIRouter(tags=["reading"])

ROUTE = "/upload"
ENVELOPE_BYTES = 65_536  # of the form around the file
FIELDS = {**fields.IMAGE, forms.PARAMETER: forms.DESCRIPTION}


@router.post(
    ROUTE,
    openapi_extra=multipart_body(
        "file", description="A PNG, JPEG, TIFF, WebP, BMP or GIF, of which the first picture is read.", fields=FIELDS
    ),
    responses=document.answers(schemas.Answer, document.ANSWER, document.UPLOAD, every_form=True),
    response_class=Response,
)
async def upload(request: Request, format: document.Format = None) -> Response:  # noqa: A002, ARG001 - for the document
    """Reads an image. `format` chooses the form of the answer, or `Accept` does; `pdf` is a searchable PDF.

    Of a TIFF with several pages all are read: `page` stands at each line, and `pages` tells their sizes. In `ndjson`
    each page comes as soon as it is read, as one of `/upload_pdf`.
    """
    asked = query.parse(request.scope, forms.PARAMETER)
    reader = reading.reader_of(request)
    most = reader.settings.max_file_size
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with AsyncExitStack() as needs:
        form_data = uploads.read(request, field="file", max_file_bytes=most, fields=FIELDS)
        received = await needs.enter_async_context(form_data)
        form = forms.chosen(request, asked, received.fields)
        options, words = fields.options(received.fields, reader.settings)
        file = received.files[0]
        if form is forms.NDJSON:
            pages = await needs.enter_async_context(aclosing(reader.frames(file, options, route=ROUTE)))
            return await streams.lines(request, pages, None, needs, words=words)
        results = await while_connected(request.receive, reader.read_image(file, options, route=ROUTE))
        if form is forms.PDF:
            return await _pdf(reader, file, results, needs)
        return await replies.image(reader, results, form, file.name, words=words)


async def _pdf(reader: Reader, file: Upload, results: list[PageResult], needs: AsyncExitStack) -> Response:
    target = await needs.enter_async_context(replies.folder(reader)) / "searchable.pdf"
    try:
        await reader.run(lambda: searchable_pdf([file.data()], results, target, limits=reader.limits))
    except (ImageError, OutputError) as error:
        raise NotAnImage(f"no PDF can be made of the image: {error}") from error
    return await replies.pdf(reader, target, file.name, needs)
