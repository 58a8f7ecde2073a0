"""The JSON of lines and words, as the answers have it."""

from collections.abc import Sequence
from typing import Any

from ocr.pages import Line, Page, Quad, Word

DIGITS = 4  # of a confidence


def items(page: Page, *, words: bool = False) -> list[dict[str, Any]]:
    """Returns all lines of a page in reading order."""
    return [item(line, page, words=words) for line in page.lines]


def item(line: Line, page: Page, *, words: bool = False) -> dict[str, Any]:
    """Returns `text`, `confidence`, `bbox`, and the same of each of its `words` if they are wanted."""
    members = _members(line, page)
    if words:
        members["words"] = [_members(word, page) for word in line.words]
    return members


def bbox(quad: Quad, page: Page) -> list[list[int]]:
    """Returns four corners [x, y] in whole pixels, none of them outside the picture."""
    return [[_within(x, page.width), _within(y, page.height)] for x, y in quad]


def content_box(page: Page) -> tuple[int, int, int, int]:
    """Returns x, y, width and height of what is around all lines; zeros where nothing was read."""
    corners = [corner for line in page.lines for corner in bbox(line.quad, page)]
    if not corners:
        return 0, 0, 0, 0
    left, top, right, bottom = _extent(corners)
    return left, top, right - left, bottom - top


def image_size(page: Page) -> dict[str, int]:
    return {"width": page.width, "height": page.height}


def _members(part: Line | Word, page: Page) -> dict[str, Any]:
    confidence = round(min(max(part.confidence, 0.0), 1.0), DIGITS)
    return {"text": part.text, "confidence": confidence, "bbox": bbox(part.quad, page)}


def _within(coordinate: float, size: int) -> int:
    return min(max(round(coordinate), 0), size)


def _extent(corners: Sequence[Sequence[int]]) -> tuple[int, int, int, int]:
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(down), max(across), max(down)
