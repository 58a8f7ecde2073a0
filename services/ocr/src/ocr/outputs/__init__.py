"""What is made of read pages: JSON's members, text, Markdown, hOCR, ALTO, and searchable PDFs.

`text`, `markdown`, `hocr` and `alto` take results as they come and go through them once; their `pieces` (of the modules
of the same names) yield page by page and keep none. A searchable PDF needs a file to write to.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ocr.outputs.alto import alto
from ocr.outputs.hocr import hocr
from ocr.outputs.layer import OutputError
from ocr.outputs.markdown import markdown
from ocr.outputs.results import Result
from ocr.outputs.searchable import searchable_pdf
from ocr.outputs.shapes import content_box, image_size, item, items
from ocr.outputs.text import text

__all__ = [
    "FORMATS",
    "Format",
    "OutputError",
    "Result",
    "alto",
    "content_box",
    "hocr",
    "image_size",
    "item",
    "items",
    "markdown",
    "searchable_pdf",
    "text",
]


@dataclass(frozen=True, slots=True)
class Format:
    """How an output is sent, and what its file's name ends with."""

    media_type: str
    suffix: str


FORMATS: Mapping[str, Format] = {
    "json": Format("application/json", ".json"),
    "text": Format("text/plain; charset=utf-8", ".txt"),
    "markdown": Format("text/markdown; charset=utf-8", ".md"),
    "hocr": Format("application/xhtml+xml; charset=utf-8", ".hocr"),
    "alto": Format("application/xml; charset=utf-8", ".xml"),
    "pdf": Format("application/pdf", ".pdf"),
}
