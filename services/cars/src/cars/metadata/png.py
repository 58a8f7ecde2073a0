"""PNG files without the chunks that their pixels do not need.

After the PNG specification, third edition (W3C, 2025). The turn that the chunk eXIf asks for is not kept either: few
viewers know it, so that the pixels are turned in its place, which loses nothing.
"""

import zlib
from collections.abc import Iterator

_HEADER_START, _HEADER_END = 8, 33
_COLOURS = frozenset({b"cHRM", b"cICP", b"cLLI", b"gAMA", b"iCCP", b"mDCV", b"sRGB"})
_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"bKGD", b"sBIT", b"pHYs", b"IDAT", b"IEND", *_COLOURS})


def stripped(data: bytes) -> bytes:
    """Returns the file without what is private, and `data` itself where there is nothing of it.

    `data` has passed servicekit's inspection, so that its chunks are whole and end with IEND.
    """
    view = memoryview(data)
    kept = [view[:_HEADER_START]]
    kept += [view[start:end] for name, start, end in _sound(data) if name in _NEEDED]
    return data if sum(map(len, kept)) == len(data) else b"".join(kept)


def with_colours_of(turned: bytes, data: bytes) -> bytes:
    """Returns the PNG `turned`, fresh from an encoder, with the chunks that say what the colours of `data` mean."""
    colours = b"".join(data[start:end] for name, start, end in _sound(data) if name in _COLOURS)
    return turned[:_HEADER_END] + colours + turned[_HEADER_END:]


def _sound(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yields name, start and end of each chunk whose checksum is right, up to IEND."""
    view = memoryview(data)
    end, name = _HEADER_START, b""
    while name != b"IEND":
        start = end
        name = data[start + 4 : start + 8]
        end = start + 12 + int.from_bytes(data[start : start + 4])
        # Those that pixels need have been checked, and are nearly all of the file.
        if name in (b"IDAT", b"IEND") or zlib.crc32(view[start + 4 : end - 4]) == int.from_bytes(data[end - 4 : end]):
            yield name, start, end
