"""What the paper would look like without the ink, and so how much darker or lighter each pixel is than its paper."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digit.imaging.grey import Grey
from digit.imaging.shade import followed, is_shaded
from digit.imaging.windows import closed

Value = TypeVar("Value", np.uint8, np.bool_)
Filter = Callable[[Grey, int], Grey]

EVEN = 3  # levels within which drawn paper keeps to one tone
EVEN_SHARE = 0.7
APART = 40  # levels between the two tones of a drawing
SMALL = 64  # px
SMALL_EVEN, SMALL_SHARE = 10, 0.25  # levels from a small picture's lightest or darkest; share of the pixels there
NOISY = 5.0  # levels, from which a small picture is blurred
STROKE, SMALL_STROKE = 0.22, 0.3  # the widest stroke of a photograph, as a share of the longer side
SCALES = (0.015, 0.03, 0.06, 0.12)  # of the longer side
SEEN = 0.6  # of the contrast at the best scale
AREA_VOTE = 0.5
CALM = 12  # levels: what lies further from drawn paper is no noise
CALM_SHARE, CALM_SIGMAS = 0.35, 0.454  # this share of normal noise is within so many standard deviations
SIGMA = 1.48  # standard deviations in the median deviation of normal noise
DARKEST = 0.15  # of the brightest paper: where the light is taken to end


@dataclass(frozen=True, eq=False)
class Contrast:
    """How far each pixel lies from its paper towards the ink."""

    levels: NDArray[np.float32]  # (h, w), at least 0; 255 is black on white
    noise: float  # standard deviation, in levels, of what is no ink
    drawn: bool  # on paper of one tone: no camera, no light


def contrast(grey: Grey) -> Contrast:
    """Measures the ink of grey levels (h, w), of either polarity, drawn or photographed."""
    border = np.sort(_ring(grey, 0))
    tone = int(border[len(border) // 2])
    low, high = np.searchsorted(border, (tone - EVEN, tone + EVEN + 1))
    if high - low >= EVEN_SHARE * len(border):
        tone = _inner_tone(grey, tone)
    elif _few_toned(grey):
        tone = _paper_tone(grey)
    else:
        return _photographed(grey)
    seen = _drawn(grey, tone)
    return _photographed(grey) if max(grey.shape) > SMALL and is_shaded(grey, tone, seen.levels) else seen


def _ring(grey: NDArray[Value], depth: int) -> NDArray[Value]:
    """Returns the pixels of the rectangle that lies `depth` pixels inside the border, corners twice."""
    last = -1 - depth
    return np.concatenate((grey[depth], grey[last], grey[:, depth], grey[:, last]))


def _inner_tone(grey: Grey, tone: int) -> int:
    """Returns the paper's tone; it is not the border's where a printed box runs along the border."""
    depth = min(grey.shape) // 12
    if depth < 2:
        return tone
    inner = np.sort(_ring(grey, depth))
    other = int(inner[len(inner) // 2])
    if abs(other - tone) <= EVEN:
        return tone
    low, high = np.searchsorted(inner, (other - EVEN, other + EVEN + 1))
    if high - low < EVEN_SHARE * len(inner):
        return tone
    share = np.count_nonzero((grey >= max(other - EVEN, 0)) & (grey <= min(other + EVEN, 255))) / grey.size
    return other if share >= 0.5 else tone


def _few_toned(grey: Grey) -> bool:
    """Tells whether nearly all pixels have one of two tones, or many of a small picture an extreme one: it is drawn."""
    counts = np.bincount(grey.reshape(-1), minlength=256)
    if max(grey.shape) <= SMALL:
        low, high = int(grey.min()), int(grey.max())
        ends = counts[low : low + SMALL_EVEN].sum(), counts[max(0, high - SMALL_EVEN + 1) : high + 1].sum()
        if max(ends) >= SMALL_SHARE * grey.size:
            return True
    near = np.convolve(counts, np.ones(2 * EVEN + 1, np.int64), "same")
    first = int(near.argmax())
    rest = near.copy()
    rest[max(0, first - APART) : first + APART] = 0
    return int(near[first] + rest.max()) >= EVEN_SHARE * grey.size


def _paper_tone(grey: Grey) -> int:
    """Returns the usual tone on the side, dark or light, that the paper is on."""
    middle = _middle(grey)
    paper = grey[(grey > middle) == _light_paper(grey)]
    return int(np.median(paper)) if paper.size else int(grey[0, 0])


def _middle(grey: Grey) -> float:
    return (int(grey.min()) + int(grey.max())) / 2


def _light_paper(grey: Grey) -> bool:
    """Decides by vote whether the paper is lighter than the ink: the border, the corners, and half a vote the area.

    A digit that fills its picture still leaves the corners free.
    """
    light = grey > _middle(grey)
    corners = light[:: max(1, len(light) - 1), :: max(1, light.shape[1] - 1)]
    return float(_ring(light, 0).mean() + corners.mean() + AREA_VOTE * light.mean()) > (2 + AREA_VOTE) / 2


def _drawn(grey: Grey, tone: int) -> Contrast:
    paper = np.uint8(tone)
    lighter, darker = np.maximum(grey, paper) - paper, paper - np.minimum(grey, paper)
    if tone and _energy(darker) > _energy(lighter):
        lighter, darker = darker, lighter
    away = np.sort((lighter | darker)[:: 1 + grey.size // (SMALL * SMALL)].reshape(-1))
    calm = int(np.searchsorted(away, CALM, "right"))
    noise = float(away[int(CALM_SHARE * calm)]) / CALM_SIGMAS
    return Contrast(lighter.astype(np.float32), noise, drawn=True)


def _energy(away: Grey) -> float:
    values = away.reshape(-1).astype(np.float32)
    return float(values @ values)


def _photographed(grey: Grey) -> Contrast:
    """Takes the paper to be what remains when everything narrower than a stroke is filled."""
    smooth = _smooth(grey)
    longer = max(grey.shape)
    window = _odd((SMALL_STROKE if longer <= 2 * SMALL else STROKE) * longer)
    small = longer <= 2 * SMALL
    filled = closed if small else followed
    if _light_paper(smooth) if small else _dark_on_light(smooth):
        paper = _without_border(filled, smooth, window)
        away = (np.maximum(paper, smooth) - smooth).astype(np.float32)
        brightest = float(np.percentile(paper[::4, ::4], 95))
        away *= np.float32(brightest) / np.maximum(paper, np.float32(max(1.0, DARKEST * brightest)))
    else:
        away = (smooth - np.minimum(~_without_border(filled, ~smooth, window), smooth)).astype(np.float32)
    usual = np.float32(np.median(away[::3, ::3]))
    return Contrast(np.maximum(away - usual, np.float32(0)), _noise(away), drawn=False)


def _without_border(filtered: Filter, grey: Grey, window: int) -> Grey:
    """Filters as if light and paper went on beyond the border as they come to it."""
    reach = min(window // 2, min(grey.shape) - 1)
    beyond = np.pad(grey.astype(np.int16), reach, "reflect", reflect_type="odd")
    inner = slice(reach, -reach) if reach else slice(None)
    return filtered(np.clip(beyond, 0, 255).astype(np.uint8), window)[inner, inner]


def _smooth(grey: Grey) -> Grey:
    """Blurs by one pixel all around what is large or noisy."""
    if max(grey.shape) <= SMALL and _noise_of_neighbours(grey) <= NOISY:
        return grey
    return np.asarray(Image.fromarray(grey).filter(ImageFilter.BoxBlur(1)))


def _noise_of_neighbours(grey: Grey) -> float:
    """Returns the noise, in levels, from how much pixels differ from the mean of their two neighbours."""
    if grey.shape[1] < 3:
        return 0.0
    values = grey.astype(np.float32)
    odd = np.abs(values[:, 1:-1] - (values[:, :-2] + values[:, 2:]) / 2)
    return float(SIGMA * np.median(odd) / np.sqrt(1.5))


def _dark_on_light(grey: Grey) -> bool:
    """Compares the dark and the light structures, at the finest scale that shows them in nearly full contrast.

    Strokes are finer than the paper that they enclose.
    """
    return _darker(grey, closed) or (max(grey.shape) > 2 * SMALL and _darker(grey[::2, ::2], followed))


def _darker(grey: Grey, filled: Filter) -> bool:
    longer = max(grey.shape)
    strength = [_structures(grey, _odd(share * longer), filled) for share in SCALES]
    seen = SEEN * max(max(dark[0], light[0]) for dark, light in strength)
    dark, light = next(pair for pair in strength if max(pair[0][0], pair[1][0]) >= seen)
    return dark[1] >= light[1]


def _structures(grey: Grey, window: int, filled: Filter) -> tuple[tuple[float, float], tuple[float, float]]:
    """Returns (peak, energy) of the structures narrower than the window, dark and light."""
    return _strength(filled(grey, window) - grey), _strength(filled(~grey, window) - ~grey)


def _strength(away: Grey) -> tuple[float, float]:
    counts = np.bincount(away[::2, ::2].reshape(-1), minlength=256)
    rank = max(4, away.size // 4000)
    peak = 255 - int(np.searchsorted(np.cumsum(counts[::-1]), rank))
    return float(peak), float(counts @ np.arange(256.0) ** 2)


def _odd(size: float) -> int:
    return max(3, 2 * round(size / 2) + 1)


def _noise(away: NDArray[np.float32]) -> float:
    """Returns the spread of the paper by the median deviation, which ink hardly moves."""
    some = away[::3, ::3] if away.size > SMALL * SMALL else away
    return SIGMA * float(np.median(np.abs(some - np.median(some))))
