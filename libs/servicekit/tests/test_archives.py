import io
import struct
import tempfile
import zipfile
import zlib
from typing import IO, Any

import hostile
import pytest
from hostile import Part, archive
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from servicekit.archives import ArchiveError, ArchiveLimits, Entry, EntryError, is_zip, names, walk

LIMITS = ArchiveLimits(max_entries=10_000, max_entry_bytes=10 << 20, max_total_bytes=512 << 20)
FUZZ = settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))


def read(data: bytes, limits: ArchiveLimits = LIMITS) -> list[Entry | EntryError]:
    found = list(walk(io.BytesIO(data), limits))
    assert [entry.name for entry in found] == names(io.BytesIO(data), limits)
    return found


def contents(data: bytes) -> dict[str, bytes]:
    found = read(data)
    assert not [entry for entry in found if isinstance(entry, EntryError)]
    return {entry.name: entry.data for entry in found if isinstance(entry, Entry)}


# --- what is read -----------------------------------------------------------------------------------------------------


def test_reads_files_in_folders_in_the_order_of_the_directory() -> None:
    files = [("b/2.png", b"two"), ("a/1.png", b"one" * 1000), ("0.png", b"")]
    assert list(contents(hostile.zipped(*files)).items()) == files


def test_reads_stored_and_deflated_entries() -> None:
    assert contents(archive([Part(b"a", b"a" * 99, method=0), Part(b"b", b"b" * 99)])) == {
        "a": b"a" * 99,
        "b": b"b" * 99,
    }


def test_an_empty_archive_has_no_files() -> None:
    assert read(hostile.zipped()) == []
    assert is_zip(hostile.zipped())


class OneWay(io.RawIOBase):
    """A stream that cannot go back, so that sizes are written after the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self.data += bytes(data)
        return len(bytes(data))


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("one_way", [False, True])
def test_reads_what_was_written_as_a_stream_and_with_zip64(wide: bool, one_way: bool) -> None:
    file: IO[bytes] = OneWay() if one_way else io.BytesIO()  # type: ignore[assignment]
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as writer:
        for name in ("a.png", "b.png"):
            with writer.open(name, "w", force_zip64=wide) as entry:
                entry.write(b"content" * 100)
        writer.comment = b"PK\5\6 is no end"
    data = file.data if isinstance(file, OneWay) else file.getvalue()  # type: ignore[attr-defined]
    assert contents(data) == {"a.png": b"content" * 100, "b.png": b"content" * 100}


def test_reads_a_directory_of_zip64() -> None:
    data = archive([Part(b"a.png", b"a"), Part(b"b.png", b"b")])
    end = data.rindex(b"PK\5\6")
    _, _, _, _, count, size, offset, _ = struct.unpack_from("<4s4H2LH", data, end)
    unknown = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    assert contents(data[:end] + hostile.zip64_end(count, size, offset) + unknown) == {"a.png": b"a", "b.png": b"b"}
    with pytest.raises(ArchiveError, match="2 entries, the limit is 1"):
        read(data[:end] + hostile.zip64_end(count, size, offset) + unknown, ArchiveLimits(1, 100, 100))


def test_reads_from_a_file_on_disk_wherever_it_stands() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(hostile.zipped(("a.png", b"a")))
        assert list(walk(file, LIMITS)) == [Entry("a.png", b"a")]


def test_leaves_out_folders_and_what_systems_leave_behind() -> None:
    left = ["folder/", "__MACOSX/._a.png", "__MACOSX/sub/._a.png", "x/._b.png"]
    left += ["x/.DS_Store", "Thumbs.db", "x/thumbs.DB", "desktop.ini"]
    data = hostile.zipped(("a.png", b"a"), *((name, b"") for name in left))
    assert list(contents(data)) == ["a.png"]


def test_does_not_unpack_what_it_leaves_out() -> None:
    data = archive([Part(b"__MACOSX/x", b"", packed=b"\xff\xff", crc=1, size=1 << 31, method=99)])
    assert read(data) == []


NAMES = {
    "UTF-8": (Part("ä/七.png".encode(), flags=1 << 11), "ä/七.png"),
    "UTF-8 that does not say so": (Part("七.png".encode()), "七.png"),
    "the code page of MS-DOS": (Part(b"\x84\x81.png"), "äü.png"),
    "broken UTF-8": (Part(b"\xff.png", flags=1 << 11), "\N{REPLACEMENT CHARACTER}.png"),
    "backslashes": (Part(b"a\\b.png"), "a/b.png"),
    "empty parts": (Part(b"a//./b.png"), "a/b.png"),
    "controls": (Part(b"a\0\r\n\x1b[31mb.png"), "a" + "\N{REPLACEMENT CHARACTER}" * 4 + "[31mb.png"),
    "turned writing": (Part("a\u202egnp.exe".encode()), "a\N{REPLACEMENT CHARACTER}gnp.exe"),
    "a formula": (Part(b"=1+1.png"), "=1+1.png"),
    "nothing": (Part(b"."), "unnamed"),
    "300 characters": (Part(b"x" * 300 + b".png"), "x" * 200 + "…" + "x" * 50 + ".png"),
    "dots": (Part(b"a/...b.png"), "a/...b.png"),
}


@pytest.mark.parametrize(("part", "name"), NAMES.values(), ids=NAMES)
def test_makes_names_safe_to_show(part: Part, name: str) -> None:
    assert read(archive([part])) == [Entry(name, b"")]


def test_repeated_names_are_files_of_their_own() -> None:
    data = archive([Part(b"a.png", b"1"), Part(b"a.png", b"2")])
    assert read(data) == [Entry("a.png", b"1"), Entry("a.png", b"2")]


def test_reads_an_archive_with_a_gap_between_its_entries() -> None:
    data = archive([Part(b"gone.png", b"0"), Part(b"a.png", b"1")])
    end = data.rindex(b"PK\5\6")
    first = data.index(b"PK\1\2")
    second = data.index(b"PK\1\2", first + 1)
    closing = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, end - second, first, 0)
    assert contents(data[:first] + data[second:end] + closing) == {"a.png": b"1"}


# --- what is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("word", "make"), hostile.BAD_ARCHIVES.values(), ids=hostile.BAD_ARCHIVES)
def test_refuses_a_bad_archive_whole(word: str, make: hostile.Make) -> None:
    with pytest.raises(ArchiveError) as refused:
        read(make())
    assert word in str(refused.value)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(("word", "make"), hostile.PARTLY_BAD_ARCHIVES.values(), ids=hostile.PARTLY_BAD_ARCHIVES)
def test_says_what_is_wrong_with_one_entry(word: str, make: hostile.Make) -> None:
    good, bad = read(make())
    assert good == Entry("good.png", hostile.sound())
    assert isinstance(bad, EntryError)
    assert bad.name == "bad.png"
    assert word in bad.reason
    assert bad.reason.startswith("it ")


@pytest.mark.parametrize("name", ["walk", "names"])
def test_refuses_before_the_first_entry(name: str) -> None:
    data = archive([Part(b"a.png", b"a"), Part(b"../b.png", b"b")])
    with pytest.raises(ArchiveError, match="leads out"):
        {"walk": walk, "names": names}[name](io.BytesIO(data), LIMITS)


def test_counts_what_it_unpacks_and_not_what_it_skips() -> None:
    parts = [Part(b"%d.png" % number, bytes(range(256)) * 4, method=0) for number in range(10)]
    assert len(read(archive(parts), ArchiveLimits(10, 1024, 10_240))) == 10
    with pytest.raises(ArchiveError, match=r"^the archive unpacks to 10240 bytes, the limit is 10239$"):
        read(archive(parts), ArchiveLimits(10, 1024, 10_239))
    skipped = Part(b"film.mp4", b"x" * 1025)
    assert isinstance(read(archive([*parts, skipped]), ArchiveLimits(11, 1024, 10_240))[-1], EntryError)


def test_says_the_number_of_entries_and_the_limit() -> None:
    data = hostile.zipped(*((f"{number}/", b"") for number in range(11)))
    with pytest.raises(ArchiveError, match=r"^the archive has 11 entries, the limit is 10$"):
        read(data, ArchiveLimits(10, 100, 100))


def test_a_small_file_may_be_compressed_as_well_as_it_can() -> None:
    white = hostile.png(hostile.header(2000, 2000), [b"\xff" * 2000] * 2000)
    assert contents(hostile.zipped(("white.bmp", b"\xff" * 1_000_000), ("white.png", white)))["white.png"] == white


def test_data_are_read_no_further_than_the_directory_says() -> None:
    """Not even where their stream has no end: what they would unpack to does not matter."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    endless = packer.compress(b"x" * 5000) + packer.flush(zlib.Z_SYNC_FLUSH)
    data = archive([Part(b"a.png", b"x" * 5000, packed=endless)])
    assert contents(data) == {"a.png": b"x" * 5000}


# --- memory -----------------------------------------------------------------------------------------------------------

PREPARE = """import io
        from servicekit.archives import ArchiveError, ArchiveLimits, walk
        limits = ArchiveLimits(10_000, 10 << 20, 512 << 20)
        import hostile
        list(walk(io.BytesIO(hostile.zipped(("a", b"a"))), limits))"""
WALK = """file = io.BytesIO(data)
            try:
                for entry in walk(file, limits):
                    del entry
            except ArchiveError:
                pass"""


def test_a_bomb_costs_no_memory() -> None:
    bombs = {
        name: make
        for name, (_, make) in hostile.BAD_ARCHIVES.items()
        if "GB" in name or "MB" in name or "million" in name
    }
    bombs |= {name: make for name, (_, make) in hostile.PARTLY_BAD_ARCHIVES.items() if " in " in name}
    assert len(bombs) >= 7
    costs = dict(zip(bombs, hostile.memory_mib(PREPARE, WALK, [make() for make in bombs.values()]), strict=True))
    assert {name: mib for name, mib in costs.items() if mib > 4} == {}


def test_one_entry_at_a_time_is_in_memory() -> None:
    noise = bytes(range(256)) * (4 << 10) * 9  # 9 MiB
    parts = [Part(b"%d.png" % number, noise, method=0) for number in range(12)]
    (cost,) = hostile.memory_mib(PREPARE, WALK, [archive(parts)])
    assert 8 < cost < 32


# --- whatever comes ---------------------------------------------------------------------------------------------------

SMALL = ArchiveLimits(max_entries=20, max_entry_bytes=4096, max_total_bytes=65_536)
LARGE = ("GB", "MB", "million")
TABLE = {**hostile.BAD_ARCHIVES, **hostile.PARTLY_BAD_ARCHIVES}
ARCHIVES = [make() for name, (_, make) in TABLE.items() if not any(word in name for word in LARGE)]
ARCHIVES.append(hostile.zipped(*((f"{number}.png", b"content" * number) for number in range(9))))


def attempt(data: bytes) -> None:
    """Walks; only ArchiveError may come, and no more than the limits allow."""
    refusal, found = "", []
    try:
        found = list(walk(io.BytesIO(data), SMALL))
    except ArchiveError as error:
        refusal = str(error)
    assert refusal == "" or (5 < len(refusal) < 300 and refusal.isprintable())
    assert len(found) <= SMALL.max_entries
    assert all(entry.name.isprintable() and entry.name for entry in found)
    assert all(len(entry.data) <= SMALL.max_entry_bytes for entry in found if isinstance(entry, Entry))


@FUZZ
@given(st.binary(max_size=200), st.sampled_from([b"", b"PK\3\4", b"PK\5\6"]))
def test_any_bytes_raise_nothing_else(data: bytes, start: bytes) -> None:
    attempt(start + data)


@FUZZ
@given(st.data())
def test_changed_bytes_raise_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(draw.draw(st.sampled_from([one for one in ARCHIVES if one])))
    for _ in range(draw.draw(st.integers(1, 8))):
        data[draw.draw(st.integers(0, len(data) - 1))] = draw.draw(
            st.sampled_from([0, 1, 8, 255]) | st.integers(0, 255)
        )
    attempt(bytes(data))


@FUZZ
@given(st.data())
def test_a_changed_directory_raises_nothing_else(draw: st.DataObject) -> None:
    data = bytearray(ARCHIVES[-1])
    first = data.index(b"PK\1\2")
    for _ in range(draw.draw(st.integers(1, 4))):
        data[draw.draw(st.integers(first, len(data) - 1))] = draw.draw(st.integers(0, 255))
    attempt(bytes(data))


@FUZZ
@given(st.data())
def test_a_cut_archive_raises_nothing_else(draw: st.DataObject) -> None:
    data = draw.draw(st.sampled_from(ARCHIVES))
    first, last = sorted(draw.draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    attempt(data[:first] + data[last:])


PARTS = st.builds(
    Part,
    name=st.binary(max_size=8),
    data=st.binary(max_size=64),
    method=st.sampled_from([0, 8, 12]),
    flags=st.sampled_from([0, 1, 8, 1 << 11]),
    crc=st.none() | st.integers(0, 2**32 - 1),
    size=st.none() | st.integers(0, 2**32 - 1),
    local_name=st.none() | st.binary(max_size=8),
    attributes=st.sampled_from([0, 0o120777 << 16]),
    header=st.none() | st.integers(0, 500),
    shares=st.booleans(),
)


@FUZZ
@given(st.lists(PARTS, max_size=6), st.none() | st.integers(0, 70_000), st.binary(max_size=8))
def test_any_archive_raises_nothing_else(parts: list[Part], count: int | None, comment: bytes) -> None:
    attempt(archive(parts, count=count and count % 65_536, comment=comment))


@FUZZ
@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), st.binary(max_size=64)), max_size=8))
def test_every_file_of_an_honest_archive_comes_out(files: list[tuple[str, bytes]]) -> None:
    unsafe = ("/", "\\", ":", "\0", "..", ".", "\ud800")
    honest = [(f"a{name}", data) for name, data in files if not any(part in name for part in unsafe)]
    honest = [(name, data) for name, data in honest if name.isprintable()]
    found = read(archive([Part(name.encode(), data, flags=1 << 11) for name, data in honest]))
    assert [(entry.name, entry.data) for entry in found if isinstance(entry, Entry)] == honest
