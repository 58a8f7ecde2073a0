"""`POST /upload_pdf`: a PDF in a form; its text by its own text layer where that is good, else read."""

from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from fastapi import APIRouter, Request
from servicekit import limits, query, uploads
from servicekit.connected import while_connected
from servicekit.openapi import multipart_body
from starlette.responses import Response

from ocr import schemas
from ocr.documents import LimitedFailure, run_limited
from ocr.outputs import OutputError, searchable_pdf
from ocr.problems import DocumentInvalid, DocumentTooLarge, DocumentTooSlow
from ocr.reader import DocumentRequest, Reader
from ocr.results import PageResult
from ocr.routes import document, fields, forms, reading, replies, streams

router = APIRouter(tags=["reading"])

ROUTE = "/upload_pdf"
ENVELOPE_BYTES = 131_072  # of the form around the file
FIELDS = {**fields.DOCUMENT, forms.PARAMETER: forms.DESCRIPTION}
SEARCHABLE_S = 60.0  # that laying the text over the pages may take
REFUSALS = {"time": DocumentTooSlow, "memory": DocumentTooLarge}


@router.post(
    ROUTE,
    openapi_extra=multipart_body("file", description="A PDF.", fields=FIELDS),
    responses=document.answers(schemas.DocumentAnswer, document.DOCUMENT_ANSWER, document.DOCUMENT, every_form=True),
    response_class=Response,
)
async def upload_pdf(request: Request, format: document.Format = None) -> Response:  # noqa: A002, ARG001 - for the document
    """Reads a PDF page by page; each page says whether its text layer was taken (`source`), and why.

    `Accept: application/x-ndjson` gives each page as soon as it is done; `X-Page-Count` says how many there will be,
    and what fails after the first page is a last line: a problem. Documents longer than some minutes are better sent to
    `POST /jobs`, which outlives connections and restarts. `pdf` is the document itself, with selectable text.
    """
    asked = query.parse(request.scope, forms.PARAMETER)
    reader = reading.reader_of(request)
    most = reader.settings.max_file_size
    limits.allow_body(request, most + ENVELOPE_BYTES)
    async with AsyncExitStack() as needs:
        form_data = uploads.read(request, field="file", max_file_bytes=most, fields=FIELDS)
        received = await needs.enter_async_context(form_data)
        form = forms.chosen(request, asked, received.fields)
        wanted, words = fields.document(received.fields, reader.settings)
        file = received.files[0]
        path = await needs.enter_async_context(replies.stored(reader, file))
        if form is forms.NDJSON:
            numbers, pages = await needs.enter_async_context(reader.read_document(path, wanted, route=ROUTE))
            return await streams.lines(request, pages, len(numbers), needs, words=words)
        results = await while_connected(request.receive, _read(reader, path, wanted))
        if form is forms.PDF:
            return await _pdf(reader, path, file.name, wanted, results, needs)
        return await replies.document(reader, results, form, file.name, words=words)


async def _read(reader: Reader, path: Path, wanted: DocumentRequest) -> list[PageResult]:
    async with reader.read_document(path, wanted, route=ROUTE) as (_, pages):
        return [page async for page in pages]


async def _pdf(
    reader: Reader,
    path: Path,
    name: str,
    wanted: DocumentRequest,
    results: list[PageResult],
    needs: AsyncExitStack,
) -> Response:
    target = path.with_name("searchable.pdf")
    run = partial(run_limited, seconds=SEARCHABLE_S, memory_bytes=reader.settings.pdf_memory_bytes)
    try:
        await reader.run(lambda: searchable_pdf(path, results, target, password=wanted.password, run=run))
    except LimitedFailure as failure:
        problem = REFUSALS.get(failure.kind, DocumentInvalid)
        raise problem(f"no text can be laid over this PDF: {failure}") from failure
    except OutputError as error:
        raise DocumentInvalid(f"no text can be laid over this PDF: {error}") from error
    return await replies.pdf(reader, target, name, needs)
