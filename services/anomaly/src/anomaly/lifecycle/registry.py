"""Which models exist and which one answers: a cache of loaded models, and `default`, which the hot path reads.

A model is known by the sha256 of its file, so that a cached one is never out of date; what changes is only which
version an asset points to, and that lives in the database.
"""

import asyncio
import contextlib
import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from servicekit import weights
from servicekit.database.store import Store
from servicekit.problems import Problem

from anomaly.lifecycle.versions import Row, activate, add_version, ensure_asset, find_file, find_version
from anomaly.model import Model, ModelFileError
from anomaly.problems import ModelDamaged, NoModel, UnknownVersion
from anomaly.storage import schema
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply

__all__ = ["DEFAULT_ASSET", "Active", "Registry", "activate", "add_version"]

logger = logging.getLogger(__name__)

DEFAULT_ASSET = "default"
BUILTIN_FILE = "default.safetensors"
WEIGHTS = Path(__file__).parents[1] / "weights"
CACHE_BYTES = 32 * 1024 * 1024
MODEL_OVERHEAD_BYTES = 16 * 1024  # what a model's Python objects cost beside its tensors


@dataclass(frozen=True, slots=True)
class Active:
    """A loaded model and the version that answers with it: read once per request, so that no answer mixes two."""

    model: Model
    version: int
    sha256: str = ""


class Registry:
    """Loads models and follows which one is active; `default` is swapped as one reference."""

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        *,
        max_versions: int = 200,
        poll_s: float = 1.0,
        file: Path | None = None,
        folder: Path = WEIGHTS,
    ) -> None:
        """`file` is an operator's own model for `default`; raises ValueError where it cannot be read."""
        self.default: Active | None = None
        self.failure: Problem | None = NoModel("the models have not been opened yet")
        self.max_versions = max_versions
        self._store = store
        self._ledger = ledger
        self._poll_s = poll_s
        self._folder = folder
        self._own = _read_own(file) if file else None
        self._seeded = False
        self._place = (0, -1)  # the asset's id and revision that `default` shows
        self._cache: OrderedDict[str, Model] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._poll: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Adds the built-in model, loads what is active, and follows the database from now on."""
        await self._follow()
        self._poll = asyncio.create_task(self._follow_forever(), name="registry-poll")

    async def close(self) -> None:
        if self._poll:
            self._poll.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._poll

    def require_default(self) -> Active:
        """Returns the active model of the asset `default`; raises the Problem that says why there is none."""
        active = self.default
        if active is None:
            raise self.failure or NoModel("no model is active for the asset default")
        return active

    def load(self, connection: sa.Connection, asset_id: int, number: int) -> Model:
        """Returns a version's model; raises UnknownVersion, or ModelDamaged where its file is not what it was."""
        sha256 = connection.scalar(sa.select(schema.versions.c.sha256).where(_is(asset_id, number)))
        if sha256 is None:
            raise UnknownVersion(f"there is no version {number}")
        return self._load(connection, asset_id, number, sha256)

    def _load(self, connection: sa.Connection, asset_id: int, number: int, sha256: str) -> Model:
        with self._lock:
            if sha256 in self._cache:
                self._cache.move_to_end(sha256)
                return self._cache[sha256]
        file = connection.scalar(sa.select(schema.versions.c.file).where(_is(asset_id, number)))
        return self._remember(sha256, _read(bytes(file or b""), sha256, number), len(file or b""))

    def active(self, connection: sa.Connection, name: str) -> Active:
        """Returns an asset's active model; raises NoModel where there is none, ModelDamaged where it is broken."""
        assets, table = schema.assets, schema.versions
        ours = (table.c.asset_id == assets.c.id) & (table.c.number == assets.c.active_version)
        query = sa.select(assets.c.id, table.c.number, table.c.sha256).join(table, ours).where(assets.c.name == name)
        row = connection.execute(query).first()
        if row is None:
            raise NoModel(f"no model is active for the asset {name}")
        return Active(self._load(connection, row.id, row.number, row.sha256), row.number, row.sha256)

    def change(self, connection: sa.Connection, name: str) -> Callable[[], None] | None:
        """Returns what a Reply runs `after` its commit, so that a change made in it shows at once; None: no need."""
        if name != DEFAULT_ASSET:
            return None
        place, active, failure = self._look(connection)
        return lambda: self._show(place, active, failure)

    async def _follow_forever(self) -> None:
        while True:
            await asyncio.sleep(self._poll_s)
            await self._follow()

    async def _follow(self) -> None:
        try:
            if not self._seeded:
                await self._ledger.write(self._seed, assets=(DEFAULT_ASSET,))
                self._seeded = True
            self._show(*await self._store.read(self._look))
        except Problem as problem:  # the database is away: what was loaded goes on answering
            if self.default is None:
                self._note(problem)

    def _look(self, connection: sa.Connection) -> tuple[tuple[int, int], Active | None, Problem | None]:
        table = schema.assets
        query = sa.select(table.c.id, table.c.revision).where(table.c.name == DEFAULT_ASSET)
        row = connection.execute(query).first()
        place = (row.id, row.revision) if row else (0, 0)
        try:
            return place, self.active(connection, DEFAULT_ASSET), None
        except (NoModel, ModelDamaged) as problem:
            return place, None, problem

    def _show(self, place: tuple[int, int], active: Active | None, failure: Problem | None) -> None:
        with self._lock:
            if place < self._place:  # a poll that read before a change that is shown already
                return
            self._place = place
            if active is None or self.default is None or active.version != self.default.version:
                self.default = active
            self._note(failure)

    def _note(self, failure: Problem | None) -> None:
        if failure and str(failure) != str(self.failure):
            logger.error("the asset default is not ready: %s", failure.detail)
        self.failure = failure

    def _remember(self, sha256: str, model: Model, size_bytes: int) -> Model:
        with self._lock:
            model = self._cache.setdefault(sha256, model)
            self._sizes[sha256] = size_bytes + MODEL_OVERHEAD_BYTES
            while len(self._cache) > 1 and sum(self._sizes.values()) > CACHE_BYTES:
                del self._sizes[self._cache.popitem(last=False)[0]]
        return model

    def _seed(self, connection: sa.Connection) -> Reply:
        """Adds the built-in model where it is new, or activates the operator's own where the setting is new."""
        now_ms = self._ledger.clock()
        if self._own:
            _activate_own(connection, self._own, now_ms, self.max_versions)
        elif data := _builtin(self._folder):
            asset = ensure_asset(connection, DEFAULT_ASSET, now_ms)
            if find_file(connection, asset, data) is None:
                number = add_version(connection, DEFAULT_ASSET, data, "builtin", None, now_ms, self.max_versions)
                if _is_untouched(connection, asset):
                    activate(connection, DEFAULT_ASSET, number, None, now_ms)
        return Reply(204)


def _activate_own(connection: sa.Connection, file: bytes, now_ms: int, max_versions: int) -> None:
    """Activates the operator's file unless it was the last one: what is chosen over HTTP later outlives a start."""
    asset = ensure_asset(connection, DEFAULT_ASSET, now_ms)
    table = schema.versions
    imported = (table.c.asset_id == asset.id) & (table.c.origin == "imported")
    last = connection.scalar(sa.select(table.c.sha256).where(imported).order_by(table.c.number.desc()).limit(1))
    if last != hashlib.sha256(file).hexdigest():
        number = add_version(connection, DEFAULT_ASSET, file, "imported", None, now_ms, max_versions)
        activate(connection, DEFAULT_ASSET, number, None, now_ms)


def _builtin(folder: Path) -> bytes | None:
    try:
        return weights.load(folder, BUILTIN_FILE).data
    except weights.WeightsError as error:
        logger.error("there is no built-in model: %s", error)
        return None


def _read_own(file: Path) -> bytes:
    try:
        data = file.read_bytes()
        Model.load(data)
    except OSError as error:
        raise ValueError(f"ANOMALY_MODEL_FILE: the model file {file} cannot be read: {error.strerror}") from None
    except ModelFileError as error:
        raise ValueError(f"ANOMALY_MODEL_FILE: the model file {file} cannot be read: {error}") from None
    return data


def _is_untouched(connection: sa.Connection, asset: Row) -> bool:
    """Tells whether the asset has no model, or an earlier built-in one: what nobody chose may be replaced."""
    if asset.active_version is None:
        return int(asset.last_version) == 0
    return bool(find_version(connection, asset, asset.active_version).origin == "builtin")


def _is(asset_id: int, number: int) -> sa.ColumnElement[bool]:
    return (schema.versions.c.asset_id == asset_id) & (schema.versions.c.number == number)


def _read(file: bytes, sha256: str, number: int) -> Model:
    if hashlib.sha256(file).hexdigest() != sha256:
        raise ModelDamaged(f"the file of version {number} does not have the sha256 it was stored with")
    try:
        return Model.load(file)
    except ModelFileError as error:
        raise ModelDamaged(f"the file of version {number} cannot be read: {error}") from error
