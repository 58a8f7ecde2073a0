"""What a call takes of pictures, and the one error of those that it does not take."""

import struct
from dataclasses import dataclass

from PIL import Image

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")  # those that can be read at all, by Pillow's names
MAX_SIDE = 65_535  # JPEG's own; the rows of a picture one pixel wide cost more memory than its pixels
MAX_FRAMES = 1_000

# What Pillow raises for damaged files, beside what its documentation names.
DAMAGED = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    Image.DecompressionBombError,
)


class ImageError(ValueError):
    """A picture that is none, is damaged or too large; the text says what is wrong, the value and the limit."""


class SizeError(ImageError):
    """A picture that may be sound but is over a limit: of pixels, of width or height, of pages."""


@dataclass(frozen=True)
class Limits:
    """The formats that a call takes, sizes in pixels, and the pages of a TIFF."""

    formats: tuple[str, ...]
    max_pixels: int
    max_width: int = MAX_SIDE
    max_height: int = MAX_SIDE
    max_frames: int = MAX_FRAMES

    def __post_init__(self) -> None:
        if unread := set(self.formats) - set(FORMATS):
            raise ValueError(f"{', '.join(sorted(unread))} cannot be read, but {', '.join(FORMATS)}")

    def check(self, width: int, height: int) -> None:
        """Raises ImageError for a picture that is empty or too large."""
        pixels = width * height
        if not pixels:
            raise ImageError(f"it has {width} × {height} pixels")
        if pixels > self.max_pixels:
            shown = f"{_millions(pixels)} pixels ({width} × {height})"
            raise SizeError(f"it has {shown}, the limit is {_millions(self.max_pixels)}")
        if width > self.max_width or height > self.max_height:
            raise SizeError(f"it has {width} × {height} pixels, the limit is {self.max_width} × {self.max_height}")


def _millions(pixels: int) -> str:
    return f"{pixels / 1e6:.1f} million" if pixels >= 1_000_000 else str(pixels)
