"""Plain text in reading order: a line each, an empty line between paragraphs, a form feed after each page but the last.

Hyphens at the end of lines stay as they were read. Lines of scripts without spaces are joined where the line is full,
because there a line break means nothing.
"""

from collections.abc import Iterable, Iterator

from ocr.outputs.characters import one_line
from ocr.outputs.paragraphs import CELL_GAP, Paragraph, Row, paragraphs
from ocr.outputs.results import Result
from ocr.pages import Page
from ocr.scripts import stands_alone

PAGE_BREAK = "\f"
FULL = 1.5  # line heights that may be missing at the right end of a full line


def text(results: Iterable[Result]) -> str:
    """Returns the whole text."""
    return "".join(pieces(results))


def pieces(results: Iterable[Result]) -> Iterator[str]:
    """Yields the text page by page; keeps none of them."""
    for index, result in enumerate(results):
        if index:
            yield PAGE_BREAK
        yield page_text(result.page)


def page_text(page: Page) -> str:
    """Returns one page's text, ended by a line break unless there is none."""
    found = ["\n".join(lines) for paragraph in paragraphs(page) if (lines := paragraph_lines(paragraph))]
    return "\n\n".join(found) + "\n" if found else ""


def paragraph_lines(paragraph: Paragraph) -> list[str]:
    """Returns the lines of a paragraph without empty ones."""
    lines: list[str] = []
    end = max(row.right for row in paragraph.rows)
    joins = False
    for row in paragraph.rows:
        if not (line := row_text(row)):
            continue
        if joins and stands_alone(line[0]):
            lines[-1] += line
        else:
            lines.append(line)
        joins = stands_alone(line[-1]) and end - row.right <= FULL * row.height
    return lines


def row_text(row: Row) -> str:
    """Returns the cells of a row, divided by a tab where they stand far apart."""
    parts: list[str] = []
    for index, cell in enumerate(row.cells):
        if not (line := one_line(cell.line.text)):
            continue
        if parts:
            far = cell.left - row.cells[index - 1].right > CELL_GAP * row.height
            parts.append("\t" if far else " ")
        parts.append(line)
    return "".join(parts)
