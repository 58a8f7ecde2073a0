"""What is sent of a picture: the part that is asked for, no larger than a remote model looks at, without metadata."""

import io

from PIL import Image

from cars.recognition import Box

MAX_SIDE = 512  # the models look at 224 to 384
QUALITY = 90
CONTENT_TYPE = "image/jpeg"


def encoded(image: Image.Image, box: Box | None) -> bytes:
    """Returns the box of an upright RGB picture, or all of it, as a JPEG whose longer side is at most MAX_SIDE px."""
    x, y, width, height = box or Box(0, 0, image.width, image.height)
    factor = min(1.0, MAX_SIDE / max(width, height))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    part = (x, y, x + width, y + height)
    small = image.resize(size, Image.Resampling.BICUBIC, box=part, reducing_gap=3.0)
    small.info.clear()  # a comment in it would be written
    file = io.BytesIO()
    small.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
