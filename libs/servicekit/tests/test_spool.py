import asyncio
from pathlib import Path

import pytest
from servicekit import spool
from servicekit.problems import UploadStorageFull
from servicekit.spool import Spool


async def filled(*pieces: bytes) -> Spool:
    file = Spool()
    for piece in pieces:
        file.append(piece)
        await file.flush()
    return file


def test_parts_are_files_of_their_own() -> None:
    file = asyncio.run(filled(b"one", b"two", b"three"))
    with file.part(3, 3) as two, file.part(6, 5) as three:
        assert (two.read(1), three.read(2), two.read(), three.read(), two.read()) == (b"t", b"th", b"wo", b"ree", b"")
        assert two.seek(1) == 1
        assert two.read(99) == b"wo"
    file.close()


def test_a_large_part_is_read_in_pieces_and_at_once() -> None:
    data = bytes(range(256)) * 4096
    file = asyncio.run(filled(b"before", data, b"after"))
    with file.part(6, len(data)) as part:
        assert part.read(100_000) + part.read() == data
    file.close()


def test_counts_what_is_not_written_yet() -> None:
    file = Spool()
    file.append(b"abc")
    assert (file.size, file.pending_bytes) == (3, 3)
    asyncio.run(file.flush())
    assert (file.size, file.pending_bytes) == (3, 0)
    asyncio.run(file.flush())
    file.close()
    file.close()


def test_one_that_took_nothing_opens_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "tempfile", None)
    asyncio.run(filled()).close()


def test_other_errors_of_the_disk_stay_what_they_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(spool.tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(FileNotFoundError):
        asyncio.run(filled(b"x"))


def test_a_full_disk_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/full").open("wb", buffering=0) as full:
        monkeypatch.setattr(spool.tempfile, "TemporaryFile", lambda **_: full)
        with pytest.raises(UploadStorageFull, match="no room"):
            asyncio.run(filled(b"x"))
