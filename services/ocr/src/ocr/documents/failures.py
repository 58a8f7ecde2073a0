"""What a client is told when a document cannot be read."""

import logging
import signal

from servicekit.problems import Problem

from ocr.documents.process import ProcessEnded
from ocr.pdf.messages import Failed
from ocr.problems import DocumentEncrypted, DocumentInvalid, DocumentTooLarge, DocumentTooSlow, NotAPdf

logger = logging.getLogger(__name__)

MEBIBYTE = 1_048_576
# pdfium ends its process itself when it gets no memory; the kernel kills where the machine has none left.
OUT_OF_MEMORY = (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL, signal.SIGKILL)
PROBLEMS: dict[str, type[Problem]] = {
    "not-a-pdf": NotAPdf,
    "invalid": DocumentInvalid,
    "encrypted": DocumentEncrypted,
    "too-large": DocumentTooLarge,
}


class DocumentError(Exception):
    """A document that is there by our own doing cannot be read."""


def problem(failed: Failed, where: str) -> Exception:
    """Returns what to raise for a failure that the process told."""
    kind = PROBLEMS.get(failed.kind)
    return kind(failed.text) if kind else DocumentError(f"{where}: {failed.text}")


def broken(error: Exception, where: str, seconds: float, memory_bytes: int) -> Problem:
    """Returns the problem for a process that gave no answer."""
    logger.warning("a PDF's process failed", extra={"fields": {"where": where, "reason": _reason(error)}})
    if isinstance(error, TimeoutError) or (isinstance(error, ProcessEnded) and error.signal == signal.SIGXCPU):
        return DocumentTooSlow(f"{where} takes more than {seconds:g} s, the limit")
    if isinstance(error, ProcessEnded) and error.signal in OUT_OF_MEMORY:
        return DocumentTooLarge(f"{where} takes more than {memory_bytes // MEBIBYTE} MiB, the limit, or is damaged")
    return DocumentInvalid(f"{where} is damaged: the process that read it failed")


def _reason(error: Exception) -> str:
    said = f": {error.said}" if isinstance(error, ProcessEnded) and error.said else ""
    return f"{type(error).__name__} {error}{said}"
