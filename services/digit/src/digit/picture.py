"""A file that should be a picture: its name, its content, and what its header says that reading it will cost."""

from collections.abc import Sequence

from servicekit import images
from servicekit.uploads import Upload

from digit.postprocess import Box

TINY_PIXELS = 48 * 48
TINY_BYTES = 16_384
HEAD_BYTES = 65_536  # of a file on the disk; the size stands within, nearly always
JPEG = b"\xff"
# Bytes of memory for each pixel, measured.
DECODING, DECODING_JPEG = 4, 6  # a progressive JPEG without subsampling keeps 2 bytes for each of 3 samples
PREPARING = 32  # of the reduced picture


class Picture:
    """`source` is the content, or an upload that may lie on the disk until it is read."""

    def __init__(self, source: bytes | Upload, name: str = "") -> None:
        self.name = name
        self._source = source
        self.n_bytes = len(source) if isinstance(source, bytes) else source.size
        head = self._head()
        self.is_jpeg = head.startswith(JPEG)
        self.size = images.size(head)  # width and height before EXIF turns it; None: not found

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1] if self.size else 0

    @property
    def is_tiny(self) -> bool:
        """Whether it is read in half a millisecond, so that a hop to a thread would cost more than it saves."""
        return self.n_bytes <= TINY_BYTES and 0 < self.pixels <= TINY_PIXELS

    def data(self) -> bytes:
        """Returns the content; reads it from the disk where it lies there."""
        return self._source if isinstance(self._source, bytes) else self._source.data()

    def named(self, text: str) -> str:
        """Returns an error's text with the picture's name at its end, where it has one."""
        return f"{text}: {self.name}" if self.name else text

    def enlarged(self, box: Box, size: tuple[int, int]) -> Box:
        """Returns a box in the decoded picture, which has `size`, as one in the upright picture of the file."""
        factor = max(self.size) / max(size) if self.size else 1.0
        x, y, width, height = (round(edge * factor) for edge in box)
        return x, y, width, height

    def cost_bytes(self, bound: int) -> int:
        """Returns the memory that decoding and preparing take at most, beside the content."""
        decoding = DECODING_JPEG if self.is_jpeg else DECODING
        return decoding * self.pixels + PREPARING * min(self.pixels, bound * bound)

    def _head(self) -> bytes:
        source = self._source
        if isinstance(source, bytes):
            return source
        if source.in_memory:
            return source.data()
        with source.file as file:
            return file.read(HEAD_BYTES)


def cost_bytes(pictures: Sequence[Picture], bound: int) -> int:
    """Returns the memory that reading these, one after the other, takes at most."""
    return sum(picture.n_bytes for picture in pictures) + max(picture.cost_bytes(bound) for picture in pictures)


def most_bytes(max_file_bytes: int, max_pixels: int, bound: int) -> int:
    """Returns what the largest picture takes; a progressive JPEG that would take more is refused as too large."""
    return max_file_bytes + DECODING * max_pixels + PREPARING * bound * bound
