"""Markdown (CommonMark, tables as GitHub has them): headings by line height, lists, tables; a rule between pages.

All that was read is escaped: it can become neither markup nor HTML.
"""

import re
from collections.abc import Iterable, Iterator

from ocr.outputs import tables
from ocr.outputs.characters import one_line
from ocr.outputs.paragraphs import Paragraph, Row, body_height, paragraphs
from ocr.outputs.results import Result
from ocr.outputs.text import paragraph_lines
from ocr.pages import Page

PAGE_BREAK = "\n---\n\n"
HEADINGS = ((2.0, "# "), (1.6, "## "), (1.35, "### "))  # least line height relative to the page's body
MAX_HEADING_LINES, MAX_HEADING_CHARS = 3, 160

_BULLET = re.compile(r"^[•‣▪●○◦·*–—-]\s+(?=\S)")
_NUMBER = re.compile(r"^(\d{1,9})([.)])\s+(?=\S)")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&#|~$]")
_LINKING = re.compile(r"(?<=[A-Za-z]):(?=//)|(?<=\bwww)\.|(?<=\w)@(?=\w)", re.IGNORECASE)  # GitHub makes links of them
_LEADING = re.compile(r"^(?:[-+=:]|\d{1,9}(?=[.)](?:\s|$)))")


def markdown(results: Iterable[Result]) -> str:
    """Returns the whole text."""
    return "".join(pieces(results))


def pieces(results: Iterable[Result]) -> Iterator[str]:
    """Yields the text page by page; keeps none of them."""
    for index, result in enumerate(results):
        if index:
            yield PAGE_BREAK
        yield page_markdown(result.page)


def page_markdown(page: Page) -> str:
    """Returns one page, ended by a line break unless nothing was read."""
    body = body_height([page])
    found = [part for part in _parts(paragraphs(page), body) if part]
    return "\n\n".join(found) + "\n" if found else ""


def escaped(text: str, *, leading: bool = True) -> str:
    """Returns text that Markdown shows as it is; `leading`: it begins a line."""
    safe = _SPECIAL.sub(r"\\\g<0>", one_line(text))
    safe = _LINKING.sub(lambda found: f"&#{ord(found[0])};" if found[0] == "@" else f"\\{found[0]}", safe)
    if not leading:
        return safe
    return _LEADING.sub(lambda found: f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}", safe)


def _parts(found: list[Paragraph], body: float) -> Iterator[str]:
    """Yields blocks of Markdown; tables are looked for across paragraphs, because their rows may stand far apart."""
    owner = {id(row): paragraph for paragraph in found for row in paragraph.rows}
    for is_table, rows in tables.split([row for paragraph in found for row in paragraph.rows]):
        if is_table:
            yield _table(rows)
            continue
        for paragraph in _regrouped(rows, owner):
            yield _paragraph(paragraph, body)


def _regrouped(rows: list[Row], owner: dict[int, Paragraph]) -> Iterator[Paragraph]:
    """Yields the paragraphs that the rows come from, without rows that went into a table."""
    run: list[Row] = []
    for row in rows:
        if run and owner[id(run[-1])] is not owner[id(row)]:
            yield Paragraph(tuple(run))
            run = []
        run.append(row)
    yield Paragraph(tuple(run))


def _table(rows: list[Row]) -> str:
    lines = ["| " + " | ".join(escaped(cell.line.text, leading=False) for cell in row.cells) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0].cells))
    return "\n".join(lines)


def _paragraph(paragraph: Paragraph, body: float) -> str:
    lines = paragraph_lines(paragraph)
    heading = _heading(paragraph, lines, body)
    if heading:
        return heading + escaped(" ".join(lines), leading=False)
    return "\n".join(_lines(lines))


def _heading(paragraph: Paragraph, lines: list[str], body: float) -> str:
    if not lines or len(lines) > MAX_HEADING_LINES or sum(map(len, lines)) > MAX_HEADING_CHARS:
        return ""
    return next((mark for least, mark in HEADINGS if paragraph.height >= least * body), "")


def _lines(lines: list[str]) -> Iterator[str]:
    """Yields the lines of a paragraph; the lines after a list's item are indented so that they belong to it."""
    indent = ""
    for index, line in enumerate(lines):
        bullet, number = _BULLET.match(line), _NUMBER.match(line)
        mark = "- " if bullet else f"{number[1]}{number[2]} " if number else ""
        if mark and index and not indent:
            yield ""  # a list that does not begin with 1 cannot interrupt a paragraph
        if mark:
            indent = " " * len(mark)
            yield mark + escaped(line[(bullet or number).end() :])  # type: ignore[union-attr]  # one of them matched
        else:
            yield indent + escaped(line)
