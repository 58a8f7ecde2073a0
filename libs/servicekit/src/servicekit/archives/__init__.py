"""ZIP archives that a client sent: walked entry by entry in memory, never extracted.

What an honest archive may hold and this reader does not take concerns its entry alone: an EntryError. What only a
damaged or a hostile one has, or what is too much, is an ArchiveError.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from servicekit.archives import directory
from servicekit.archives.directory import Member
from servicekit.archives.limits import ArchiveError, ArchiveLimits
from servicekit.names import clean, quoted

__all__ = ["ArchiveError", "ArchiveLimits", "Entry", "EntryError", "is_zip", "names", "walk"]

_SIGNATURES = (b"PK\3\4", b"PK\5\6")  # the second is an empty archive's
_STORED, _DEFLATED = 0, 8
_METHODS = {1: "Shrink", 6: "Implode", 9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard", 95: "xz",
            97: "WavPack", 98: "PPMd", 99: "AES encryption"}  # fmt: skip
_FILE_TYPE, _LINK = 0o170000, 0o120000  # of Unix, in the upper half of the attributes
_SYSTEM_FILES = frozenset({".ds_store", "thumbs.db", "desktop.ini"})
_RATIO_FROM_BYTES = 1 << 20
_SLACK_BYTES = 1024  # what packing may add to data that cannot be packed


@dataclass(frozen=True)
class Entry:
    """A file in an archive: its path with "/" between the parts, and its content."""

    name: str
    data: bytes


@dataclass(frozen=True)
class EntryError:
    """A file in an archive that is not read, and why: "it …"."""

    name: str
    reason: str


def is_zip(head: bytes) -> bool:
    """Tells by its first bytes whether a file is a ZIP archive."""
    return head.startswith(_SIGNATURES)


def walk(file: BinaryIO, limits: ArchiveLimits) -> Iterator[Entry | EntryError]:
    """Returns the files of an archive, in its directory's order, read one at a time; raises ArchiveError.

    Folders and what systems leave beside files (`__MACOSX`, `.DS_Store`, `Thumbs.db` …) are left out. An archive is
    refused before its first entry; later only where its data are more than its headers say.
    """
    files = _files(file, limits)
    return (EntryError(name, reason) if reason else _unpacked(file, name, member) for name, member, reason in files)


def names(file: BinaryIO, limits: ArchiveLimits) -> list[str]:
    """Returns the names of what `walk` will yield, in its order, and refuses what it refuses; unpacks nothing."""
    return [name for name, _, _ in _files(file, limits)]


def _files(file: BinaryIO, limits: ArchiveLimits) -> list[tuple[str, Member, str]]:
    """Returns name, member and, where it is not to be read, the reason of each file."""
    file.seek(0)
    if not is_zip(file.read(4)):
        raise ArchiveError("it is no ZIP archive")
    members = directory.read(file, limits)
    files = [(name, member, _refusal(member, limits)) for member in members if (name := _path(member))]
    _check_total([member for _, member, reason in files if not reason], limits)
    return files


def _path(member: Member) -> str:
    """Returns the cleaned path, or nothing for what is no file; raises ArchiveError for one that leads out."""
    path = directory.decoded(member).replace("\\", "/")
    parts = path.split("/")
    if path.startswith("/") or ".." in parts or path[1:2] == ":":
        raise ArchiveError(f"the path {quoted(path)} in the archive leads out of it")
    if path.endswith("/") or parts[0] == "__MACOSX" or parts[-1].startswith("._"):
        return ""
    if parts[-1].lower() in _SYSTEM_FILES:
        return ""
    return clean("/".join(part for part in parts if part not in ("", "."))) or "unnamed"


def _refusal(member: Member, limits: ArchiveLimits) -> str:
    """Returns why this entry alone is not read, or nothing."""
    if member.flags & (directory.ENCRYPTED | directory.STRONGLY_ENCRYPTED):
        return "it is encrypted"
    if member.method not in (_STORED, _DEFLATED):
        method = _METHODS.get(member.method, f"method {member.method}")
        return f"it is compressed by {method}; stored and Deflate are read"
    if member.attributes >> 16 & _FILE_TYPE == _LINK:
        return "it is a link"
    if member.size > limits.max_entry_bytes:
        return f"it has {member.size} bytes, the limit is {limits.max_entry_bytes}"
    if member.packed > member.size + member.size // 8 + _SLACK_BYTES:
        return f"it is damaged: {member.packed} bytes are too many to unpack to {member.size}"
    if _is_bomb(member.size, member.packed, limits):
        return f"it unpacks from {member.packed} to {member.size} bytes, the limit is {limits.max_ratio} times"
    return ""


def _is_bomb(size: int, packed: int, limits: ArchiveLimits) -> bool:
    return size > _RATIO_FROM_BYTES and size > limits.max_ratio * packed


def _check_total(members: list[Member], limits: ArchiveLimits) -> None:
    """Checks what the headers promise; that nothing unpacks to more than that is seen when it is unpacked."""
    size = sum(member.size for member in members)
    packed = sum(member.packed for member in members)
    if size > limits.max_total_bytes:
        raise ArchiveError(f"the archive unpacks to {size} bytes, the limit is {limits.max_total_bytes}")
    if _is_bomb(size, packed, limits):
        raise ArchiveError(f"the archive unpacks from {packed} to {size} bytes, the limit is {limits.max_ratio} times")


def _unpacked(file: BinaryIO, name: str, member: Member) -> Entry | EntryError:
    """Reads one entry; never more than its headers say, whatever its data would unpack to."""
    file.seek(member.start)
    packed = file.read(member.packed)
    if member.method == _STORED:
        data = packed
    else:
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            data = inflater.decompress(packed, member.size + 1)
        except zlib.error as error:
            return EntryError(name, f"it is damaged: {error}")
    if len(data) > member.size:
        raise ArchiveError(f"the entry {quoted(name)} has more bytes than the {member.size} that the archive says")
    if len(data) < member.size:
        return EntryError(name, f"it is damaged: it has {len(data)} bytes instead of {member.size}")
    if zlib.crc32(data) != member.crc:
        return EntryError(name, "it is damaged: its checksum is wrong")
    if is_zip(data):
        return EntryError(name, "it is a ZIP archive within the archive")
    return Entry(name, data)
