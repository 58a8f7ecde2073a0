"""Pictures in a folder: each is whole and on the disk before its name appears, and its name before `put` returns.

A file is written under `incoming/`, synchronised, renamed to where it belongs, and the folder there synchronised. What
a crash leaves under `incoming/` is removed at a later start. Uploads do not share the synchronising of a folder: they
go to 256, which let more through at once than one folder with a shared one did.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path
from typing import BinaryIO

from servicekit.problems import UploadStorageFull

from cars.problems import PicturesUnavailable, UnknownFile
from cars.storage import durable, keys
from cars.storage.stored import StoredFile

LEFTOVER_AGE_S = 600  # a put takes seconds; another replica on the same folder may be at work
RETRY_AFTER = {"Retry-After": "5"}

_FULL = (ENOSPC, EDQUOT, EFBIG)
_FOLDER_MODE = 0o750


class FolderStorage:
    """A folder; several replicas may share it over a file system that renames atomically."""

    kind = "folder"

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._incoming = self.path / "incoming"

    def start(self) -> None:
        """Makes the folders, removes what a crash left and tries a file; raises ValueError.

        A full disk is no reason not to start: what is there can be read.
        """
        try:
            self._make_folders()
            self._sweep()
            self._try()
        except OSError as error:
            if error.errno not in _FULL:
                raise ValueError(
                    f"the folder of the pictures {self.path} cannot be written: {error.strerror}"
                ) from error

    def put(self, key: str, data: bytes) -> None:
        target = self._target(key)
        with _problems():
            durable.place(self._temporary(), target, data)
            durable.sync_folder(target.rpartition("/")[0])

    def get(self, key: str) -> bytes:
        with self.open(key) as file, _problems():
            return file.read()

    def open(self, key: str) -> BinaryIO:
        target = self._target(key)
        with _problems():
            try:
                return open(target, "rb")  # noqa: PTH123 - text, not a Path; the caller closes it
            except FileNotFoundError:
                raise UnknownFile("the picture is not in the storage") from None

    def has(self, key: str) -> bool:
        target = self._target(key)
        with _problems():
            try:
                os.stat(target)  # noqa: PTH116 - text, not a Path
            except FileNotFoundError:
                return False
            return True

    def delete(self, key: str) -> None:
        """Removes the file. Not durably: what a loss of power brings back has no row, and is swept."""
        target = self._target(key)
        with _problems(), suppress(FileNotFoundError):
            os.unlink(target)  # noqa: PTH108 - text, not a Path

    def keys(self) -> Iterator[StoredFile]:
        for folder in keys.FOLDERS:
            for shard in keys.SHARDS:
                with _problems():
                    found = self._listed(f"{folder}/{shard}")
                yield from found

    def check(self) -> None:
        """Writes a file as a put does; raises UploadStorageFull too."""
        with _problems():
            self._try()

    def _target(self, key: str) -> str:
        return f"{self.path}/{keys.checked(key)}"

    def _temporary(self) -> str:
        return f"{self._incoming}/{secrets.token_hex(16)}"

    def _make_folders(self) -> None:
        """All of them at once, so that no put has to: its own would have to wait for another's to be on the disk."""
        made = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
        self._incoming.mkdir(_FOLDER_MODE, exist_ok=True)
        for folder in (self.path / name for name in keys.FOLDERS):
            folder.mkdir(_FOLDER_MODE, exist_ok=True)
            for shard in keys.SHARDS:
                (folder / shard).mkdir(_FOLDER_MODE, exist_ok=True)
            durable.sync_folder(str(folder))
        for changed in (self.path, *(new.parent for new in made)):
            durable.sync_folder(str(changed))

    def _try(self) -> None:
        path = self._temporary()
        durable.place(path, f"{path}.tried", b"written to try whether it can be")
        os.unlink(f"{path}.tried")  # noqa: PTH108 - text, not a Path

    def _sweep(self) -> None:
        """Removes what was never renamed, and is not being written."""
        before = time.time() - LEFTOVER_AGE_S
        for entry in os.scandir(self._incoming):
            with suppress(FileNotFoundError):  # another replica sweeps too
                if entry.is_file(follow_symlinks=False) and entry.stat(follow_symlinks=False).st_mtime < before:
                    os.unlink(entry.path)  # noqa: PTH108 - text, not a Path

    def _listed(self, folder: str) -> list[StoredFile]:
        found = []
        with os.scandir(self.path / folder) as entries:
            for entry in entries:
                key = f"{folder}/{entry.name}"
                with suppress(FileNotFoundError):  # deleted since
                    if keys.is_key(key) and entry.is_file(follow_symlinks=False):
                        facts = entry.stat(follow_symlinks=False)
                        found.append(StoredFile(key, facts.st_size, datetime.fromtimestamp(facts.st_mtime, UTC)))
        return found


@contextmanager
def _problems() -> Iterator[None]:
    """Turns what the system refuses into what a client sees; neither paths nor numbers of errors are in it."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise UploadStorageFull("there is no room for the picture in the storage, nothing was stored") from error
        raise PicturesUnavailable(
            "the folder of the pictures cannot be read or written, try again", headers=RETRY_AFTER
        ) from error
