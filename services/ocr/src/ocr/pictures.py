"""Images that a client sent: what reading them will cost, and their pixels as the networks take them; and back."""

from dataclasses import dataclass
from pathlib import Path

import cv2
from servicekit import images
from servicekit.images import ImageError, Limits, SizeError
from servicekit.problems import Problem
from servicekit.uploads import Upload

from ocr.geometry import Picture
from ocr.preprocess import picture_of
from ocr.problems import ImageTooLarge, NotAnImage
from ocr.settings import Settings

Data = bytes | Upload | Path

FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "GIF")
MOST_PIXELS = 20_000 * 20_000  # no limit of its own: that of the sides is the one to be told
SAMPLES = 3  # bytes of a pixel as it is read
TO_PDF = "; POST /upload_pdf takes PDFs"


@dataclass(frozen=True, slots=True)
class Encoding:
    """A form of an image file; `options` are OpenCV's."""

    media_type: str
    suffix: str
    options: tuple[int, ...]


JPEG = Encoding("image/jpeg", ".jpg", (cv2.IMWRITE_JPEG_QUALITY, 80))
PNG = Encoding("image/png", ".png", (cv2.IMWRITE_PNG_COMPRESSION, 3))


def limits_of(settings: Settings) -> Limits:
    """Returns what is taken of images."""
    width, height = settings.max_image_width, settings.max_image_height
    return Limits(FORMATS, MOST_PIXELS, max_width=width, max_height=height, max_frames=settings.max_frames)


def content(data: Data) -> bytes:
    """Returns the bytes; reads them from the disk where they lie there."""
    if isinstance(data, bytes):
        return data
    return data.data() if isinstance(data, Upload) else data.read_bytes()


def costs(data: Data, limits: Limits) -> list[int]:
    """Returns for each page of an image what reading it takes of memory; raises NotAnImage and ImageTooLarge."""
    file = content(data)
    try:
        pages = range(images.frames(file, limits))
    except ImageError as error:
        raise _refusal(file, error) from None
    return [len(file) + images.decoding_bytes(file, page) + SAMPLES * _pixels(file, page) for page in pages]


def decoded(data: Data, page: int, limits: Limits) -> Picture:
    """Returns a page of an image, upright; raises NotAnImage and ImageTooLarge."""
    file = content(data)
    try:
        return picture_of(images.decode(file, limits, frame=page))
    except ImageError as error:
        raise _refusal(file, error) from None


def encoded(picture: Picture, encoding: Encoding) -> bytes:
    """Returns a picture as an image file, which hardly ever takes more than the pixels themselves."""
    done, file = cv2.imencode(encoding.suffix, picture, encoding.options)
    assert done  # of 8 bits, three channels, and within the limits there is no picture that cannot be encoded
    return file.tobytes()


def _pixels(file: bytes, page: int) -> int:
    width, height = images.size(file, page) or (0, 0)
    return width * height


def _refusal(file: bytes, error: ImageError) -> Problem:
    if isinstance(error, SizeError):
        return ImageTooLarge(f"the image is too large: {error}")
    return NotAnImage(f"the image cannot be read: {error}{TO_PDF if file.startswith(b'%PDF-') else ''}")
