"""Where the pictures lie, by one URL: a folder, or a bucket of S3 that several replicas share.

What lies under a key (`storage.keys`) never changes. All methods block, so that they are called from threads.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol
from urllib.parse import unquote, urlsplit

from cars.storage.access import Access
from cars.storage.folder import FolderStorage
from cars.storage.stored import StoredFile

__all__ = ["Access", "FolderStorage", "Storage", "StoredFile", "open_storage"]


class Storage(Protocol):
    """Raises ValueError for what is no key, and PicturesUnavailable (503) while the storage does not answer."""

    @property
    def kind(self) -> str:
        """`folder` or `s3`, for `/health`."""

    def start(self) -> None:
        """Makes ready what puts need; raises ValueError for what only the operator can mend, by its name."""

    def put(self, key: str, data: bytes) -> None:
        """Stores, durably when it returns; raises UploadStorageFull (507)."""

    def get(self, key: str) -> bytes:
        """Returns the content; raises UnknownFile (404)."""

    def open(self, key: str) -> BinaryIO:
        """Returns the content as a file, to be closed by the caller; raises UnknownFile (404)."""

    def has(self, key: str) -> bool:
        """Returns whether something lies there."""

    def delete(self, key: str) -> None:
        """Removes what lies there; it is no error where nothing does."""

    def keys(self) -> Iterator[StoredFile]:
        """Yields all that lies there, in no particular order."""

    def check(self) -> None:
        """Raises PicturesUnavailable where the storage does not answer."""


def open_storage(url: str, access: Access | None = None) -> Storage:
    """Returns the storage of a URL, ready; raises ValueError, which says what is wrong with it.

    `url` is a path, `file:///path`, or `s3://bucket/prefix?endpoint=https://host`. A bucket that is away for the
    moment is no error: its methods raise PicturesUnavailable until it is back.
    """
    storage = _storage(url, access or Access())
    storage.start()
    return storage


def _storage(url: str, access: Access) -> Storage:
    if "://" not in url:
        if not url:
            raise ValueError("it is empty; expected a folder, or s3://bucket/prefix")
        return FolderStorage(Path(url))
    parts = urlsplit(url)
    if parts.scheme == "file":
        if parts.netloc or parts.query or parts.fragment or parts.path in ("", "/"):
            raise ValueError("expected file:///path/to/folder")
        return FolderStorage(Path(unquote(parts.path)))
    if parts.scheme == "s3":
        from cars.storage.s3 import S3Storage  # 8 MiB of memory that a folder does not need

        return S3Storage(url, access)
    raise ValueError(f"{parts.scheme}:// is not supported; expected a folder, or s3://bucket/prefix")
