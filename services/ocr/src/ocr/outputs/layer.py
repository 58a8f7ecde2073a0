"""Lays text over the pages of a PDF, invisibly, and leaves all else of the document as it is.

The text goes before the content of a page, where the graphics state is as the standard has it: however unbalanced the
content's own `q` and `Q` are, the text stands where it should, and no byte of the content changes. To be searched and
selected, text need not be on top.

What becomes of a document beside that:
- Its streams stay byte for byte; its objects are written anew, not linearised. The same input gives the same output.
- An encrypted document stays so, with the same passwords and permissions (its bytes then differ each time).
- A signature is no longer valid: the signed bytes are others now. Its fields stay.
- A claim to be PDF/A stays and is kept true: the font is embedded, its widths and characters are declared.
- Scripts, actions and attachments are neither run nor taken away.
- Invisible text that a page had already makes room for the new one (`erasing`); such a page's content is written
  anew. Visible text stays, also if it was judged unfit to be read.
"""

import copy
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import msgspec
import pikepdf
from pikepdf import Array, Dictionary, Name, Object, ObjectStreamMode, Pdf, StreamDecodeLevel

from ocr.outputs.erasing import erase_invisible
from ocr.outputs.glyphless import Font, packed
from ocr.outputs.placement import Sheet, inherited, operators
from ocr.outputs.results import Result
from ocr.pages import Page

Numbered = tuple[int, Page]  # counted from 1

_decoder = msgspec.json.Decoder(Numbered)


class OutputError(ValueError):
    """A document that no output can be made of; the text says why."""


def write(source: str, pages: str, target: str, password: str | None = None) -> None:
    """Writes the PDF `source` with the text of `pages`, a file of `store`, to `target`; raises OutputError.

    Takes and gives only what can be sent to a process of its own, where hostile documents are opened.
    """
    try:
        with pikepdf.open(source, password=password or "") as pdf, Path(pages).open("rb") as stored:
            lay(pdf, _pages(stored))
            save(pdf, Path(target))
    except pikepdf.PasswordError:
        raise OutputError("the document is encrypted with another password") from None
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, pikepdf.DataDecodingError) as error:
        raise OutputError(f"the document is damaged: {str(error).replace(source, 'the file')}") from None


def store(results: Iterable[Result], file: IO[bytes]) -> None:
    """Writes the pages that were read in a picture, one a line; pages with a text of their own need no other."""
    for result in results:
        if result.page.source == "ocr":
            file.write(msgspec.json.encode((result.number, result.page)) + b"\n")


def lay(pdf: Pdf, pages: Iterable[Numbered]) -> None:
    """Adds the text of each page; raises OutputError for one that the document does not have."""
    font = Font(pdf)
    for number, page in pages:
        if not 1 <= number <= len(pdf.pages):
            raise OutputError(f"there is no page {number} in the document, it has {len(pdf.pages)}")
        _lay_page(pdf, pdf.pages[number - 1], page, font)
    font.finish()


def save(pdf: Pdf, target: Path, *, ours: bool = False) -> None:
    """Writes the document, packed as closely as can be if all of it is `ours`.

    No stream is decoded or compressed anew, unless it has to be encrypted anew.
    """
    if pdf.is_encrypted:
        pdf.save(target, encryption=True)
        return
    pdf.save(
        target,
        compress_streams=ours,
        stream_decode_level=StreamDecodeLevel.none,
        object_stream_mode=ObjectStreamMode.generate if ours else ObjectStreamMode.preserve,
        fix_metadata_version=False,
        deterministic_id=True,
    )


def _pages(stored: IO[bytes]) -> Iterator[Numbered]:
    return map(_decoder.decode, stored)


def _lay_page(pdf: Pdf, sheet: pikepdf.Page, page: Page, font: Font) -> None:
    if not any(line.text for line in page.lines):
        return
    resources = sheet.obj.Resources = _copied(inherited(sheet.obj, "/Resources"))
    erase_invisible(pdf, sheet.obj, resources)
    content = "".join(operators(page, Sheet.of(sheet), font, _add_font(resources, font.object))).encode("ascii")
    sheet.obj.Contents = Array([packed(pdf, content), *_contents(sheet.obj)])


def _contents(page: Object) -> list[Object]:
    """Returns the streams of the page's own content."""
    contents = page.get("/Contents")
    if isinstance(contents, pikepdf.Stream):
        return [contents]
    return list(contents) if isinstance(contents, Array) else []


def _add_font(resources: Dictionary, font: Object) -> str:
    """Returns the font's name among the page's resources; fonts that others share with it are not changed."""
    fonts = _copied(resources.get("/Font"))
    name = next(name for index in range(len(fonts.keys()) + 1) if (name := f"/Glyphless{index}") not in fonts)
    fonts[name] = font
    resources[Name.Font] = fonts
    return name


def _copied(value: object) -> Dictionary:
    return copy.copy(value) if isinstance(value, Dictionary) else Dictionary()
