"""One grey plane out of a picture of any colours, with transparency put on a paper that the ink stands out from."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]  # (h, w)

GREYISH = 16  # levels between the channels below which a picture counts as grey
STRONG = 0.1  # share of the largest difference of neighbours from which an edge counts
OPAQUE = 0.6  # covered share from which the opaque part is a page, and no drawing on nothing
ONE_COLOUR = 24.0  # standard deviation, in levels, of ink of one colour


def grey_of(picture: Image.Image) -> Grey:
    """Returns the grey levels (h, w) in which a picture of any mode shows its writing best."""
    if picture.mode == "L":
        return np.asarray(picture)
    if "A" in picture.mode or "a" in picture.mode or "transparency" in picture.info:
        return _composed(picture.convert("RGBA"))
    return _projected(np.asarray(picture if picture.mode == "RGB" else picture.convert("RGB")))


def _composed(picture: Image.Image) -> Grey:
    """Puts a transparent picture on paper; ink of one colour on nothing is its own coverage."""
    planes = np.asarray(picture)
    alpha = planes[..., 3]
    if alpha.min() == 255:
        return _projected(planes[..., :3])
    solid = planes[alpha >= 128][:, :3]
    if len(solid) == 0:
        return 255 - alpha
    if len(solid) >= OPAQUE * alpha.size:
        return _projected(_on(planes, np.median(solid, axis=0)))
    if solid.std(axis=0).max() <= ONE_COLOUR:
        return 255 - alpha
    light = solid @ np.array([0.299, 0.587, 0.114])
    return _projected(_on(planes, np.full(3, 255.0 if light.mean() < 128 else 0.0)))


def _on(planes: NDArray[np.uint8], paper: NDArray[np.float64]) -> NDArray[np.uint8]:
    share = planes[..., 3:].astype(np.float32) / 255
    mixed = planes[..., :3] * share + paper.astype(np.float32) * (1 - share)
    return (mixed + 0.5).astype(np.uint8)


def _projected(colours: NDArray[np.uint8]) -> Grey:
    """Projects colours (h, w, 3) on the direction in which neighbours differ most: ink against paper.

    Grey pictures have luma; red on green of equal luma has its full contrast. The scale is such that the cube of
    colours fills 0..255.
    """
    red, green, blue = (colours[..., i] for i in range(3))
    spread = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    if spread.max() < GREYISH:
        return np.ascontiguousarray(green)
    direction = _direction(colours)
    weights = (direction / np.abs(direction).sum()).astype(np.float32)
    offset = -255 * float(weights[weights < 0].sum())
    levels = colours.astype(np.float32) @ weights + np.float32(offset + 0.5)
    grey: Grey = np.clip(levels, 0, 255).astype(np.uint8)
    return grey


def _direction(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Returns the unit vector (3,) of the strongest edges, pointing to the light."""
    luma = np.array([0.299, 0.587, 0.114])
    step = max(1, max(colours.shape) // 60)
    if colours.shape[1] <= step:
        return luma
    signed = colours.astype(np.int16)
    apart = (signed[:, step:] - signed[:, :-step]).reshape(-1, 3).astype(np.float32)
    energy = np.einsum("ij,ij->i", apart, apart)
    strong = apart[energy >= STRONG * energy.max()].astype(np.float64)
    direction = np.linalg.eigh(strong.T @ strong)[1][:, -1]
    return np.asarray(direction if direction @ luma >= 0 else -direction)
