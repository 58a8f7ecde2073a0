import io
import struct

from ocr.outputs.glyphless import MAX_CODES, Font, to_unicode, truetype
from pikepdf import Pdf
from PIL import ImageFont


def test_the_font_is_one_that_freetype_reads_and_paints_nothing() -> None:
    font = ImageFont.truetype(io.BytesIO(truetype()), 40)
    assert font.getlength("ab") == 40  # two half ems
    assert font.getmask("ab").getbbox() is None


def test_its_checksums_are_right() -> None:
    data = truetype()
    words = struct.unpack(f">{len(data) // 4}I", data)
    assert sum(words) & 0xFFFFFFFF == 0xB1B0AFBA
    (n_tables,) = struct.unpack_from(">H", data, 4)
    names = [data[12 + 16 * index : 16 + 16 * index] for index in range(n_tables)]
    assert names == sorted(names)
    assert {b"glyf", b"head", b"hhea", b"hmtx", b"loca", b"maxp"} <= set(names)


def test_each_character_has_one_code_whatever_its_plane() -> None:
    with Pdf.new() as pdf:
        font = Font(pdf)
        assert font.encode("aba") == "000100020001"
        assert font.encode("𠮷") == "0003"


def test_the_map_names_the_characters_in_parts_of_a_hundred() -> None:
    found = to_unicode({chr(0x4E00 + index): index + 1 for index in range(250)} | {"𠮷": 251})
    assert [line for line in found.splitlines() if line.endswith("beginbfchar")] == [
        "100 beginbfchar",
        "100 beginbfchar",
        "51 beginbfchar",
    ]
    assert "<0001> <4E00>" in found
    assert "<00FB> <D842DFB7>" in found


def test_characters_beyond_the_codes_become_one() -> None:
    with Pdf.new() as pdf:
        font = Font(pdf)
        everything = [chr(code) for code in range(0x20, 0x20 + 70_000) if not 0xD800 <= code < 0xE000]
        codes = font.encode("".join(everything))
        assert codes[-4:] == codes[-8:-4]
        assert len({codes[start : start + 4] for start in range(0, len(codes), 4)}) <= MAX_CODES
