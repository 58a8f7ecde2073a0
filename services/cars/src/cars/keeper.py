"""Keeps pictures: what a client sent is durable when `keep` returns, the picture first and then its row.

A crash between the two leaves a picture without a row, which the sweep removes; never a row without its picture. The
key of a picture belongs to one upload alone, so that nothing deletes what another row refers to.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import BinaryIO, TypeVar

from servicekit import images
from servicekit.budget import Budget
from servicekit.images import ImageError, kinds
from servicekit.names import quoted
from servicekit.problems import FileTooLarge, Problem, UploadStorageFull
from servicekit.threads import Pool
from servicekit.uploads import Upload

from cars import pictures, thumbnails
from cars.archive import Archive, FileRecord, NewFile
from cars.archive.sweep import Sweep
from cars.counts import Counts
from cars.pictures import Picture
from cars.problems import NotAnImage, PicturesUnavailable, UnknownFile
from cars.recogniser import cost_bytes
from cars.settings import Settings
from cars.storage import Storage, keys

logger = logging.getLogger(__name__)

T = TypeVar("T")

THREADS = 8  # they wait for the disk or the bucket more than they compute
PIECE_BYTES = 1 << 18


class Keeper:
    """Puts pictures into the storage and rows into the archive; raises their Problems."""

    def __init__(self, settings: Settings, archive: Archive, storage: Storage, budget: Budget, counts: Counts) -> None:
        self.archive = archive
        self.storage = storage
        self.budget = budget
        self.max_file_bytes = settings.max_file_bytes
        self.counts = counts
        self.limits = pictures.limits(settings.max_pixels)
        self.pool = Pool("storage", THREADS)
        self.sweep = Sweep(archive, storage, self.pool, settings.retention_days, settings.retention_bytes)

    def close(self) -> None:
        self.pool.close()

    async def take(self, upload: Upload) -> Picture:
        """Returns the picture that an upload is; raises NotAnImage and ImageTooLarge. The caller holds the memory."""
        with self.counts.refusing():
            return await self.pool.run_to_the_end(lambda: pictures.take(upload.data(), upload.name, self.limits))

    async def keep(self, upload: Upload) -> tuple[FileRecord, bool]:
        """Stores an upload; returns its record, and whether the same picture had been there before."""
        if upload.size > self.max_file_bytes:
            raise FileTooLarge(f"{quoted(upload.name)} has {upload.size} bytes, the limit is {self.max_file_bytes}")
        admitted = await self.budget.take(upload_bytes(upload))
        try:
            with self.counts.seconds.labels("store").time():
                record, duplicate = await self._keep(await self.take(upload))
        finally:
            self.budget.give(admitted)
        self.counts.uploads["duplicate" if duplicate else "stored"] += 1
        return record, duplicate

    async def _keep(self, picture: Picture) -> tuple[FileRecord, bool]:
        if known := await self.archive.find(picture.sha256):
            return known, True
        key = keys.original(picture.sha256, picture.kind)
        await self.run(self.storage.put, key, picture.data)
        # A failure from here on leaves the picture to the sweep: the row may have been written all the same.
        record, duplicate = await self.archive.add(_new(picture, key))
        if duplicate:
            with suppress(PicturesUnavailable):  # nobody's: left to the sweep
                await self.run(self.storage.delete, key)
        return record, duplicate

    async def drop(self, file_id: int) -> None:
        """Deletes row and picture; a picture that cannot be deleted now is by the sweep. Raises UnknownFile."""
        key = await self.archive.delete(file_id)
        try:
            await self.sweep.remove([key])
        except Problem as problem:  # the row is gone for good, and what is left to do stands in the database
            logger.warning("the picture of file %d is removed later: %s", file_id, problem.detail)

    async def content(self, record: FileRecord) -> bytes:
        """Returns the picture; raises UnknownFile, which another request may have deleted meanwhile."""
        with self.counts.seconds.labels("fetch").time():
            return await self.run(self.storage.get, record.key)

    async def pieces(self, record: FileRecord) -> AsyncIterator[bytes]:
        """Opens the picture, then gives it piece by piece; raises UnknownFile before the first."""
        return self._pieces(await self.run(self.storage.open, record.key))

    async def _pieces(self, file: BinaryIO) -> AsyncIterator[bytes]:
        try:
            while piece := await self.run(file.read, PIECE_BYTES):
                yield piece
        finally:
            file.close()

    async def thumbnail(self, record: FileRecord) -> bytes:
        """Returns the small picture, made and kept when it is asked for first; raises NotAnImage and UnknownFile."""
        try:
            return await self.run(self.storage.get, record.thumbnail_key)
        except UnknownFile:
            pass
        admitted = await self.budget.take(cost_bytes(record.size_bytes, record.width * record.height))
        try:
            data = await self.run(self._make, record.key)
        finally:
            self.budget.give(admitted)
        with suppress(PicturesUnavailable, UploadStorageFull):  # it is made again then
            await self.run(self.storage.put, record.thumbnail_key, data)
        return data

    def _make(self, key: str) -> bytes:
        try:
            return thumbnails.make(self.storage.get(key), self.limits)
        except ImageError as error:
            raise NotAnImage(f"the picture cannot be decoded: {error}") from None

    async def run(self, function: Callable[..., T], *arguments: object) -> T:
        """Runs what waits for the storage on a thread; who is cancelled leaves when the thread has ended."""
        return await self.pool.run_to_the_end(function, *arguments)


def upload_bytes(upload: Upload, *, recognise: bool = False) -> int:
    """Returns the memory that taking an upload in needs, and recognising it: the file, what is kept of it, its pixels.

    Of a PNG the pixels are needed where EXIF turns it.
    """
    with upload.file as file:
        head = file.read(PIECE_BYTES)
    width, height = images.size(head) or (0, 0)
    taking = images.decoding_bytes(head) if kinds.of(head).name == "PNG" else 0
    recognising = cost_bytes(0, width * height) if recognise else 0
    return 2 * upload.size + max(taking, recognising)


def _new(picture: Picture, key: str) -> NewFile:
    return NewFile(
        filename=picture.filename,
        sha256=picture.sha256,
        size_bytes=len(picture.data),
        width=picture.width,
        height=picture.height,
        content_type=picture.content_type,
        key=key,
    )
