"""What the parent asks the process that opens PDFs, and what that answers: MessagePack over a socket."""

from typing import Literal

import msgspec

from ocr.pages import Page, Source

Mode = Literal["auto", "text", "ocr"]
EngineName = Literal["pdfium", "pymupdf"]


class Limits(msgspec.Struct, frozen=True):
    """What a picture of a page may be at most, in pixels."""

    max_width: int
    max_height: int
    max_pixels: int


class Open(msgspec.Struct, frozen=True, tag="open"):
    """`key` names the open document: with a new one the file is opened afresh."""

    key: int
    path: str
    password: str | None


class Close(msgspec.Struct, frozen=True, tag="close"):
    """Is not answered: the file is let go, so that a deleted one takes no room."""

    key: int


class Read(msgspec.Struct, frozen=True, tag="read"):
    document: Open
    index: int
    mode: Mode
    dpi: int


class Opened(msgspec.Struct, frozen=True, tag="opened"):
    n_pages: int


class Shown(msgspec.Struct, frozen=True, tag="shown"):
    """A page; where `page` is None its picture follows the message as BGR bytes."""

    width: int
    height: int
    width_pt: float
    height_pt: float
    dpi: float
    source: Source
    reason: str
    page: Page | None


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    kind: Literal["not-a-pdf", "invalid", "encrypted", "too-large", "error"]
    text: str


Question = Open | Read | Close
Answer = Opened | Shown | Failed
