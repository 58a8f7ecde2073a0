"""ALTO 4 (Library of Congress): blocks, lines and strings with their rectangles, in pixels."""

from collections.abc import Iterable, Iterator

from ocr.outputs.characters import xml
from ocr.outputs.hocr import extent, gaps
from ocr.outputs.paragraphs import Paragraph, paragraphs
from ocr.outputs.results import Result
from ocr.outputs.shapes import DIGITS
from ocr.pages import Line, Page, Quad, Word

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="http://www.loc.gov/standards/alto/ns-v4#" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://www.loc.gov/standards/alto/ns-v4# http://www.loc.gov/standards/alto/v4/alto-4-4.xsd">
<Description>
<MeasurementUnit>pixel</MeasurementUnit>
<sourceImageInformation><fileName>{file_name}</fileName></sourceImageInformation>
<Processing ID="processing_1"><processingSoftware><softwareName>Lineside ocr</softwareName>\
<softwareVersion>{version}</softwareVersion></processingSoftware></Processing>
</Description>
<Layout>
"""
_TAIL = "</Layout>\n</alto>\n"


def alto(results: Iterable[Result], file_name: str, version: str) -> str:
    """Returns the whole document; `version` is this software's."""
    return "".join(pieces(results, file_name, version))


def pieces(results: Iterable[Result], file_name: str, version: str) -> Iterator[str]:
    """Yields the document page by page; keeps none of them."""
    yield _HEAD.format(file_name=xml(file_name), version=xml(version))
    for result in results:
        yield "".join(_Writer(result.number, result.page).page())
    yield _TAIL


class _Writer:
    """Writes one page and numbers its elements."""

    def __init__(self, number: int, page: Page) -> None:
        self._number = number
        self._page = page
        self._counts: dict[str, int] = {}

    def page(self) -> Iterator[str]:
        number, width, height = self._number, self._page.width, self._page.height
        yield f'<Page ID="page_{number}" PHYSICAL_IMG_NR="{number}" WIDTH="{width}" HEIGHT="{height}">\n'
        yield f'<PrintSpace HPOS="0" VPOS="0" WIDTH="{width}" HEIGHT="{height}">\n'
        for paragraph in paragraphs(self._page):
            yield from self._block(paragraph)
        yield "</PrintSpace>\n</Page>\n"

    def _block(self, paragraph: Paragraph) -> Iterator[str]:
        place = self._place(*(line.quad for line in paragraph.lines))
        yield f'<TextBlock ID="{self._id("block")}" {place}>\n'
        for line in paragraph.lines:
            yield from self._line(line)
        yield "</TextBlock>\n"

    def _line(self, line: Line) -> Iterator[str]:
        yield f'<TextLine ID="{self._id("line")}" {self._place(line.quad)}>'
        words = line.words or (Word(line.text, line.confidence, line.quad),)
        for word, gap in zip(words, gaps(line.text, words), strict=True):
            if gap:
                yield "<SP/>"
            confidence = round(min(max(word.confidence, 0.0), 1.0), DIGITS)
            place = self._place(word.quad)
            yield f'<String ID="{self._id("word")}" {place} WC="{confidence:g}" CONTENT="{xml(word.text)}"/>'
        yield "</TextLine>\n"

    def _id(self, kind: str) -> str:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        return f"{kind}_{self._number}_{self._counts[kind]}"

    def _place(self, *quads: Quad) -> str:
        left, top, right, bottom = extent(quads, self._page)
        return f'HPOS="{left}" VPOS="{top}" WIDTH="{right - left}" HEIGHT="{bottom - top}"'
