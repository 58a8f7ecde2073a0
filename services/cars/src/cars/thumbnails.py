"""Small pictures for galleries and reports: JPEG, upright, the longer side 320 px, the same bytes for the same file."""

import io

from PIL import Image
from servicekit import images
from servicekit.images import Limits

SIDE = 320
CONTENT_TYPE = "image/jpeg"

_QUALITY = 80
_GROUND = (255, 255, 255)


def make(data: bytes, allowed: Limits) -> bytes:
    """Returns the thumbnail of a picture; raises ImageError for pixels that cannot be decoded.

    A JPEG is decoded at an eighth, a quarter or half of its size. Inks (CMYK) become the colours that screens show,
    what is transparent becomes white, and a smaller picture keeps its size.
    """
    image = _opaque(images.decode(data, allowed, bound=SIDE))
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY, optimize=True)
    return stream.getvalue()


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image
    ground = Image.new("RGB", image.size, _GROUND)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground
