"""PDFs written by hand: no library stands between a test and the bytes that it means."""

import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import pikepdf
from PIL import Image, ImageDraw, ImageFont

A4 = (595, 842)
TEXT = b"BT /F1 20 Tf 72 700 Td (Pressure valve 7 opened) Tj 0 -40 Td (Second line of the page) Tj ET"
SCANNED = "Scanned words"
Object = bytes


def stream(data: bytes, entries: bytes = b"") -> Object:
    return b"<<%b/Length %d>>stream\n%b\nendstream" % (entries, len(data), data)


def deflated(data: bytes, entries: bytes = b"") -> Object:
    return stream(zlib.compress(data, 9), b"/Filter/FlateDecode" + entries)


def assemble(objects: Sequence[Object], trailer: bytes = b"") -> bytes:
    """Returns a PDF of these objects, numbered from 1; the first one is the catalogue."""
    out, offsets = bytearray(b"%PDF-1.7\n"), []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    return bytes(out) + b"trailer<</Size %d/Root 1 0 R%b>>\nstartxref\n%d\n%%%%EOF\n" % (size, trailer, start)


def document(
    *contents: bytes,
    size: tuple[float, float] = A4,
    page: bytes = b"",
    resources: bytes = b"",
    more: Sequence[Object] = (),
    catalog: bytes = b"",
    font: bytes = b"/Subtype/Type1/BaseFont/Helvetica",
) -> bytes:
    """Returns a page for each content stream. Object 3 is the font /F1; `more` are numbered from 4 on.

    `page`, `resources` and `catalog` are further entries of those dictionaries; a MediaBox in `page` replaces `size`.
    """
    first = 4 + len(more)
    numbers = range(first, first + 2 * len(contents), 2)
    box = b"" if b"/MediaBox" in page else b"/MediaBox[0 0 %g %g]" % size
    objects = [
        b"<</Type/Catalog/Pages 2 0 R%b>>" % catalog,
        b"<</Type/Pages/Count %d/Kids[%b]>>" % (len(contents), b" ".join(b"%d 0 R" % number for number in numbers)),
        b"<</Type/Font%b>>" % font,
        *more,
    ]
    for number, content in zip(numbers, contents, strict=True):
        used = b"/Resources<</Font<</F1 3 0 R>>%b>>" % resources
        objects.append(b"<</Type/Page/Parent 2 0 R/Contents %d 0 R%b%b%b>>" % (number + 1, box, used, page))
        objects.append(deflated(content))
    return assemble(objects)


def digital(*, pages: int = 1, page: bytes = b"", size: tuple[float, float] = A4) -> bytes:
    """Returns pages with two lines of real text."""
    return document(*[TEXT] * pages, page=page, size=size)


def jpeg(text: str = SCANNED, size: tuple[int, int] = (1240, 1754)) -> bytes:
    image = Image.new("L", size, 250)
    ImageDraw.Draw(image).text((150, 200), text, fill=20, font=ImageFont.load_default(64))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return file.getvalue()


def picture(data: bytes, size: tuple[int, int] = (1240, 1754), entries: bytes = b"") -> Object:
    """Returns the image object of a grey JPEG; draw it with `show_picture`."""
    kind = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Filter/DCTDecode"
    return stream(data, kind + b"/Width %d/Height %d" % size + entries)


def show_picture(left: float = 0, bottom: float = 0, width: float = A4[0], height: float = A4[1]) -> bytes:
    return b"q %g 0 0 %g %g %g cm /Im1 Do Q\n" % (width, height, left, bottom)


WITH_PICTURE = b"/XObject<</Im1 4 0 R>>"


def with_picture(*contents: bytes, entries: bytes = b"") -> bytes:
    """Returns pages that can draw a full scan by `show_picture`."""
    return document(*contents, resources=WITH_PICTURE, more=[picture(jpeg(), entries=entries)])


def scanned(pages: int = 1) -> bytes:
    """Returns pages that are nothing but a JPEG."""
    return with_picture(*[show_picture()] * pages)


def mixed() -> bytes:
    """Returns a page of text, then a scanned one."""
    return with_picture(TEXT, show_picture())


def encrypted(password: str, data: bytes | None = None) -> bytes:
    """Returns the document so that only the password opens it, with AES of 256 bits."""
    file = io.BytesIO()
    with pikepdf.open(io.BytesIO(data or digital())) as pdf:
        pdf.save(file, encryption=pikepdf.Encryption(owner=password + "-owner", user=password, R=6))
    return file.getvalue()


def written(folder: Path, data: bytes, name: str = "file.pdf") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# --- hostile ----------------------------------------------------------------------------------------------------------


def truncated() -> bytes:
    return scanned()[:300]


def without_pages() -> bytes:
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>"])


def many_pages(n_pages: int) -> bytes:
    """Returns a document whose pages are all the same object but for their number."""
    kids = b" ".join(b"%d 0 R" % number for number in range(4, 4 + n_pages))
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]/Contents 3 0 R>>"
    tree = b"<</Type/Pages/Count %d/Kids[%b]>>" % (n_pages, kids)
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", tree, stream(b""), *[page] * n_pages])


def looped_tree() -> bytes:
    """Returns a page tree that is its own child."""
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 3/Kids[2 0 R 2 0 R]/Parent 2 0 R>>"])


def lying_count() -> bytes:
    return assemble([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 2000000000/Kids[]>>"])


def inflating(n_bytes: int) -> bytes:
    """Returns a page whose content is `n_bytes` of spaces, deflated twice: some kilobytes."""
    return _one_page(stream(_inflating(b" ", n_bytes), b"/Filter[/FlateDecode/FlateDecode]"))


def _inflating(letter: bytes, n_bytes: int) -> bytes:
    """Returns so many of one letter, deflated twice; a block is packed once and repeated, which takes no time."""
    block, count = letter * 1_048_576, n_bytes // 1_048_576
    packer = zlib.compressobj(9)
    head = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 1
    for _ in range(count):
        checksum = zlib.adler32(block, checksum)
    last = b"\3\0"  # an empty block that says that it is the last one
    return zlib.compress(head + packed * count + last + checksum.to_bytes(4, "big"), 9)


def inflating_picture(side: int) -> bytes:
    """Returns a page with a grey picture of side x side pixels, all black, deflated twice."""
    entries = b"/Type/XObject/Subtype/Image/ColorSpace/DeviceGray/BitsPerComponent 8/Width %d/Height %d" % (side, side)
    image = stream(_inflating(b"\0", side * side), b"/Filter[/FlateDecode/FlateDecode]" + entries)
    return document(show_picture(), resources=WITH_PICTURE, more=[image])


def _one_page(content: Object) -> bytes:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    return assemble(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 1/Kids[3 0 R]>>", page, content],
    )


def many_paths(n_paths: int) -> bytes:
    curve = b"10 10 m 20 700 500 30 580 800 c 300 20 l S\n"
    return document(curve * n_paths)


def nested_forms(depth: int) -> bytes:
    """Returns a form that draws a form, and so on; the last one draws the first."""
    head = b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]/Resources<</XObject<</X %d 0 R>>>>"
    forms = [stream(b"/X Do /X Do", head % (5 + number)) for number in range(depth - 1)]
    forms.append(stream(b"/X Do", head % 4))
    return document(b"/X Do", resources=b"/XObject<</X 4 0 R>>", more=forms)


def with_actions(address: str, command: str) -> bytes:
    """Returns a page that wants to run JavaScript, to start a program and to fetch an address as it is opened."""
    script = b"<</S/JavaScript/JS(app.launchURL\\('%b', true\\); this.submitForm\\('%b'\\))>>"
    url = address.encode()
    launch = b"<</S/Launch/F(%b)>>" % command.encode()
    fetch = b"<</S/URI/URI(%b)>>" % url
    run = script % (url, url)
    return document(
        TEXT,
        page=b"/AA<</O %b/C %b>>" % (launch, fetch),
        catalog=b"/OpenAction %b/AA<</WC %b>>/Names<</JavaScript<</Names[(a) %b]>>>>" % (run, launch, run),
    )
