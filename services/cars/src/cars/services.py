"""What the routes work with, opened and closed together."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from servicekit import lean
from servicekit.database.problems import StorageUnavailable
from servicekit.database.store import Store
from servicekit.problems import NotReady, Problem
from servicekit.threads import Pool, effective_cpus
from servicekit.weights import WeightsError

from cars import choice
from cars.archive import Archive, Ledger, migrate
from cars.archive.jobs import Jobs
from cars.backends.folder_labels import FolderError
from cars.batches import Batches
from cars.counts import Counts, Place
from cars.keeper import Keeper
from cars.recogniser import Recogniser
from cars.runner import Runner
from cars.settings import Settings
from cars.storage import Access, FolderStorage, open_storage

logger = logging.getLogger(__name__)

FIRST_TRY_S = 4.0  # then the start goes on, not ready, while a migration runs or the database is waited for
RETRY_S = 2.0
PULSE_S = 5.0
LIMITS = (
    "max_file_bytes",
    "max_pixels",
    "max_files",
    "max_upload_bytes",
    "job_after",
    "max_queue",
    "retention_days",
    "retention_bytes",
)


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Services:
    """The service's parts; raises ValueError for a setting that only its part can judge."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.counts = Counts()
        self.waiting: str = "the database is being opened"  # why it is not open; "" when it is
        self.away: dict[str, str] = {}  # what does not answer, and its reason
        self.ended: list[str] = []  # workers that should still run
        self.files: Mapping[str, int] = {}  # by status, as of the last pulse
        pool = Pool("recognising", settings.threads or effective_cpus())
        self.recogniser = Recogniser(settings, choice.backend(settings, pool), pool, self.counts)
        with _named("CARS_DATABASE_URL"):
            self.store = Store(settings.database_url, "lineside-cars")
        self.ledger = Ledger(self.store, now_ms, settings.max_queue)
        self.archive = Archive(self.store, self.ledger)
        access = _access(settings)
        with _named("CARS_STORAGE_URL"):
            self.storage = open_storage(settings.storage_url, access)
        self.keeper = Keeper(settings, self.archive, self.storage, self.recogniser.budget, self.counts)
        self.runner = Runner(self.archive, self.keeper, self.recogniser, effective_cpus() + 1)
        self.batches = Batches(Jobs(self.store, self.ledger), self.runner)

    @property
    def folders(self) -> dict[str, Path]:
        """Returns what is written to on this machine, by the name that metrics give it."""
        pictures = {"pictures": self.storage.path} if isinstance(self.storage, FolderStorage) else {}
        return {**self.store.folders, **pictures}

    def prepare(self) -> None:
        """Is called before the port answers; raises ValueError for what cannot work."""
        if self.settings.backend == "local":
            self.load()

    def load(self) -> None:
        """Loads the model where that is not done; raises ValueError for one that cannot be used."""
        try:
            asyncio.run(self.recogniser.open())
        except (WeightsError, FolderError) as error:
            folder = self.settings.model_dir
            raise ValueError(f"CARS_MODEL_DIR={folder}: {error}" if folder else str(error)) from error
        lean.give_back()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Opens everything; a database that is away is waited for in the background, not ready until then."""
        async with AsyncExitStack() as parts:
            parts.callback(self.store.close)
            parts.callback(self.keeper.close)
            parts.push_async_callback(self.recogniser.close)
            await self._open_recogniser()
            opening = self._worker("opening", self._open_when_there(parts))
            parts.push_async_callback(_cancel, opening)
            await asyncio.wait((opening,), timeout=FIRST_TRY_S)
            if opening.done():
                opening.result()
            yield

    async def _open_recogniser(self) -> None:
        if self.settings.backend == "huggingface":
            await self.recogniser.open()
        else:
            await asyncio.to_thread(self.load)
        await self.recogniser.probe()

    async def _open_when_there(self, parts: AsyncExitStack) -> None:
        while True:
            try:
                await asyncio.to_thread(migrate.ensure, self.settings.database_url)
                return self._open(parts)
            except StorageUnavailable as problem:
                self.waiting = str(problem.detail)
                logger.warning("the database is waited for: %s", problem.detail)
            except migrate.MigrationError as error:
                self.waiting = str(error)
                raise
            await asyncio.sleep(RETRY_S)

    def _open(self, parts: AsyncExitStack) -> None:
        """Starts what writes, in the order in which it is needed: what is started last ends first."""
        self.ledger.start()
        parts.callback(self.ledger.stop)
        parts.push_async_callback(self.runner.close)
        for name, work in (
            ("sweep", self.keeper.sweep.run()),
            ("batches", self.batches.run()),
            ("pulse", self._pulse()),
        ):
            parts.push_async_callback(_cancel, self._worker(name, work))
        self.waiting = ""

    def _worker(self, name: str, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(self._note_end)
        return task

    def _note_end(self, task: "asyncio.Task[None]") -> None:
        """Health tells of a worker that failed from then on: its work is not done any more."""
        if not task.cancelled() and task.exception():
            logger.error("a worker ended", exc_info=task.exception(), extra={"fields": {"worker": task.get_name()}})
            self.ended.append(task.get_name())

    async def _pulse(self) -> None:
        """Looks every few seconds whether what this service needs still works."""
        while True:
            await self.recogniser.probe()
            await self._look("database", self._count_files())
            await self._look("pictures", self.keeper.run(self.storage.check))
            await asyncio.sleep(PULSE_S)

    async def _count_files(self) -> None:
        self.files = {str(status): count for status, count in (await self.archive.stats()).by_status.items()}

    async def _look(self, name: Place, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Problem as problem:
            self.counts.storage_errors[name] += 1
            self.away[name] = str(problem.detail)
        else:
            self.away.pop(name, None)

    def probe(self) -> None:
        """Raises NotReady until the database is open and the backend has recognised, and while it cannot."""
        if self.waiting:
            raise NotReady(self.waiting)
        self.recogniser.check()

    def details(self) -> dict[str, Any]:
        """Returns what `/health` tells of this service."""
        backend = self.recogniser.details()
        return {
            "backend": backend.get("backend", self.recogniser.backend.name),
            "model": backend.get("model"),
            "model_version": backend.get("model_version"),
            "recogniser": {name: value for name, value in backend.items() if name != "degraded"},
            "database": self.store.engine.dialect.name,
            "storage": self.storage.kind,
            "files": self.files,
            "queue_depth": self.recogniser.depth + self.ledger.depth,
            "limits": {name: getattr(self.settings, name) for name in LIMITS},
            "degraded": [*backend.get("degraded", ()), *self._degraded()],
        }

    def model(self) -> dict[str, str]:
        """Returns what the metrics tell of the model."""
        details = self.recogniser.details()
        return {name: str(details.get(name) or "") for name in ("backend", "model", "model_version")}

    def _degraded(self) -> list[str]:
        ended = [f"{name} has ended, the log tells why" for name in self.ended]
        return [*ended, *self.away.values()]


def _access(settings: Settings) -> Access:
    secret = settings.s3_secret_key
    return Access(
        access_key=settings.s3_access_key.get_secret_value() if settings.s3_access_key else None,
        secret_key=secret.get_secret_value() if secret else _read(settings),
        region=settings.s3_region,
    )


def _read(settings: Settings) -> str | None:
    """Returns the secret key that lies in a file; raises ValueError where it cannot be read."""
    path = settings.s3_secret_key_file
    if path is None:
        return None
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"CARS_S3_SECRET_KEY_FILE={path} cannot be read: {error}") from error


@contextmanager
def _named(variable: str) -> Iterator[None]:
    """Names the setting that a ValueError is about; not its value, which may hold a password."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from error


async def _cancel(task: "asyncio.Task[None]") -> None:
    task.cancel()
    await asyncio.wait((task,))
