from dataclasses import dataclass
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from ocr.outputs import OutputError, searchable_pdf
from ocr.pages import Line, Page
from pikepdf import Array, Dictionary, Name, Pdf, Stream

OLD = (
    b"q 1 0 0 1 0 0 cm BT /F1 12 Tf 1 0 0 1 50 700 Tm (seen) Tj 3 Tr 1 0 0 1 50 600 Tm (old) Tj [(er)] TJ (text) ' ET Q"
)
AFTER = b" BT /F1 12 Tf 1 0 0 1 50 500 Tm (after) Tj ET"


@dataclass
class Result:
    number: int
    page: Page
    dpi: float | None = None


READ = Page(600, 800, (Line("new", 0.9, ((50, 300), (90, 300), (90, 320), (50, 320)), ()),))


def document(path: Path, *contents: bytes, form: bytes = b"") -> Path:
    with Pdf.new() as pdf:
        page = pdf.add_blank_page(page_size=(600, 800)).obj
        font = Dictionary(Type=Name.Font, Subtype=Name.Type1, BaseFont=Name.Helvetica)
        page.Resources = pdf.make_indirect(Dictionary(Font=Dictionary(F1=font)))
        page.Contents = Array([Stream(pdf, content) for content in contents])
        if form:
            drawn = Stream(pdf, form, Type=Name.XObject, Subtype=Name.Form, BBox=Array([0, 0, 600, 800]))
            drawn.Resources = page.Resources
            page.Resources.XObject = Dictionary(Fm=drawn)
        pdf.add_blank_page(page_size=(600, 800)).obj.Resources = page.Resources
        pdf.pages[1].obj.Contents = page.Contents
        pdf.save(path, compress_streams=False)
    return path


def texts(path: Path) -> list[list[str]]:
    with pypdfium2.PdfDocument(path) as opened:
        return [sorted(opened[index].get_textpage().get_text_range().split()) for index in range(len(opened))]


def laid(tmp_path: Path, *contents: bytes, form: bytes = b"") -> Path:
    target = tmp_path / "out.pdf"
    searchable_pdf(document(tmp_path / "in.pdf", *contents, form=form), [Result(1, READ)], target)
    return target


def test_invisible_text_makes_room_for_the_new_one(tmp_path: Path) -> None:
    first, second = texts(laid(tmp_path, OLD, AFTER))
    assert first == ["after", "new", "seen"]
    assert "old" in second  # a page that was not read is left alone


def test_also_where_it_is_in_a_form(tmp_path: Path) -> None:
    first, second = texts(laid(tmp_path, AFTER, b" /Fm Do", form=OLD))
    assert first == ["after", "new", "seen"]
    assert "old" in second


def test_content_without_invisible_text_stays_byte_for_byte(tmp_path: Path) -> None:
    odd = b"q  1 0 0   1 0 0 cm BT /F1 12.3 Tf (13 Trees) Tj 0 Tr ET Q % 3"
    with pikepdf.open(laid(tmp_path, odd, AFTER)) as written:
        assert [part.read_raw_bytes() for part in written.pages[0].obj.Contents][1:] == [odd, AFTER]


def test_content_that_cannot_be_unpacked_is_told_without_a_path(tmp_path: Path) -> None:
    source = document(tmp_path / "in.pdf", b"x")
    with pikepdf.open(source, allow_overwriting_input=True) as pdf:
        broken = Stream(pdf, b"3 Tr no zlib")
        broken.Filter = Name("/JBIG2Decode")
        pdf.pages[0].obj.Contents = broken
        pdf.save(source)
    with pytest.raises(OutputError) as told:
        searchable_pdf(source, [Result(1, READ)], tmp_path / "out.pdf")
    assert str(tmp_path) not in str(told.value)
