"""A batch: the pictures of many files and ZIPs, read in chunks, a few at a time, in their order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass

from servicekit import archives
from servicekit.archives import ArchiveError, ArchiveLimits, Entry, EntryError
from servicekit.problems import FileTooLarge, Problem
from servicekit.uploads import Upload

from digit.names import Forms, apart
from digit.picture import Picture
from digit.problems import ArchiveInvalid, ArchiveNotImages, NotAnImage, TooManyImages
from digit.reader import Outcome, Reader
from digit.settings import Settings

CHUNK_PICTURES = 16  # more are no faster for each picture, and let single calls wait longer
CHUNK_BYTES = 1 << 20
SYSTEM_FILES = 10_000  # folders, and what systems leave beside files: a ZIP may hold so many of them
MAGIC_BYTES = 4


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of a batch, or why there is none."""

    name: str
    content: Picture | Problem
    archived: bool = False

    def told(self, outcome: Outcome) -> Outcome:
        """Returns the outcome in the words for where the picture came from."""
        if self.archived and isinstance(outcome, NotAnImage):
            return _not_an_image(self.name, outcome.extra["reason"])
        return outcome


@dataclass(frozen=True, slots=True)
class Source:
    """A file of a batch; `paths` are those in a ZIP, `problem` is why a ZIP cannot be read."""

    upload: Upload
    paths: list[str] | None = None
    problem: Problem | None = None

    def forms(self) -> list[Forms]:
        """Returns the forms of each picture's name."""
        if self.paths is None:
            return [(self.upload.name,)]
        return [(path.rpartition("/")[2], path, f"{self.upload.name}/{path}") for path in self.paths]


class Batch:
    """What came, listed: each picture has its name before the first is read. Its methods belong in a thread."""

    def __init__(self, files: Sequence[Upload], settings: Settings, *, skip: bool) -> None:
        """Raises TooManyImages, and ArchiveInvalid unless `skip`, which makes a ZIP with a problem an Item."""
        self.settings = settings
        most = settings.max_images
        self.limits = ArchiveLimits(most + SYSTEM_FILES, settings.max_file_bytes, settings.max_unpacked_bytes)
        self.unpacked_bytes = 0
        self.sources = [self._listed(file, skip) for file in files]
        forms = [forms for source in self.sources for forms in source.forms()]
        if len(forms) > most:
            raise TooManyImages(f"the batch has {len(forms)} images, the limit is {most}")
        self.names = apart(forms)

    def _listed(self, upload: Upload, skip: bool) -> Source:
        with upload.file as file:
            if not archives.is_zip(file.read(MAGIC_BYTES)):
                return Source(upload)
            try:
                return Source(upload, archives.names(file, self.limits))
            except ArchiveError as error:
                problem = _not_an_archive(upload.name, error)
        if not skip:
            raise problem
        return Source(upload, problem=problem)

    def chunks(self) -> Iterator[list[Item]]:
        """Yields the pictures in chunks that are small to unpack and to wait for."""
        chunk: list[Item] = []
        size = 0
        for item in self._items():
            chunk.append(item)
            size += item.content.n_bytes if isinstance(item.content, Picture) else 0
            if len(chunk) == CHUNK_PICTURES or size >= CHUNK_BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _items(self) -> Iterator[Item]:
        names = iter(self.names)
        for source in self.sources:
            if source.paths is None:
                name = next(names)
                yield Item(name, source.problem or self._whole(source.upload, name))
            else:
                yield from self._unpacked(source, names)

    def _whole(self, upload: Upload, name: str) -> Picture | Problem:
        limit = self.settings.max_file_bytes
        if upload.size > limit:
            return FileTooLarge(f"the file has {upload.size} bytes, the limit is {limit}: {name}")
        return Picture(upload, name)

    def _unpacked(self, source: Source, names: Iterator[str]) -> Iterator[Item]:
        """Yields what is in a ZIP; where it proves damaged on the way, all the rest of it is a problem."""
        left = list(reversed(source.paths or ()))
        try:
            with source.upload.file as file:
                for entry in archives.walk(file, self.limits):
                    self._count(entry)
                    left.pop()
                    yield _entry(entry, next(names))
        except ArchiveError as error:
            problem = _not_an_archive(source.upload.name, error)
            for _ in left:
                yield Item(next(names), problem, archived=True)

    def _count(self, entry: Entry | EntryError) -> None:
        """Holds all ZIPs of the batch to the limit that each alone keeps."""
        self.unpacked_bytes += len(entry.data) if isinstance(entry, Entry) else 0
        limit = self.limits.max_total_bytes
        if self.unpacked_bytes > limit:
            raise ArchiveError(f"the archives of the batch unpack to more than {limit} bytes, which is the limit")


def _entry(entry: Entry | EntryError, name: str) -> Item:
    content = _not_an_image(name, entry.reason) if isinstance(entry, EntryError) else Picture(entry.data, name)
    return Item(name, content, archived=True)


def _not_an_image(name: str, reason: str) -> Problem:
    return ArchiveNotImages(f"Zip contains non-image file: {name}", reason=reason)


def _not_an_archive(name: str, error: ArchiveError) -> Problem:
    return ArchiveInvalid(f"{name}: {error}", reason=str(error))


Found = list[tuple[str, Outcome]]  # with the pictures' names


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Items that are being read."""

    items: list[Item]
    reading: asyncio.Future[list[Outcome]] | None  # of those that are pictures


async def outcomes(batch: Batch, reader: Reader, model: str, route: str) -> AsyncGenerator[Found, None]:
    """Yields names and outcomes in order, chunk by chunk; no further one is begun when the iterator is closed."""
    chunks = batch.chunks()
    running: deque[_Chunk] = deque()
    try:
        while chunk := await _started(chunks, reader, model):
            running.append(chunk)
            if len(running) > reader.threads:
                yield await _finished(running.popleft(), reader, model, route)
        while running:
            yield await _finished(running.popleft(), reader, model, route)
    finally:
        for chunk in running:
            if chunk.reading:
                chunk.reading.cancel()


async def _started(chunks: Iterator[list[Item]], reader: Reader, model: str) -> _Chunk | None:
    """Unpacks the next chunk and has it read. What is unpacked is in memory before it is admitted: one at a time."""
    async with reader.unpacking:
        items = await reader.pool.run(next, chunks, None)
        if items is None:
            return None
        pictures = [item.content for item in items if isinstance(item.content, Picture)]
        if not pictures:
            return _Chunk(items, None)
        return _Chunk(items, reader.start(pictures, await reader.admit(pictures), model))


async def _finished(chunk: _Chunk, reader: Reader, model: str, route: str) -> Found:
    read = iter(await chunk.reading if chunk.reading else ())
    found = [item.told(next(read) if isinstance(item.content, Picture) else item.content) for item in chunk.items]
    reader.count(found, model, route)
    return [(item.name, outcome) for item, outcome in zip(chunk.items, found, strict=True)]
