"""The directory of a ZIP file, read strictly: whatever two readers could understand differently is refused.

After PKWARE's APPNOTE 6.3.10, sections 4.3 to 4.5. The standard library's zipfile believes the size of the directory,
makes an object of every entry before anybody can count them, and looks at a local header only when it is opened.
"""

import struct
from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from servicekit.archives.limits import ArchiveError, ArchiveLimits
from servicekit.names import quoted

ENCRYPTED, DESCRIPTOR, STRONGLY_ENCRYPTED, UTF8, MASKED = 1, 1 << 3, 1 << 6, 1 << 11, 1 << 13
MAX_NAME_BYTES = 1024
_ENTRY_BYTES = 512  # what an entry may take in the directory on average: name, extra fields, comment

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_EXTRA = struct.Struct("<2H")
_MAX_COMMENT = 65_535
_UNKNOWN16, _UNKNOWN32 = 0xFFFF, 0xFFFF_FFFF  # the value stands in the ZIP64 record
_ZIP64 = 0x0001


class Member(NamedTuple):
    """An entry as the directory describes it; `start` is where its data begin in the file."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int  # bytes
    size: int  # bytes
    header: int  # offset of its local header
    attributes: int
    start: int = 0


def decoded(member: Member) -> str:
    """Returns the name: UTF-8 where it is, said or not, else the code page of MS-DOS."""
    try:
        return member.name.decode("utf-8")
    except UnicodeDecodeError:
        return member.name.decode("utf-8", "replace") if member.flags & UTF8 else member.name.decode("cp437")


def shown(member: Member) -> str:
    """Returns the name for an error."""
    return quoted(decoded(member))


def read(file: BinaryIO, limits: ArchiveLimits) -> list[Member]:
    """Returns all members in the directory's order; raises ArchiveError."""
    count, size, offset, end = _end(file)
    if count > limits.max_entries:
        raise ArchiveError(f"the archive has {count} entries, the limit is {limits.max_entries}")
    if offset + size != end:
        where = f"its directory is at byte {end - size}, not at {offset}"
        raise ArchiveError(f"the archive is damaged, or stands after other data: {where}")
    if size > _MAX_COMMENT + _ENTRY_BYTES * count:
        raise ArchiveError(f"the archive is damaged: {size} bytes are said to be the directory of {count} entries")
    file.seek(offset)
    located = [_located(file, member) for member in _members(_exactly(file, size), count)]
    _check_apart(located, offset)
    return located


def _end(file: BinaryIO) -> tuple[int, int, int, int]:
    """Returns the number of entries, the directory's size and offset, and where it has to end."""
    length = file.seek(0, 2)
    tail_start = max(0, length - _END.size - _MAX_COMMENT)
    file.seek(tail_start)
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    while at >= 0:
        if at + _END.size <= len(tail):
            _, disk, first_disk, here, count, size, offset, comment = _END.unpack_from(tail, at)
            if at + _END.size + comment == len(tail):
                break
        at = tail.rfind(b"PK\5\6", 0, at)
    else:
        raise ArchiveError("the archive is truncated, or no ZIP archive: its directory is not at its end")
    if _UNKNOWN16 in (disk, first_disk, here, count) or _UNKNOWN32 in (size, offset):
        return _end64(file, tail_start + at)
    _check_one_disk(disk, first_disk, here, count)
    return count, size, offset, tail_start + at


def _end64(file: BinaryIO, end: int) -> tuple[int, int, int, int]:
    file.seek(max(0, end - _END64_LOCATOR.size))
    signature, disk, position, disks = _END64_LOCATOR.unpack(_exactly(file, _END64_LOCATOR.size))
    if signature != b"PK\6\7" or position + _END64.size > end:
        raise ArchiveError("the archive is damaged: it has no ZIP64 record, which its end refers to")
    file.seek(position)
    found = _END64.unpack(_exactly(file, _END64.size))
    if found[0] != b"PK\6\6" or disks > 1:
        raise ArchiveError("the archive is damaged: its ZIP64 record is not where it should be")
    _, _, _, _, this_disk, first_disk, here, count, size, offset = found
    _check_one_disk(this_disk + disk, first_disk, here, count)
    return count, size, offset, position


def _check_one_disk(disk: int, first_disk: int, here: int, count: int) -> None:
    if disk or first_disk or here != count:
        raise ArchiveError("the archive is one part of several: only whole ones are read")


def _exactly(file: BinaryIO, size: int) -> bytes:
    data = file.read(size)
    if len(data) != size:
        raise ArchiveError("the archive is truncated")
    return data


def _members(directory: bytes, count: int) -> Iterator[Member]:
    position = 0
    for _ in range(count):
        if position + _CENTRAL.size > len(directory):
            raise ArchiveError("the archive is damaged: its directory ends too early")
        (signature, _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes, comment_bytes,
         disk, _, attributes, header) = _CENTRAL.unpack_from(directory, position)  # fmt: skip
        start = position + _CENTRAL.size
        extra = start + name_bytes
        position = extra + extra_bytes + comment_bytes
        name = directory[start:extra]
        if signature != b"PK\1\2" or position > len(directory) or disk not in (0, _UNKNOWN16):
            raise ArchiveError("the archive is damaged: its directory is broken")
        if len(name) > MAX_NAME_BYTES:
            raise ArchiveError(f"a name in the archive has {len(name)} bytes, the limit is {MAX_NAME_BYTES}")
        if flags & MASKED:
            raise ArchiveError("the archive is encrypted, its directory too")
        if _UNKNOWN32 in (packed, size, header):
            size, packed, header = _wide(directory[extra : extra + extra_bytes], size, packed, header)
        yield Member(name, flags, method, crc, packed, size, header, attributes)
    if position != len(directory):
        raise ArchiveError("the archive is damaged: its directory is longer than its entries")


def _wide(extra: bytes, *values: int) -> list[int]:
    """Returns size, packed size and offset, those that do not fit 32 bits out of the ZIP64 field."""
    field = _extra(extra, _ZIP64)
    missing = values.count(_UNKNOWN32)
    if len(field) < 8 * missing:
        raise ArchiveError("the archive is damaged: a ZIP64 size is missing")
    wide = iter(struct.unpack_from(f"<{missing}Q", field))
    return [next(wide) if value == _UNKNOWN32 else value for value in values]


def _extra(extra: bytes, wanted: int) -> bytes:
    position = 0
    while position + _EXTRA.size <= len(extra):
        kind, size = _EXTRA.unpack_from(extra, position)
        position += _EXTRA.size
        if kind == wanted:
            return extra[position : position + size]
        position += size
    return b""


def _located(file: BinaryIO, member: Member) -> Member:
    """Returns the member with the place of its data, after a comparison with what stands before them."""
    file.seek(member.header)
    head = file.read(_LOCAL.size)
    if len(head) != _LOCAL.size or not head.startswith(b"PK\3\4"):
        raise ArchiveError(f"the archive is damaged: the entry {shown(member)} is not where its directory says")
    _, _, flags, method, _, _, crc, packed, size, name_bytes, extra_bytes = _LOCAL.unpack(head)
    name = _exactly(file, name_bytes)
    if (packed, size) != (member.packed, member.size) and _UNKNOWN32 in (packed, size):
        size, packed = _wide(_exactly(file, extra_bytes), size, packed)
    same = (name, flags & ENCRYPTED, method) == (member.name, member.flags & ENCRYPTED, member.method)
    streamed = flags & DESCRIPTOR and not (crc or packed or size)  # written before they were known
    if not same or not (streamed or (crc, packed, size) == (member.crc, member.packed, member.size)):
        raise ArchiveError(f"the archive contradicts itself about the entry {shown(member)}")
    return member._replace(start=member.header + _LOCAL.size + name_bytes + extra_bytes)


def _check_apart(members: list[Member], end: int) -> None:
    """Refuses data that several entries share: a few kilobytes could otherwise unpack to petabytes."""
    members = sorted(members, key=lambda member: member.header)
    for member, after in pairwise(members):
        if member.start + member.packed > after.header:
            raise ArchiveError(f"the entries {shown(member)} and {shown(after)} of the archive overlap")
    if members and members[-1].start + members[-1].packed > end:
        raise ArchiveError(f"the entry {shown(members[-1])} overlaps the directory of the archive")
