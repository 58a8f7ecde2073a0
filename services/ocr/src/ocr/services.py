"""What the routes work with, opened and closed together."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from servicekit.problems import NotReady

from ocr.documents import EngineError
from ocr.jobs import Jobs
from ocr.model import ModelError
from ocr.reader import Reader
from ocr.settings import Settings

logger = logging.getLogger(__name__)

MODEL = "RapidOCR"  # the word of older versions of this service, which clients look for
CPU = "CPUExecutionProvider"
LIMITS = (
    "max_file_size",
    "max_image_width",
    "max_image_height",
    "max_frames",
    "pdf_max_pages",
    "pdf_page_s",
    "pdf_memory_bytes",
    "jobs_max_pages",
    "jobs_max_file_size",
    "jobs_max_stored",
    "jobs_retention_s",
    "jobs_at_once",
)
UNLOADED: dict[str, Any] = {"gpu_support": False, "providers": [], "supported_languages": [], "sha256": {}}
DEFAULTS = ("text_score", "box_thresh", "unclip_ratio", "pdf_dpi")


class Services:
    """The service's parts."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reader = Reader(settings)
        self._jobs: Jobs | None = None
        self._failure: str | None = None  # for good

    @property
    def jobs(self) -> Jobs:
        """Raises NotReady before the warm-up has ended."""
        if self._jobs is None:
            self.probe()
            raise NotReady("the jobs are being looked at", headers={"Retry-After": "1"})
        return self._jobs

    def load(self) -> None:
        """Loads the networks where that is not done; raises ValueError for what cannot work on this machine."""
        if self.reader.is_open:
            return
        try:
            self.reader.open()
        except (ModelError, EngineError) as error:
            raise ValueError(str(error)) from error

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Is live at once; ready when each network has computed."""
        try:
            await asyncio.to_thread(self.load)
            working = asyncio.create_task(self._work())
            working.add_done_callback(self._note)
            try:
                yield
            finally:
                self.reader.stop()
                working.cancel()
                await asyncio.wait((working,))
        finally:
            await asyncio.to_thread(self.reader.close)

    async def _work(self) -> None:
        """Warms up, then reads jobs, those that an earlier process left first, until it is cancelled."""
        await self.reader.run(self.reader.warm_up)
        jobs = Jobs(self.settings, self.reader)
        async with jobs.opened():
            self._jobs = jobs
            await asyncio.Event().wait()

    def _note(self, working: "asyncio.Task[None]") -> None:
        if not working.cancelled() and (error := working.exception()):
            self._failure = str(error)
            logger.error("the service cannot work: %s", error, exc_info=error)

    def probe(self) -> None:
        """Raises NotReady until each network has computed, and once a GPU, or the jobs' folder, has failed."""
        if self._failure:
            raise NotReady(f"the service has to be started again: {self._failure}")
        self.reader.check()

    def details(self) -> dict[str, Any]:
        """Returns what `/health` tells of this service."""
        reader, settings = self.reader, self.settings
        return {
            "model": MODEL,
            **self._model(),
            "environment": settings.environment,
            "warm_up": round(reader.progress, 3),
            "queue_depth": reader.depth,
            "jobs": self._jobs.tally() if self._jobs else {},
            "limits": {name: getattr(settings, name) for name in LIMITS},
            "defaults": {name: getattr(settings, name) for name in DEFAULTS},
        }

    def _model(self) -> dict[str, Any]:
        """Returns what the networks tell of themselves; before they are loaded, what is asked for."""
        pipeline = self.reader.loaded
        if pipeline is None:
            return {"model_version": self.settings.model_version, **UNLOADED}
        return {
            "model_version": pipeline.version,
            "gpu_support": CPU not in pipeline.providers and pipeline.fault is None,
            "providers": list(pipeline.providers),
            "supported_languages": list(pipeline.languages),
            "sha256": dict(pipeline.sha256s),
        }
