"""What a file is by its first bytes, never by its name."""

from typing import NamedTuple


class Kind(NamedTuple):
    """`name` is Pillow's, or empty for what is no picture; `described` goes after "it is"."""

    name: str
    described: str


PNG = Kind("PNG", "a PNG image")
JPEG = Kind("JPEG", "a JPEG image")
TIFF = Kind("TIFF", "a TIFF image")
HEIC = Kind("HEIF", "a HEIC image")
PDF = Kind("", "a PDF document")

_PREFIXES = (
    (b"\x89PNG", PNG),
    (b"\xff\xd8\xff", JPEG),
    (b"GIF8", Kind("GIF", "a GIF image")),
    (b"II*\0", TIFF),
    (b"MM\0*", TIFF),
    (b"II+\0", TIFF),
    (b"MM\0+", TIFF),
    (b"BM", Kind("BMP", "a BMP image")),
    (b"\0\0\1\0", Kind("ICO", "a Windows icon")),
    (b"\0\0\0\x0cjP  ", Kind("JPEG2000", "a JPEG 2000 image")),
    (b"\xff\x4f\xff\x51", Kind("JPEG2000", "a JPEG 2000 image")),
    (b"\0\0\0\x0cJXL ", Kind("JXL", "a JPEG XL image")),
    (b"\xff\x0a", Kind("JXL", "a JPEG XL image")),
    (b"8BPS", Kind("PSD", "a Photoshop document")),
    (b"%PDF-", PDF),
    (b"PK\3\4", Kind("", "a ZIP archive")),
    (b"PK\5\6", Kind("", "an empty ZIP archive")),
    (b"\x1f\x8b", Kind("", "a gzip archive")),
    (b"7z\xbc\xaf\x27\x1c", Kind("", "a 7z archive")),
    (b"Rar!\x1a\7", Kind("", "a RAR archive")),
)
_BRANDS = {  # the major brand of an ISO base media file
    b"avif": Kind("AVIF", "an AVIF image"),
    b"avis": Kind("AVIF", "an AVIF image"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), HEIC),
}
_TEXT_BYTES = 1024
_SIGNIFICANT = b"\t\n\r\x1b"


def of(data: bytes) -> Kind:
    """Returns what `data` is."""
    if not data:
        return Kind("", "empty")
    for prefix, kind in _PREFIXES:
        if data.startswith(prefix):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return Kind("WEBP", "a WebP image")
    if data[4:8] == b"ftyp":
        return _BRANDS.get(data[8:12], Kind("", "a video"))
    return _of_text(data[:_TEXT_BYTES])


def _of_text(head: bytes) -> Kind:
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(b"<svg") or (text.startswith((b"<?xml", b"<!--", b"<!doctype svg")) and b"<svg" in text):
        return Kind("SVG", "an SVG image")
    if text.startswith((b"<!doctype html", b"<html")):
        return Kind("", "an HTML page")
    if any(byte < 32 and byte not in _SIGNIFICANT for byte in head):
        return Kind("", "no image of a known kind")
    return Kind("", "text")
