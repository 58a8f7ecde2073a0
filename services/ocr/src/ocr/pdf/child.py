"""The process that opens PDFs: `python -m ocr.pdf.child DESCRIPTOR START`. It answers questions until its socket ends.

START is a Start in JSON. The process has one thread, no environment and the limits of `ocr.pdf.limits`.
"""

import gc
import socket
import sys
from typing import Any

import msgspec

from ocr.pdf import limits
from ocr.pdf.engine import Engine, PdfError
from ocr.pdf.messages import Answer, Close, EngineName, Failed, Limits, Open, Opened, Question, Read
from ocr.pdf.reading import Pixels, Reading
from ocr.pdf.wire import Wire

MAX_QUESTION_BYTES = 65_536


class Start(msgspec.Struct, frozen=True):
    parent: int  # its process's number
    engine: EngineName
    memory_bytes: int
    cpu_s: float  # for each question
    pictures: Limits


def engine_of(name: EngineName) -> Engine:
    """Imports the engine that is asked for, and no other."""
    if name == "pymupdf":
        from ocr.pdf.pymupdf import PyMuPDF

        return PyMuPDF()
    from ocr.pdf.pdfium import Pdfium

    return Pdfium()


def serve(wire: Wire, reading: Reading, cpu_s: float) -> None:
    """Answers one question after the other; returns when the parent has closed its end."""
    questions: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Question)
    encode = msgspec.msgpack.Encoder().encode
    while True:
        try:
            message, _ = wire.receive(MAX_QUESTION_BYTES)
        except EOFError:
            return
        limits.allow_cpu(cpu_s)
        question = questions.decode(message)
        if isinstance(question, Close):
            reading.close(question.key)
            continue
        answer, pixels = _answer(reading, question)
        wire.send(encode(answer), pixels)


def _answer(reading: Reading, question: Open | Read) -> tuple[Answer, Pixels]:
    try:
        return reading.answer(question)
    except PdfError as error:
        return Failed(error.kind, str(error)), b""
    except MemoryError:
        return Failed("too-large", "it takes more memory than it may"), b""
    except OSError as error:
        return Failed("error", f"the file cannot be opened: {error.strerror}"), b""


def main(descriptor: str, start_json: str) -> None:
    start = msgspec.json.decode(start_json, type=Start)
    limits.end_with_parent(start.parent)
    engine = engine_of(start.engine)
    limits.restrict(start.memory_bytes, 0)
    gc.disable()  # a page is thousands of tuples and no cycles: a third of its time would go into looking for them
    wire = Wire(socket.socket(fileno=int(descriptor)))
    wire.send(msgspec.msgpack.encode(Opened(0)))  # ready
    serve(wire, Reading(engine, start.pictures), start.cpu_s)


if __name__ == "__main__":
    main(*sys.argv[1:])
