"""A page of a document: the words of its text layer, or its picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ocr.pages import Page, Source
from ocr.pdf.messages import Mode, Shown

__all__ = ["Mode", "PageContent"]

CHANNELS = 3
Picture = NDArray[np.uint8]  # (height, width, 3), BGR


@dataclass(frozen=True, slots=True, eq=False)
class PageContent:
    """The page upright by its own /Rotate; one of `page` and `picture` is there, as `source` says."""

    width: int  # pixels at `dpi`
    height: int
    width_pt: float
    height_pt: float
    dpi: float  # lowered where the picture would be larger than it may
    source: Source
    reason: str  # why this source
    page: Page | None
    picture: Picture | None


def page_content(shown: Shown, pixels: bytearray) -> PageContent:
    """Raises ValueError where the bytes are not those of the picture that is told."""
    picture = None
    if shown.page is None:
        picture = np.frombuffer(pixels, np.uint8).reshape(shown.height, shown.width, CHANNELS)
    sizes = shown.width, shown.height, shown.width_pt, shown.height_pt, shown.dpi
    return PageContent(*sizes, shown.source, shown.reason, shown.page, picture)
