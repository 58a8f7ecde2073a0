"""What reading gives for each page, whatever it came from."""

import math
from dataclasses import dataclass

from ocr.pages import Page

Box = tuple[int, int, int, int]  # x, y, width, height


@dataclass(frozen=True, slots=True)
class PageResult:
    """A page that was read; what only documents have is None for an image."""

    number: int  # from 1
    page: Page
    seconds: float  # that drawing and reading took, without waiting
    content_box: Box  # around all lines; zeros where there is none
    dpi: float | None = None
    width_pt: float | None = None
    height_pt: float | None = None
    reason: str | None = None  # why the text layer was taken or not

    @classmethod
    def of(
        cls,
        number: int,
        page: Page,
        seconds: float,
        dpi: float | None = None,
        width_pt: float | None = None,
        height_pt: float | None = None,
        reason: str | None = None,
    ) -> "PageResult":
        """Returns the result with the box around its lines."""
        return cls(number, page, seconds, content_box(page), dpi, width_pt, height_pt, reason)


def content_box(page: Page) -> Box:
    """Returns the least upright box around all lines, within the page."""
    corners = [point for line in page.lines for point in line.quad]
    if not corners:
        return 0, 0, 0, 0
    xs, ys = zip(*corners, strict=True)
    left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
    right, bottom = min(page.width, math.ceil(max(xs))), min(page.height, math.ceil(max(ys)))
    return left, top, max(0, right - left), max(0, bottom - top)
