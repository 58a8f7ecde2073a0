"""Searchable PDFs: the pages as they came, and over each word its text, invisible."""

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from servicekit.images import Limits

from ocr.outputs import layer
from ocr.outputs.results import Result

Run = Callable[..., Any]  # as `ocr.documents.run_limited`: a dotted name, its arguments, `file_bytes`

WRITE = "ocr.outputs.layer:write"
GROWTH = 3  # times a document's size, the most that rewriting and text make of it
SPARE_BYTES = 16 << 20


def searchable_pdf(
    source: Path | Sequence[bytes],
    results: Iterable[Result],
    target: Path,
    *,
    password: str | None = None,
    run: Run | None = None,
    limits: Limits | None = None,
) -> None:
    """Writes `target`: of a PDF, or of picture files, each of whose frames becomes a page.

    `results` are gone through once, a page at a time. `run` calls the function that opens a PDF in a limited process;
    None: in this one, for documents that are trusted. `limits` are those of pictures. Raises OutputError,
    servicekit's ImageError, and what `run` raises.
    """
    if not isinstance(source, Path):
        from ocr.outputs import pictures  # not above: the limited process imports this package, and needs no NumPy

        pictures.write(source, results, target, limits or pictures.LIMITS)
        return
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=".text-") as stored:
        layer.store(results, stored)
        stored.flush()
        paths = str(source), stored.name, str(target)
        if run is None:
            layer.write(*paths, password)
        else:
            most = GROWTH * (source.stat().st_size + Path(stored.name).stat().st_size) + SPARE_BYTES
            run(WRITE, *paths, password, file_bytes=most)
