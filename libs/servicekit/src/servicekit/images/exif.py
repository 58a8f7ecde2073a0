"""The one fact of EXIF that matters here: how a picture is to be turned.

After CIPA DC-008 (EXIF 2.3), sections 4.5.2 to 4.6.4. Broken EXIF is common and says nothing about the pixels: it is
taken as none.
"""

import struct

UPRIGHT = 1
_ORIENTATION = 0x0112
_SHORT, _LONG = 3, 4


def orientation(tiff: bytes) -> int:
    """Returns 1 to 8 out of a TIFF structure, the part of EXIF after its `Exif\\0\\0`."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for position in range(start + 2, min(start + 2 + 12 * count, len(tiff) - 11), 12):
            tag, kind, values = struct.unpack_from(f"{order}HHI", tiff, position)
            if tag == _ORIENTATION:
                return _value(tiff, position + 8, order, kind, values)
    except struct.error:
        pass
    return UPRIGHT


def _value(tiff: bytes, position: int, order: str, kind: int, values: int) -> int:
    layout = {_SHORT: "H", _LONG: "I"}.get(kind)
    if layout is None or values != 1:
        return UPRIGHT
    (value,) = struct.unpack_from(f"{order}{layout}", tiff, position)
    return value if 1 <= value <= 8 else UPRIGHT
