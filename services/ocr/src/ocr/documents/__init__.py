"""Documents of pages, read by processes with limits: what is hostile in one costs its own request and no other."""

from ocr.documents.documents import Document, Documents, EngineError
from ocr.documents.failures import DocumentError
from ocr.documents.once import LimitedFailure, run_limited
from ocr.documents.pool import DocumentClosed
from ocr.documents.shown import Mode, PageContent

__all__ = [
    "Document",
    "DocumentClosed",
    "DocumentError",
    "Documents",
    "EngineError",
    "LimitedFailure",
    "Mode",
    "PageContent",
    "run_limited",
]
