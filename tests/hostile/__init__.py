"""Files as nobody should send them, and sound ones that few readers take: for the tests of whatever receives files.

Each value of the tables makes its bytes when it is called, because some have megabytes.
"""

# ruff: noqa: F401 - what the tests use, by one name

from hostile.graphics import bmp, extended, gif_picture, riff, webp_animation, webp_frame
from hostile.memory import FOLDER, memory_mib
from hostile.pictures import (
    GREY,
    GREY_ALPHA,
    PALETTE,
    RGB,
    RGB_ALPHA,
    SIGNATURE,
    TURNS,
    animated,
    blank,
    bomb_chunk,
    canvas,
    chunk,
    claims,
    cmyk,
    exif_jpeg,
    header,
    interlaced,
    jpeg,
    large_progressive,
    many_scans,
    palette,
    patched,
    png,
    resized_jpeg,
    rows_of,
    segment,
    seven,
    sound,
    tiff,
    turned,
    with_segment,
    without_segment,
)
from hostile.scan_tables import BAD_SCANS, SCANS
from hostile.scans import LONG, SHORT, deflated, many_pages, page, scan, strips, tags_of, tiles
from hostile.tables import (
    BAD_ARCHIVES,
    BROKEN,
    END,
    OTHER_KINDS,
    PALETTE_CHUNK,
    PARTLY_BAD_ARCHIVES,
    SEVENS,
    Make,
)
from hostile.zips import (
    Part,
    archive,
    encrypted_zip,
    honest_bomb,
    lying_bomb,
    many_bomb,
    million_entries,
    nested_zip,
    overlapping_bomb,
    zeros,
    zip64_end,
    zipped,
)
