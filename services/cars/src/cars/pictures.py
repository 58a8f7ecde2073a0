"""The intake of a picture: what it is by its content, whether it can be kept, and the bytes that are kept of it.

No pixel is decoded but those of a PNG that EXIF turns.
"""

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from servicekit import images
from servicekit.images import ImageError, Limits, SizeError, kinds
from servicekit.images import jpeg as jpeg_files
from servicekit.images import png as png_files
from servicekit.images.exif import UPRIGHT
from servicekit.names import base, quoted

from cars.metadata import jpeg, png
from cars.problems import ImageTooLarge, NotAnImage
from cars.storage import keys

CONTENT_TYPES: dict[keys.Kind, str] = {"jpg": "image/jpeg", "png": "image/png"}

_FIRST_TRANSPOSED = 5  # from this orientation on width and height change places


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is kept: `data` shows upright and says nothing of where, when and by whom it was taken.

    `width` and `height` are upright pixels. `sha256` is that of `data`, and so is the same for the same upload;
    `upload_sha256` is that of what came.
    """

    filename: str
    data: bytes
    kind: keys.Kind
    width: int
    height: int
    sha256: str
    upload_sha256: str

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.kind]


class _Kept(NamedTuple):
    data: bytes
    size: tuple[int, int]  # upright


def limits(max_pixels: int) -> Limits:
    """Returns what this service takes of pictures."""
    return Limits(("JPEG", "PNG"), max_pixels)


def take(data: bytes, filename: str, allowed: Limits) -> Picture:
    """Returns the picture that is to be kept of an upload; raises NotAnImage and ImageTooLarge.

    Takes some milliseconds of a thread. Only a PNG that EXIF turns is decoded: `images.decoding_bytes` of memory.
    """
    name = base(filename)
    try:
        kind, kept = _kept(data, allowed)
    except SizeError as error:
        raise ImageTooLarge(f"{quoted(name)} is too large: {error}") from None
    except ImageError as error:
        raise NotAnImage(f"{quoted(name)} cannot be taken: {error}") from None
    sha256 = hashlib.sha256(kept.data).hexdigest()
    of_upload = sha256 if kept.data is data else hashlib.sha256(data).hexdigest()
    return Picture(name, kept.data, kind, *kept.size, sha256, of_upload)


def _kept(data: bytes, allowed: Limits) -> tuple[keys.Kind, _Kept]:
    kind = kinds.of(data)
    if kind.name not in _KEEP:
        raise ImageError(f"it is {kind.described}; JPEG and PNG are taken")
    ending, keep = _KEEP[kind.name]
    return ending, keep(data, allowed)


def _keep_jpeg(data: bytes, allowed: Limits) -> _Kept:
    file = jpeg_files.inspect(data, allowed)
    return _Kept(jpeg.stripped(data, file.orientation), _turned(file.size, file.orientation))


def _keep_png(data: bytes, allowed: Limits) -> _Kept:
    """Turns the pixels where EXIF asks for it, since viewers do not; 16 bits become 8 then."""
    file = png_files.inspect(data, allowed)
    if file.orientation == UPRIGHT:
        return _Kept(png.stripped(data), file.size)
    stream = io.BytesIO()
    images.decode(data, allowed).save(stream, "PNG")
    return _Kept(png.with_colours_of(stream.getvalue(), data), _turned(file.size, file.orientation))


def _turned(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return size if orientation < _FIRST_TRANSPOSED else (size[1], size[0])


_KEEP: dict[str, tuple[keys.Kind, Callable[[bytes, Limits], _Kept]]] = {
    "JPEG": ("jpg", _keep_jpeg),
    "PNG": ("png", _keep_png),
}
