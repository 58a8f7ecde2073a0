"""ZIP files, sound and hostile, written field by field."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from hostile.pictures import sound


@dataclass(frozen=True)
class Part:
    """An entry to be written; what is None is written as it truly is."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    local_name: bytes | None = None
    local_size: int | None = None
    attributes: int = 0
    header: int | None = None  # where the directory says it is; None without a local header of its own
    shares: bool = False  # writes no data of its own


def archive(parts: Iterable[Part], *, prefix: bytes = b"", comment: bytes = b"", count: int | None = None) -> bytes:
    """Returns a ZIP with exactly these entries, honest or not."""
    file = io.BytesIO()
    file.write(prefix)
    directory = b""
    total = 0
    for part in parts:
        at = file.tell()
        fields = _fields(part)
        if not part.shares:
            local = fields if part.local_size is None else (*fields[:5], part.local_size)
            name = part.name if part.local_name is None else part.local_name
            file.write(
                struct.pack("<4s5H3L2H", b"PK\3\4", 20, part.flags, part.method, 0, 33, *local[3:], len(name), 0)
            )
            file.write(name + _packed_data(part))
        offset = at if part.header is None else part.header
        directory += struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x0314, 20, part.flags, part.method, 0, 33, *fields[3:],
                                 len(part.name), 0, 0, 0, 0, part.attributes, offset) + part.name  # fmt: skip
        total += 1
    at = file.tell()
    told = total if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, told, told, len(directory), at, len(comment))
    return file.getvalue() + directory + end + comment


def _packed_data(part: Part) -> bytes:
    if part.packed is not None:
        return part.packed
    if part.method != 8:
        return part.data
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(part.data) + packer.flush()


def _fields(part: Part) -> tuple[int, int, int, int, int, int]:
    crc = zlib.crc32(part.data) if part.crc is None else part.crc
    size = len(part.data) if part.size is None else part.size
    return (part.method, part.flags, 0, crc, len(_packed_data(part)), size)


def zipped(*files: tuple[str, bytes]) -> bytes:
    """Returns an honest ZIP."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name, data in files:
            writer.writestr(name, data)
    return file.getvalue()


def zeros(megabytes: int) -> bytes:
    """Returns a deflate stream of so many mebibytes of zeros, without compressing them all."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return one * megabytes + packer.flush()


def honest_bomb() -> bytes:
    """1 GiB in a mebibyte, and the headers say so."""
    return archive([Part(b"zeros.png", packed=zeros(1024), crc=0, size=1 << 30)])


def lying_bomb() -> bytes:
    """1 GiB in a mebibyte, of which the headers say that it is no more than that."""
    return archive([Part(b"zeros.png", packed=zeros(1024), crc=0, size=1_000_000)])


def overlapping_bomb() -> bytes:
    """1 GiB in sixteen kilobytes: a hundred entries share one stream."""
    first = Part(b"zeros.png", packed=zeros(10), crc=0, size=10 << 20)
    return archive([first, *(Part(b"zeros.png", packed=zeros(10), crc=0, size=10 << 20, header=0, shares=True)
                             for _ in range(99))])  # fmt: skip


def many_bomb() -> bytes:
    """A hundred entries of a mebibyte, a kilobyte each."""
    return archive([Part(b"%d.png" % number, packed=zeros(1), crc=0, size=1 << 20) for number in range(100)])


def million_entries(told: int | None = None) -> bytes:
    """A directory of a million empty entries, 47 MB; the end of the archive tells their number, or another."""
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x0314, 20, 0, 0, 0, 33, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 0, 0, 33, 0, 0, 0, 1, 0) + b"a"
    size, at = 1_000_000 * len(entry), len(local)
    wide = zip64_end(1_000_000, size, at) if told is None else b""
    count = 0xFFFF if told is None else told
    return local + entry * 1_000_000 + wide + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, size, at, 0)


def zip64_end(count: int, size: int, offset: int) -> bytes:
    """Returns the ZIP64 record and its locator."""
    record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
    return record + struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)


def encrypted_zip() -> bytes:
    return archive([Part(b"secret.png", data=b"x" * 24, method=0, flags=1, crc=0, size=12)])


def nested_zip() -> bytes:
    return zipped(("good.png", sound()), ("inner.zip", zipped(("a.png", sound()))))
