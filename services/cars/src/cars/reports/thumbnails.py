"""The pictures of a report: where one cannot be had the report has none, and is made all the same."""

import logging
from typing import Protocol

from servicekit.problems import Problem

from cars.archive import FileRecord
from cars.problems import PicturesUnavailable

logger = logging.getLogger(__name__)


class Source(Protocol):
    async def thumbnail(self, record: FileRecord) -> bytes:
        """Returns a JPEG; raises Problems."""


class Thumbnails:
    """Fetches the small pictures of one report; a storage that is away is asked no further."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._away = False
        self._told = False

    async def of(self, file: FileRecord) -> bytes | None:
        """Returns a JPEG, or None where the picture is deleted, damaged, or cannot be reached."""
        if self._away:
            return None
        try:
            return await self._source.thumbnail(file)
        except Problem as problem:
            self._away = self._away or isinstance(problem, PicturesUnavailable)
            self._tell(file, problem)
            return None

    def _tell(self, file: FileRecord, problem: Problem) -> None:
        """Logs the first that is lacking: the others mostly lack for the same reason."""
        if not self._told:
            self._told = True
            logger.warning("a report lacks pictures, as that of file %d: %s", file.id, problem.detail)
