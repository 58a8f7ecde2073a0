"""What is written of a file that was read."""

import shutil
import sys
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import IO

import msgspec
from servicekit import commandline
from servicekit.images import ImageError

from ocr import answers, outputs, pictures
from ocr.commands.files import Files, Outcome
from ocr.commands.targets import Target, Writing
from ocr.documents import LimitedFailure, run_limited
from ocr.outputs import OutputError
from ocr.settings import Settings

WRITING_PAGES = 10  # of a PDF, for which a second page's time is given to write it


def write(outcome: Outcome, target: Target, wanted: Writing, files: Files) -> str | None:
    """Writes the text to its place, whole or not at all; returns why it could not be made.

    Raises OSError where the place cannot be written.
    """
    try:
        if target.path is None:
            _write(sys.stdout.buffer, outcome, wanted, files)
            return None
        target.path.parent.mkdir(parents=True, exist_ok=True)
        with commandline.whole_file(target.path) as file:
            _write(file, outcome, wanted, files)
    except (OutputError, ImageError, LimitedFailure) as error:
        return f"no PDF can be made of it: {error}"
    return None


def _write(file: IO[bytes], outcome: Outcome, wanted: Writing, files: Files) -> None:
    if wanted.form == "pdf":
        _write_pdf(file, outcome, files)
        return
    file.write(_text(outcome, wanted, files).encode())


def _text(outcome: Outcome, wanted: Writing, files: Files) -> str:
    name, pages = outcome.source.name, outcome.pages
    match wanted.form:
        case "text":
            return outputs.text(pages)
        case "markdown":
            return outputs.markdown(pages)
        case "hocr":
            return outputs.hocr(pages, name, files.pipeline.languages)
        case "alto":
            return outputs.alto(pages, name, metadata.version("lineside-ocr"))
        case "ndjson":
            return "".join(
                _encoded({"file": name, **answers.page(result, at, words=wanted.words)})
                for at, result in enumerate(pages)
            )
        case _:
            whole = answers.document if outcome.is_pdf else answers.image
            return _encoded(whole(pages, words=wanted.words))


def _encoded(value: object) -> str:
    return msgspec.json.encode(value).decode() + "\n"


def _write_pdf(file: IO[bytes], outcome: Outcome, files: Files) -> None:
    request = files.request
    with tempfile.TemporaryDirectory(prefix="ocr-") as folder:
        path = Path(folder, "searchable.pdf")
        if outcome.is_pdf:
            limited = partial(_limited, request.settings, len(outcome.pages))
            outputs.searchable_pdf(outcome.source.path, outcome.pages, path, password=request.password, run=limited)
        else:
            limits = pictures.limits_of(request.settings)
            outputs.searchable_pdf([outcome.source.path.read_bytes()], outcome.pages, path, limits=limits)
        with path.open("rb") as made:
            shutil.copyfileobj(made, file)


def _limited(settings: Settings, n_pages: int, function: str, *arguments: object, file_bytes: int) -> object:
    seconds = settings.pdf_page_s * (1 + n_pages / WRITING_PAGES)
    memory = settings.pdf_memory_bytes
    return run_limited(function, *arguments, seconds=seconds, memory_bytes=memory, file_bytes=file_bytes)
