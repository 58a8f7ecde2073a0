"""How an operator's model wants its pixels: `preprocessor_config.json`, as Transformers' image processors write it.

After the documentation of Transformers' image processors (Apache-2.0): resize, crop about the middle, rescale,
normalise, in this order, each where its flag says so. What changes pixels in ways not known here is refused.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cars.backends.folder_labels import FolderError, document, shown

CONFIG = "preprocessor_config.json"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
RESCALE = 1 / 255
LARGEST = 2048  # px of a side
KNOWN_FLAGS = {"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_flip_channel_order"}
REFUSED = ("rescale_offset", "include_top", "crop_pct", "size_divisor")  # some processors' own arithmetic
Size = tuple[int, int]  # height, width
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Recipe:
    """What is done to a picture, in this order; a step that is None is left out."""

    resize: Size | int | None  # an int: the shorter side, the aspect kept
    crop: Size | None
    resample: Image.Resampling
    scale: float  # pixels of 0 to 255 are multiplied by it
    mean: Colour
    deviation: Colour
    bgr: bool
    stated: bool  # by preprocessor_config.json; else as the input's type suggests

    @property
    def size(self) -> Size | None:
        """The size that comes out, where it is always the same."""
        return self.crop or (self.resize if isinstance(self.resize, tuple) else None)

    def prepared(self, picture: Image.Image, region: tuple[int, int, int, int] | None) -> NDArray[np.float32]:
        """Returns a region (left, top, right, bottom) of an RGB picture as (height, width, 3)."""
        part = picture if region is None else picture.crop(region)
        if self.resize is not None:
            height, width = self.resize if isinstance(self.resize, tuple) else _shorter(part.size, self.resize)
            part = part.resize((width, height), self.resample, reducing_gap=2.0)
        if self.crop is not None:
            part = _middle(part, self.crop)
        pixels: NDArray[np.float32] = np.asarray(part, np.float32) * np.float32(self.scale)
        pixels -= np.array(self.mean, np.float32)
        pixels /= np.array(self.deviation, np.float32)
        return pixels[:, :, ::-1] if self.bgr else pixels


def assumed(size: Size, floating: bool) -> Recipe:
    """Returns what is done where no file says it: whole pixels as they are, floating ones as ImageNet's models want."""
    if not floating:
        return Recipe(size, None, Image.Resampling.BILINEAR, 1.0, (0.0,) * 3, (1.0,) * 3, bgr=False, stated=False)
    return Recipe(size, None, Image.Resampling.BILINEAR, RESCALE, IMAGENET_MEAN, IMAGENET_STD, bgr=False, stated=False)


def read(path: Path) -> Recipe:
    """Reads a `preprocessor_config.json`; raises FolderError."""
    found = document(path)
    if not isinstance(found, dict):
        raise FolderError(f"{CONFIG} is {shown(found)}; an object is read")
    for key in [key for key in found if key.startswith("do_") and key not in KNOWN_FLAGS] + list(REFUSED):
        if found.get(key):
            raise FolderError(f"{CONFIG}: {key} is {shown(found[key])}, which is not known here")
    crops = _flag(found, "do_center_crop", default="crop_size" in found)
    normalises = _flag(found, "do_normalize", default="image_mean" in found)
    return Recipe(
        resize=_resize(found, crops) if _flag(found, "do_resize", default="size" in found) else None,
        crop=_sides(found, "crop_size") if crops else None,
        resample=_resample(found),
        scale=_number(found, "rescale_factor", RESCALE) if _flag(found, "do_rescale", default=True) else 1.0,
        mean=_colour(found, "image_mean", _any) if normalises else (0.0, 0.0, 0.0),
        deviation=_colour(found, "image_std", _positive) if normalises else (1.0, 1.0, 1.0),
        bgr=_flag(found, "do_flip_channel_order", default=False),
        stated=True,
    )


def _resize(found: dict[str, Any], crops: bool) -> Size | int:
    """Returns the size; a number alone is a square's, or the shorter side's where a crop follows."""
    size = found.get("size")
    if isinstance(size, dict) and set(size) == {"shortest_edge"}:
        return _side(size["shortest_edge"], "size")
    if crops and isinstance(size, int):
        return _side(size, "size")
    return _sides(found, "size")


def _sides(found: dict[str, Any], key: str) -> Size:
    value = found.get(key)
    if isinstance(value, dict) and {"height", "width"} <= set(value):
        return _side(value["height"], key), _side(value["width"], key)
    if isinstance(value, int):
        return _side(value, key), _side(value, key)
    raise FolderError(f"{CONFIG}: {key} is {shown(value)}; a number, or height and width, are read")


def _side(value: object, key: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= LARGEST:
        raise FolderError(f"{CONFIG}: {key} is {shown(value)}; whole numbers from 1 to {LARGEST} are read")
    return value


def _flag(found: dict[str, Any], key: str, default: bool) -> bool:
    value = found.get(key)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise FolderError(f"{CONFIG}: {key} is {shown(value)}; true or false is read")
    return value


def _resample(found: dict[str, Any]) -> Image.Resampling:
    value = found.get("resample", Image.Resampling.BILINEAR.value)
    if isinstance(value, bool) or value not in {each.value for each in Image.Resampling}:
        raise FolderError(f"{CONFIG}: resample is {shown(value)}; Pillow's filters 0 to 5 are known")
    return Image.Resampling(value)


def _number(found: dict[str, Any], key: str, default: float) -> float:
    value = found.get(key, default)
    if not _positive(value):
        raise FolderError(f"{CONFIG}: {key} is {shown(value)}; a number above 0 is read")
    return float(value)


def _colour(found: dict[str, Any], key: str, fits: Callable[[object], bool]) -> Colour:
    value = found.get(key)
    if not isinstance(value, list) or len(value) != 3 or not all(fits(each) for each in value):
        raise FolderError(f"{CONFIG}: {key} is {shown(value)}; three numbers are read")
    red, green, blue = (float(each) for each in value)
    return red, green, blue


def _any(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and _any(value) and value > 0


def _shorter(size: tuple[int, int], side: int) -> Size:
    """Returns height and width of a picture (width, height) whose shorter side becomes `side`."""
    width, height = size
    if width <= height:
        return max(1, int(side * height / width)), side
    return side, max(1, int(side * width / height))


def _middle(picture: Image.Image, size: Size) -> Image.Image:
    """Returns the middle of a picture; what it lacks is black."""
    height, width = size
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))
