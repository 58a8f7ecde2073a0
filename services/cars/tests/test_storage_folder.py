import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cars.problems import PicturesUnavailable, UnknownFile
from cars.storage import FolderStorage, durable, folder, keys, open_storage
from servicekit.problems import UploadStorageFull

PICTURE = b"the bytes of a picture" * 1000
SHA256 = hashlib.sha256(PICTURE).hexdigest()

WRITER = """
import hashlib, sys
from cars.storage import keys, open_storage

storage = open_storage(sys.argv[1])
for number in range(1_000_000):
    data = number.to_bytes(4) * 20_000
    key = keys.original(hashlib.sha256(data).hexdigest(), "jpg")
    storage.put(key, data)
    print(key, flush=True)
"""


@pytest.fixture
def storage(tmp_path: Path) -> FolderStorage:
    storage = FolderStorage(tmp_path / "pictures")
    storage.start()
    return storage


@contextmanager
def largest_file(n_bytes: int) -> Iterator[None]:
    """Has the system refuse longer files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def files(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if file.is_file())


def test_gives_back_what_was_put(storage):
    key = keys.original(SHA256, "png")
    storage.put(key, PICTURE)
    with storage.open(key) as file:
        assert file.read() == storage.get(key) == PICTURE
    assert storage.has(key)


def test_keeps_the_pictures_over_a_restart(storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    assert open_storage(f"file://{storage.path}").get(key) == PICTURE


def test_a_picture_that_is_not_there_is_unknown_and_can_be_deleted(storage):
    key = keys.original(SHA256, "jpg")
    assert not storage.has(key)
    storage.delete(key)
    with pytest.raises(UnknownFile):
        storage.get(key)
    with pytest.raises(UnknownFile):
        storage.open(key)


def test_a_deleted_picture_is_gone_and_others_of_the_same_content_stay(storage):
    first, second = keys.original(SHA256, "jpg"), keys.original(SHA256, "jpg")
    storage.put(first, PICTURE)
    storage.put(second, PICTURE)
    storage.delete(first)
    assert not storage.has(first)
    assert storage.get(second) == PICTURE


def test_a_thumbnail_may_be_put_twice(storage):
    key = keys.thumbnail(keys.original(SHA256, "jpg"))
    storage.put(key, b"small")
    storage.put(key, b"small")
    assert storage.get(key) == b"small"


def test_lists_key_size_and_time_and_nothing_that_is_not_its_own(storage):
    original = keys.original(SHA256, "jpg")
    thumbnail = keys.thumbnail(original)
    storage.put(original, PICTURE)
    storage.put(thumbnail, b"small")
    (storage.path / "originals" / SHA256[:2] / "notes.txt").write_text("an operator's")
    (storage.path / "incoming" / "half").write_bytes(b"half")
    listed = storage.keys()
    found = {file.key: file for file in listed}
    assert {key: file.size_bytes for key, file in found.items()} == {original: len(PICTURE), thumbnail: 5}
    assert datetime.now(UTC) - found[original].modified < timedelta(minutes=1)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "originals",
        "../secret",
        f"originals/../{SHA256}.jpg",
        f"originals/{SHA256[:2]}/{SHA256}.jpg",
        f"originals/00/{SHA256}-00000000.jpg",
        f"originals/{SHA256[:2]}/{SHA256}-00000000.svg",
        f"originals/{SHA256[:2]}/{SHA256}-00000000.jpg\n",
        f"/originals/{SHA256[:2]}/{SHA256}-00000000.jpg",
        f"originals/{SHA256[:2]}/{SHA256}-00000000.jpg\0",
        f"originals/{SHA256[:2].upper()}/{SHA256.upper()}-00000000.jpg",
    ],
)
def test_takes_no_key_that_leads_elsewhere(storage, key):
    for use in (storage.get, storage.open, storage.has, storage.delete, lambda key: storage.put(key, b"")):
        with pytest.raises(ValueError, match="is not the key of a picture"):
            use(key)
    assert files(storage.path) == []


def test_a_key_belongs_to_one_upload_and_its_thumbnail_to_it():
    first, second = keys.original(SHA256, "jpg"), keys.original(SHA256, "jpg")
    assert first != second
    assert keys.thumbnail(first) != keys.thumbnail(second)
    assert keys.thumbnail(first) == first.replace("originals", "thumbnails")


def test_makes_no_key_of_what_is_no_sha256():
    for text in ("", "ab", "../..", SHA256.upper(), SHA256 + "0"):
        with pytest.raises(ValueError, match="is not the key of a picture"):
            keys.original(text, "jpg")


def test_the_content_is_on_the_disk_before_its_name_and_the_name_before_put_returns(storage, monkeypatch):
    happened: list[str] = []

    def record(name):
        real = getattr(os, name)

        def recorded(*arguments):
            happened.append(name if name != "fsync" else f"fsync {Path(f'/proc/self/fd/{arguments[0]}').readlink()}")
            return real(*arguments)

        monkeypatch.setattr(durable.os, name, recorded)

    for name in ("write", "fsync", "rename"):
        record(name)
    storage.put(keys.original(SHA256, "jpg"), PICTURE)
    assert [entry.split("/")[0].strip() for entry in happened] == ["write", "fsync", "rename", "fsync"]
    assert Path(happened[1].split()[1]).parent == storage.path / "incoming"
    assert happened[3] == f"fsync {storage.path}/originals/{SHA256[:2]}"


def test_a_full_disk_is_507_leaves_nothing_behind_and_reads_go_on(storage):
    kept = keys.original(SHA256, "jpg")
    storage.put(kept, PICTURE)
    before = files(storage.path)
    with largest_file(4096):
        with pytest.raises(UploadStorageFull, match="nothing was stored"):
            storage.put(keys.original(SHA256, "jpg"), PICTURE)
        assert storage.get(kept) == PICTURE
    assert files(storage.path) == before
    storage.put(keys.original(SHA256, "jpg"), PICTURE)


def test_starts_on_a_full_disk_and_says_so_when_it_is_checked(storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    with largest_file(0):
        restarted = open_storage(str(storage.path))
        assert restarted.get(key) == PICTURE
        with pytest.raises(UploadStorageFull):
            restarted.check()
    restarted.check()


def test_a_folder_that_went_away_is_503_with_retry_after_until_it_is_back(storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    away = storage.path.with_name("away")
    storage.path.rename(away)
    for use in (lambda: storage.put(key, PICTURE), storage.check, lambda: list(storage.keys())):
        with pytest.raises(PicturesUnavailable) as caught:
            use()
        assert caught.value.headers == {"Retry-After": "5"}
        assert str(storage.path) not in caught.value.detail
    away.rename(storage.path)
    storage.check()
    assert storage.get(key) == PICTURE


@pytest.mark.parametrize("where", ["file/pictures", "file"])
def test_refuses_at_start_what_cannot_be_a_folder_and_names_it(tmp_path, where):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=f"{tmp_path}/{where} cannot be written"):
        open_storage(str(tmp_path / where))


def test_refuses_at_start_a_folder_in_which_no_file_can_be_made(tmp_path, monkeypatch):
    open_storage(str(tmp_path))

    def refuse(*arguments: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(durable.os, "open", refuse)  # root, who runs containers' tests, is refused nothing
    with pytest.raises(ValueError, match=f"{tmp_path} cannot be written: Permission denied"):
        open_storage(str(tmp_path))


def test_sweeps_at_start_what_a_crash_left_but_not_what_may_be_being_written(storage):
    incoming = storage.path / "incoming"
    old, new = incoming / "old", incoming / "new"
    for path in (old, new):
        path.write_bytes(b"half a picture")
    past = time.time() - folder.LEFTOVER_AGE_S - 1
    os.utime(old, (past, past))
    storage.start()
    assert files(storage.path) == ["incoming/new"]


def test_nothing_that_was_acknowledged_is_missing_after_kill_9(tmp_path):
    for round_ in range(3):
        path = tmp_path / str(round_)
        command = [sys.executable, "-c", WRITER, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = [writer.stdout.readline().strip() for _ in range(20 + round_ * 7)]
            writer.send_signal(signal.SIGKILL)
            acknowledged += writer.stdout.read().split("\n")[:-1]
        storage = open_storage(str(path))
        for key in acknowledged:
            assert hashlib.sha256(storage.get(key)).hexdigest() == key[13:77]
        sizes = {file.size_bytes for file in list(storage.keys())}
        assert sizes == {80_000}  # what was not acknowledged is whole, too, where it has its name


def test_the_pictures_are_nobody_elses_to_read(storage):
    key = keys.original(SHA256, "jpg")
    storage.put(key, PICTURE)
    assert (storage.path / key).stat().st_mode & 0o007 == 0
    assert (storage.path / "originals").stat().st_mode & 0o007 == 0


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "it is empty"),
        ("file://", "file:///path"),
        ("file:///", "file:///path"),
        ("file://host/path", "file:///path"),
        ("file:///path?x=1", "file:///path"),
        ("ftp://host/path", "ftp:// is not supported"),
        ("gs://bucket", "gs:// is not supported"),
    ],
)
def test_refuses_a_url_that_is_no_storage(url, said):
    with pytest.raises(ValueError, match=said):
        open_storage(url)


def test_a_path_may_be_relative_and_a_url_may_have_escapes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert open_storage("var/pictures").kind == "folder"
    open_storage(f"file://{tmp_path}/with%20space")
    assert (tmp_path / "var" / "pictures" / "originals").is_dir()
    assert (tmp_path / "with space" / "originals").is_dir()


def test_a_folder_loads_no_library_for_s3(tmp_path):
    code = (
        "import sys; from cars.storage import open_storage; open_storage(sys.argv[1]); print('obstore' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert run.stdout == "False\n"
