import errno
import io
import os
import resource
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from ocr.jobs import disk
from servicekit.problems import UploadStorageFull

# A process whose files cannot grow: what a full disk is to it, and as real.
FULL = """
import resource, signal, sys
from pathlib import Path
from ocr.jobs import disk
from servicekit.problems import UploadStorageFull
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    with disk.room():
        disk.append(Path(sys.argv[1]), b"x" * 90)
except UploadStorageFull:
    print("full")
"""


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "record"
    disk.write(path, b"first")
    disk.write(path, b"2nd")
    assert path.read_bytes() == b"2nd"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.mkdir()  # cannot be replaced by a file
    with pytest.raises(IsADirectoryError):
        disk.write(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_that_finds_no_room_leaves_no_part_of_itself(tmp_path: Path) -> None:
    path = tmp_path / "pages"
    disk.append(path, b"a whole line of 30 characters.")
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "full\n"
    assert path.read_bytes() == b"a whole line of 30 characters.\n"


def test_the_limit_of_that_process_is_its_own() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_other_errors_than_a_full_disk_stay_what_they_are() -> None:
    with pytest.raises(PermissionError), disk.room():
        raise PermissionError(errno.EACCES, "no")
    with pytest.raises(UploadStorageFull), disk.room():
        raise OSError(errno.ENOSPC, "full")


def test_a_secret_is_overwritten_before_it_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "password"
    disk.write(path, b"secret")
    os.link(path, tmp_path / "other name")  # shows what becomes of the content
    disk.wipe(path)
    assert not path.exists()
    assert (tmp_path / "other name").read_bytes() == bytes(6)
    disk.wipe(path)  # it is gone: nothing to do


def test_a_sum_is_taken_of_all_pieces() -> None:
    assert disk.sha256(io.BytesIO(b"")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    many = bytes(disk.PIECE_BYTES + 1)
    assert disk.sha256(io.BytesIO(many)) != disk.sha256(io.BytesIO(many[:-1]))
