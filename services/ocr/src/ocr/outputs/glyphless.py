"""A font without shapes, for text that is found and copied but never seen.

The idea is that of Tesseract's PDF renderer: a font of one glyph without area, onto which every character is mapped.
Here the font is written table by table (OpenType 1.9, "The Required Tables"), codes are given out as characters come,
so that those beyond U+FFFF have a code of their own, and the glyph's box is exactly one em high and half an em wide.
"""

import struct
import zlib
from collections.abc import Iterable

from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

EM = 1000  # units
ADVANCE = 0.5  # em
REPLACEMENT = "\ufffd"
MAX_CODES = 65_535
_TOP = 985  # units; pdfium adds a 64th to the top of a glyph's box
_DESCENT = -1  # units; poppler takes 0 for a mistake, and its own guess instead
_BFCHARS = 100  # at most, between beginbfchar and endbfchar (PDF 32000-1, 9.10.3)
_CHECKSUM = 0xB1B0AFBA

_TO_UNICODE = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
{}endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""


class Font:
    """The font within one document: hands out codes; `finish` writes which character each one is."""

    def __init__(self, pdf: Pdf) -> None:
        self._pdf = pdf
        self._codes: dict[str, int] = {}
        self.object = pdf.make_indirect(Dictionary(Type=Name.Font, Subtype=Name.Type0, BaseFont=Name.Glyphless))

    def encode(self, text: str) -> str:
        """Returns the text as hexadecimal codes of two bytes."""
        return "".join(f"{self._code(character):04X}" for character in text)

    def finish(self) -> None:
        """Completes the font's objects."""
        font = self.object
        font.Encoding = Name("/Identity-H")
        font.DescendantFonts = Array([self._pdf.make_indirect(self._descendant())])
        font.ToUnicode = packed(self._pdf, to_unicode(self._codes).encode("ascii"))

    def _code(self, character: str) -> int:
        if character not in self._codes and len(self._codes) >= MAX_CODES - 1:
            character = REPLACEMENT
        return self._codes.setdefault(character, len(self._codes) + 1)

    def _descendant(self) -> Dictionary:
        glyphs = b"\0\0" + b"\0\1" * len(self._codes)
        return Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name.Glyphless,
            CIDSystemInfo=Dictionary(Registry=String("Adobe"), Ordering=String("Identity"), Supplement=0),
            DW=int(EM * ADVANCE),
            CIDToGIDMap=packed(self._pdf, glyphs),
            FontDescriptor=self._pdf.make_indirect(self._descriptor()),
        )

    def _descriptor(self) -> Dictionary:
        return Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name.Glyphless,
            Flags=5,  # of one width, with characters beyond Latin
            FontBBox=Array([0, _DESCENT, int(EM * ADVANCE), EM]),
            ItalicAngle=0,
            Ascent=EM,
            Descent=_DESCENT,
            CapHeight=EM,
            StemV=80,
            FontFile2=packed(self._pdf, truetype(), Length1=len(truetype())),
        )


def packed(pdf: Pdf, data: bytes, **members: object) -> Stream:
    """Returns a stream that is compressed here: saving leaves every stream of the document as it is."""
    stream = Stream(pdf, zlib.compress(data, 9), **members)
    stream.Filter = Name.FlateDecode
    return stream


def to_unicode(codes: dict[str, int]) -> str:
    """Returns the CMap from codes to characters."""
    lines = [f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>\n" for character, code in codes.items()]
    parts = [lines[start : start + _BFCHARS] for start in range(0, len(lines), _BFCHARS)]
    return _TO_UNICODE.format("".join(f"{len(part)} beginbfchar\n{''.join(part)}endbfchar\n" for part in parts))


def truetype() -> bytes:
    """Returns a TrueType font of two glyphs without area, each half an em wide."""
    advance, glyph = int(EM * ADVANCE), _glyph()
    tables = {
        b"cmap": struct.pack(">HHHHI", 0, 1, 3, 1, 12) + struct.pack(">7H", 4, 24, 0, 2, 2, 0, 0) + _END_SEGMENT,
        b"glyf": glyph,
        b"head": _head(advance),
        b"hhea": struct.pack(">IhhhH11hH", 0x10000, EM, _DESCENT, 0, advance, *[0] * 3, 1, *[0] * 7, 2),
        b"hmtx": struct.pack(">HhHh", advance, 0, advance, 0),
        b"loca": struct.pack(">HHH", 0, 0, len(glyph) // 2),
        b"maxp": struct.pack(">I14H", 0x10000, 2, 2, 1, 0, 0, 1, *[0] * 8),
        b"post": struct.pack(">IIhhI4I", 0x30000, 0, -100, 50, 1, 0, 0, 0, 0),
    }
    return _assembled(tables)


def _glyph() -> bytes:
    """Returns a line to the opposite corner and back: nothing to paint, but a box, which pdfium takes for text's."""
    right, top = int(EM * ADVANCE), _TOP
    header = struct.pack(">hhhhh", 1, 0, 0, right, top)
    return header + struct.pack(">HHBBhhhh", 1, 0, 1, 1, 0, right, 0, top)


_END_SEGMENT = struct.pack(">HHHhH", 0xFFFF, 0, 0xFFFF, 1, 0)


def _head(advance: int) -> bytes:
    box = (0, 0, advance, _TOP)
    return struct.pack(">IIIIHHqqhhhhHHhhh", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, EM, 0, 0, *box, 0, 8, 2, 0, 0)


def _assembled(tables: dict[bytes, bytes]) -> bytes:
    """Returns the file: its directory, then the tables, each on a multiple of four bytes."""
    power = 1 << (len(tables).bit_length() - 1)
    header = struct.pack(">I4H", 0x10000, len(tables), 16 * power, power.bit_length() - 1, 16 * (len(tables) - power))
    position = len(header) + 16 * len(tables)
    directory, body = b"", b""
    for tag, content in tables.items():
        directory += struct.pack(">4sIII", tag, _checksum([content]), position + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    adjustment = (_CHECKSUM - _checksum([header + directory + body])) & 0xFFFFFFFF
    head = len(header + directory) + sum(len(tables[tag]) + -len(tables[tag]) % 4 for tag in tables if tag < b"head")
    whole = bytearray(header + directory + body)
    struct.pack_into(">I", whole, head + 8, adjustment)
    return bytes(whole)


def _checksum(parts: Iterable[bytes]) -> int:
    data = b"".join(parts)
    data += bytes(-len(data) % 4)
    words: tuple[int, ...] = struct.unpack(f">{len(data) // 4}I", data)
    return sum(words) & 0xFFFFFFFF
