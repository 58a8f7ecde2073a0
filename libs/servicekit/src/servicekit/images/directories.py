"""The directories of a TIFF, one for each page: walked and read, never trusted.

After TIFF revision 6.0 (Adobe, 1992), section 2, and BigTIFF, which has the same tags behind offsets of 8 bytes.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from servicekit.images.limits import ImageError, SizeError

MAX_ENTRIES = 512  # of a directory; a scanner writes 15, a camera about 100
MAX_SMALLER = 4  # directories of thumbnails and masks beside each page

SUBFILE = 254
_NO_PAGE = 0b101  # reduced, or a mask
_LAYOUTS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}  # whole numbers by the type of their entry
_BYTES = (1, 2, 7)


class _Form:
    """How one file writes its numbers."""

    def __init__(self, order: str, *, big: bool) -> None:
        offset = "Q" if big else "I"
        self.order = order
        self.offset = struct.Struct(order + offset)
        self.count = struct.Struct(order + ("Q" if big else "H"))
        self.entry = struct.Struct(f"{order}HH{offset}{self.offset.size}x")


@dataclass(frozen=True)
class _Entry:
    kind: int
    count: int
    position: int  # of the values, or of the offset to them


class Directory:
    """What a file tells of one page; whoever asks for a tag names its most values."""

    def __init__(self, data: bytes, form: _Form, entries: dict[int, _Entry]) -> None:
        self._data = data
        self._form = form
        self._entries = entries

    @property
    def order(self) -> str:
        """`<` or `>`, as struct writes it."""
        return self._form.order

    @property
    def is_page(self) -> bool:
        return not self.value(SUBFILE, 0) & _NO_PAGE

    def __contains__(self, tag: int) -> bool:
        return tag in self._entries

    def value(self, tag: int, default: int) -> int:
        """Returns the first value of a tag; raises ImageError where it is no whole number."""
        return next(iter(self.values(tag, 1)), default)

    def values(self, tag: int, most: int) -> tuple[int, ...]:
        """Returns the first values of a tag, none where it is absent; raises ImageError."""
        entry = self._entries.get(tag)
        if entry is None:
            return ()
        layout = _LAYOUTS.get(entry.kind)
        if layout is None:
            raise ImageError(f"the TIFF image is damaged: its tag {tag} holds no whole numbers")
        size = struct.calcsize(f"={layout}")
        start = self._start(tag, entry, size * entry.count)
        return struct.unpack_from(f"{self.order}{min(most, entry.count)}{layout}", self._data, start)

    def content(self, tag: int) -> bytes:
        """Returns the bytes of a tag, empty where it is absent; raises ImageError."""
        entry = self._entries.get(tag)
        if entry is None or entry.kind not in _BYTES:
            return b""
        start = self._start(tag, entry, entry.count)
        return self._data[start : start + entry.count]

    def _start(self, tag: int, entry: _Entry, n_bytes: int) -> int:
        start = entry.position
        if n_bytes > self._form.offset.size:
            (start,) = self._form.offset.unpack_from(self._data, start)
        if start + n_bytes > len(self._data):
            raise ImageError(f"the TIFF image is truncated: the values of its tag {tag} lie outside of the file")
        return start


def pages(data: bytes, max_frames: int) -> Iterator[Directory]:
    """Yields the directories of pages in order, one after the other as they are asked for; raises ImageError.

    Thumbnails and masks are no pages, unless there is nothing else.
    """
    found, others = 0, []
    for directory in _chain(data, max_frames):
        if not directory.is_page:
            others.append(directory)
            continue
        found += 1
        if found > max_frames:
            raise SizeError(f"the TIFF image has more than {max_frames} pages")
        yield directory
    if not found:
        yield from others[:max_frames]


def _chain(data: bytes, max_frames: int) -> Iterator[Directory]:
    form, at = _header(data)
    seen: set[int] = set()
    while at:
        if at in seen:
            raise ImageError("the TIFF image is damaged: its pages follow each other in a circle")
        if len(seen) > (1 + MAX_SMALLER) * max_frames:
            raise SizeError(f"the TIFF image has more than {max_frames} pages and {len(seen)} directories")
        seen.add(at)
        directory, at = _directory(data, form, at)
        yield directory


def _header(data: bytes) -> tuple[_Form, int]:
    """Returns the form, and where the first directory is."""
    order = ">" if data.startswith(b"MM") else "<"
    big = data[2:4] == (b"\0+" if order == ">" else b"+\0")
    form = _Form(order, big=big)
    if len(data) < (16 if big else 8):
        raise ImageError(f"the TIFF image is truncated: it has {len(data)} bytes and ends in its header")
    if big and struct.unpack_from(f"{order}HH", data, 4) != (8, 0):
        raise ImageError("the TIFF image is damaged in its header")
    (first,) = form.offset.unpack_from(data, 8 if big else 4)
    if not first:
        raise ImageError("the TIFF image has no pages")
    return form, first


def _directory(data: bytes, form: _Form, at: int) -> tuple[Directory, int]:
    """Returns the directory there, and where the next one is, or 0."""
    start = at + form.count.size
    if start > len(data):
        raise ImageError(f"the TIFF image is truncated: a page is told of at byte {at}, and the file has {len(data)}")
    (count,) = form.count.unpack_from(data, at)
    if count > MAX_ENTRIES:
        raise ImageError(f"the TIFF image is damaged: a page has {count} tags, the limit is {MAX_ENTRIES}")
    end = start + count * form.entry.size
    if end + form.offset.size > len(data):
        raise ImageError("the TIFF image is truncated: it ends among the tags of a page")
    entries: dict[int, _Entry] = {}
    values = form.entry.size - form.offset.size
    for position in range(start, end, form.entry.size):
        tag, kind, n_values = form.entry.unpack_from(data, position)
        entries.setdefault(tag, _Entry(kind, n_values, position + values))
    (following,) = form.offset.unpack_from(data, end)
    return Directory(data, form, entries), following
