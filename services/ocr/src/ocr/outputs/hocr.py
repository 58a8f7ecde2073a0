"""hOCR 1.2 as XHTML: pages, areas, paragraphs, lines and words with their boxes, after the specification by Breuel."""

import math
from collections.abc import Iterable, Iterator, Sequence

from ocr.outputs.characters import xml
from ocr.outputs.paragraphs import Block, Paragraph, blocks
from ocr.outputs.results import Result
from ocr.outputs.shapes import bbox
from ocr.pages import Line, Page, Quad, Word

SYSTEM = "Lineside ocr"
LEVEL_DEGREES = 10.0  # lines that are more slanted have an angle instead of a baseline

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml"{lang}>
<head>
<title>{title}</title>
<meta http-equiv="Content-Type" content="text/html; charset=utf-8" />
<meta name="ocr-system" content="{system}" />
<meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_wconf" />
<meta name="ocr-langs" content="{languages}" />
</head>
<body>
"""
_TAIL = "</body>\n</html>\n"


def hocr(results: Iterable[Result], title: str, languages: Sequence[str]) -> str:
    """Returns the whole document; `languages` are codes of ISO 639-1, the first one being the most likely."""
    return "".join(pieces(results, title, languages))


def pieces(results: Iterable[Result], title: str, languages: Sequence[str]) -> Iterator[str]:
    """Yields the document page by page; keeps none of them."""
    lang = f' lang="{xml(languages[0])}" xml:lang="{xml(languages[0])}"' if len(languages) == 1 else ""
    yield _HEAD.format(lang=lang, title=xml(title), system=SYSTEM, languages=xml(" ".join(languages) or "unknown"))
    for result in results:
        yield "".join(_Writer(result.number, result.page).page(title, result.dpi))
    yield _TAIL


class _Writer:
    """Writes one page and numbers its elements."""

    def __init__(self, number: int, page: Page) -> None:
        self._number = number
        self._page = page
        self._counts: dict[str, int] = {}

    def page(self, title: str, dpi: float | None) -> Iterator[str]:
        resolution = f"; scan_res {round(dpi)} {round(dpi)}" if dpi else ""
        image = xml(title.replace("\\", "/").replace('"', "'"))  # the value stands between quotes
        box = f"bbox 0 0 {self._page.width} {self._page.height}"
        properties = f"image &quot;{image}&quot;; {box}; ppageno {self._number - 1}{resolution}"
        yield f'<div class="ocr_page" id="page_{self._number}" title="{properties}">\n'
        for block in blocks(self._page):
            yield from self._block(block)
        yield "</div>\n"

    def _block(self, block: Block) -> Iterator[str]:
        quads = [line.quad for paragraph in block.paragraphs for line in paragraph.lines]
        yield f'<div class="ocr_carea" id="{self._id("block")}" title="{self._box(*quads)}">\n'
        for paragraph in block.paragraphs:
            yield from self._paragraph(paragraph)
        yield "</div>\n"

    def _paragraph(self, paragraph: Paragraph) -> Iterator[str]:
        box = self._box(*(line.quad for line in paragraph.lines))
        yield f'<p class="ocr_par" id="{self._id("par")}" title="{box}">\n'
        for line in paragraph.lines:
            yield from self._line(line)
        yield "</p>\n"

    def _line(self, line: Line) -> Iterator[str]:
        title = f"{self._box(line.quad)}; {self._slope(line.quad)}"
        yield f'<span class="ocr_line" id="{self._id("line")}" title="{title}">'
        words = line.words or (Word(line.text, line.confidence, line.quad),)
        for word, gap in zip(words, gaps(line.text, words), strict=True):
            confidence = round(100 * min(max(word.confidence, 0.0), 1.0))
            title = f"{self._box(word.quad)}; x_wconf {confidence}"
            yield f'{gap}<span class="ocrx_word" id="{self._id("word")}" title="{title}">{xml(word.text)}</span>'
        yield "</span>\n"

    def _id(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}_{self._number}_{self._counts[kind]}"

    def _box(self, *quads: Quad) -> str:
        return "bbox " + " ".join(str(edge) for edge in extent(quads, self._page))

    def _slope(self, quad: Quad) -> str:
        """Returns the baseline, relative to the box's bottom left corner, or the angle of a line that is not level."""
        (_, _), (_, _), (right, right_y), (left, left_y) = quad
        degrees = math.degrees(math.atan2(left_y - right_y, right - left))
        if abs(degrees) > LEVEL_DEGREES:
            return f"textangle {round(degrees % 360, 1):g}"
        slope = (right_y - left_y) / max(right - left, 1.0)
        return f"baseline {round(slope, 4) + 0.0:g} {round(left_y - max(left_y, right_y))}"


def extent(quads: Iterable[Quad], page: Page) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom of the rectangle around all corners, in whole pixels within the page."""
    corners = [corner for quad in quads for corner in bbox(quad, page)]
    across, down = [x for x, _ in corners], [y for _, y in corners]
    return min(across), min(down), max(across), max(down)


def gaps(text: str, words: Sequence[Word]) -> list[str]:
    """Returns what stands before each word of a line: a space, or nothing as between characters of Chinese."""
    found: list[str] = []
    position = 0
    for index, word in enumerate(words):
        start = text.find(word.text, position)
        spaced = text[position:start].isspace() if start >= 0 else True
        found.append(" " if index and spaced else "")
        position = start + len(word.text) if start >= 0 else position
    return found
