"""What is kept of a job beside its file and its pages: one small JSON document."""

from typing import Any, Literal

import msgspec

from ocr.options import Options

Status = Literal["queued", "running", "succeeded", "failed", "cancelled"]
Kind = Literal["pdf", "image"]
Place = tuple[int, str]  # created_ms and id: where a list goes on

UNFINISHED: tuple[Status, ...] = ("queued", "running")


class Order(msgspec.Struct, frozen=True):
    """What a client asks for; a document's password is none of it, so that it is never told or logged."""

    options: Options
    words: bool = False  # whether the JSON tells words
    mode: Literal["auto", "text", "ocr"] = "auto"
    pages: str | None = None  # "1-3,7", of a document
    dpi: int | None = None
    format: str = "json"  # of a result that is asked for without one


class Key(msgspec.Struct, frozen=True):
    """A client's Idempotency-Key, and the fingerprint of the request that it stands for."""

    name: str  # SHA-256 of client and key
    fingerprint: str


class File(msgspec.Struct, frozen=True):
    """The file as it came; `name` without folders."""

    name: str
    kind: Kind
    size_bytes: int
    sha256: str


class Record(msgspec.Struct, frozen=True):
    """One job; times are epoch milliseconds.

    `pages_done` is the truth of an ended job; that of another is counted in its pages. `attempts` is how often a
    process took the job and did not finish a page of it, since `done_before` pages were done.
    """

    id: str
    owner: str  # name of the client's API key
    order: Order
    file: File
    created_ms: int
    key: Key | None = None
    status: Status = "queued"
    numbers: tuple[int, ...] | None = None  # of the pages that are asked for, from 1; None until the file was opened
    pages_done: int = 0
    attempts: int = 0
    done_before: int = 0
    started_ms: int | None = None
    ended_ms: int | None = None
    error: dict[str, Any] | None = None

    @property
    def ended(self) -> bool:
        return self.status not in UNFINISHED

    @property
    def place(self) -> Place:
        return self.created_ms, self.id

    @property
    def progress(self) -> float:
        """From 0 to 1; only a job that has succeeded is at 1."""
        if self.status == "succeeded":
            return 1.0
        share = self.pages_done / len(self.numbers) if self.numbers else 0.0
        return min(0.99, round(share, 4))

    def expires_ms(self, retention_s: float) -> int | None:
        """When an ended job is removed."""
        return None if self.ended_ms is None else self.ended_ms + round(retention_s * 1000)
