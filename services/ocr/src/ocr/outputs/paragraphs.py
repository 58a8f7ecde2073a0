"""Groups the lines of a page, which come in reading order, into rows, paragraphs and blocks.

All measures are relative to the height of the lines; a page whose text is turned is grouped as if it stood upright.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from statistics import median

from ocr.pages import Line, Page, Point

SAME_ROW = 0.5  # of the lower line's height that two lines of one row share
MAX_GAP = 0.75  # of the line height between two lines of a paragraph
MAX_HEIGHT_RATIO = 1.4  # between the lines of a paragraph
INDENT = 0.8  # of the line height by which a paragraph's first line begins further right
OUTDENT = 3.0  # of the line height by which a line of the same block may begin further left
CELL_GAP = 1.5  # of the line height between two lines of a row that are two cells


@dataclass(frozen=True, slots=True)
class Placed:
    """A line and the upright rectangle around it, in pixels of the page turned so that its text is upright."""

    line: Line
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 1.0)


@dataclass(frozen=True, slots=True)
class Row:
    """Lines side by side, from left to right; most have one."""

    cells: tuple[Placed, ...]

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return max(cell.right for cell in self.cells)

    @property
    def top(self) -> float:
        return min(cell.top for cell in self.cells)

    @property
    def bottom(self) -> float:
        return max(cell.bottom for cell in self.cells)

    @property
    def height(self) -> float:
        return median(cell.height for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Rows that belong together, from the top down."""

    rows: tuple[Row, ...]

    @property
    def lines(self) -> list[Line]:
        return [cell.line for row in self.rows for cell in row.cells]

    @property
    def height(self) -> float:
        """The height of its lines."""
        return median(row.height for row in self.rows)


@dataclass(frozen=True, slots=True)
class Block:
    """Paragraphs one below the other: a column, or a part of one."""

    paragraphs: tuple[Paragraph, ...]


def blocks(page: Page) -> list[Block]:
    """Returns the page's text; every line is in exactly one paragraph, in the order in which it came."""
    grouped: list[list[list[Row]]] = []
    for row in rows(page):
        before = grouped[-1][-1] if grouped else None
        if before is None or _begins_block(before[-1], row):
            grouped.append([[row]])
        elif _begins_paragraph(before, row):
            grouped[-1].append([row])
        else:
            before.append(row)
    return [Block(tuple(Paragraph(tuple(each)) for each in block)) for block in grouped]


def paragraphs(page: Page) -> list[Paragraph]:
    return [paragraph for block in blocks(page) for paragraph in block.paragraphs]


def rows(page: Page) -> Iterator[Row]:
    """Yields lines that follow each other to the right on one height as one row."""
    cells: list[Placed] = []
    for line in page.lines:
        placed = place(line, page)
        if cells and not _continues_row(cells[-1], placed):
            yield Row(tuple(cells))
            cells = []
        cells.append(placed)
    if cells:
        yield Row(tuple(cells))


def place(line: Line, page: Page) -> Placed:
    """Returns the line with its rectangle on the upright page."""
    corners = [upright(corner, page) for corner in line.quad]
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return Placed(line, min(across), min(down), max(across), max(down))


def upright(point: Point, page: Page) -> Point:
    """Returns a point of the page as one of the page turned clockwise by `page.turn`."""
    x, y = point
    turned = {90: (page.height - y, x), 180: (page.width - x, page.height - y), 270: (y, page.width - x)}
    return turned.get(page.turn, point)


def body_height(pages: Iterable[Page]) -> float:
    """Returns the line height that half of the characters have; 1 where there are none."""
    heights = sorted((place(line, page).height, len(line.text)) for page in pages for line in page.lines)
    half = sum(count for _, count in heights) / 2
    for height, count in heights:
        half -= count
        if half <= 0:
            return height
    return 1.0


def _continues_row(before: Placed, line: Placed) -> bool:
    shared = min(before.bottom, line.bottom) - max(before.top, line.top)
    lower = min(before.height, line.height)
    return shared >= SAME_ROW * lower and line.left >= before.right - 0.5 * lower


def _begins_block(before: Row, row: Row) -> bool:
    """Whether the reading went to another column: upwards, or aside without any overlap."""
    height = max(before.height, row.height)
    return row.bottom <= before.top + height / 2 or row.left >= before.right or row.right <= before.left


def _begins_paragraph(rows: list[Row], row: Row) -> bool:
    before = rows[-1]
    lower, higher = sorted((before.height, row.height))
    if higher > MAX_HEIGHT_RATIO * lower or row.top - before.bottom > MAX_GAP * higher:
        return True
    margin = min(each.left for each in rows[1:]) if len(rows) > 1 else before.left
    return row.left - margin > INDENT * higher or (len(rows) > 1 and margin - row.left > OUTDENT * higher)
