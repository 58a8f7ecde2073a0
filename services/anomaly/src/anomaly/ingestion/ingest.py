"""Takes readings in: their time and quality, their score, and what they do to the window, the alarm and the drift.

All of it is one operation of the ledger: what is answered, stored and alarmed is one transaction.
"""

import weakref
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import sqlalchemy as sa

from anomaly.alerting import alarms, drift
from anomaly.alerting.alarms import AlarmState
from anomaly.ingestion import windows
from anomaly.ingestion.assets import settings_of
from anomaly.ingestion.consequences import Condition
from anomaly.ingestion.fates import Tolerance
from anomaly.ingestion.intake import Intake
from anomaly.ingestion.judgement import Judgement
from anomaly.ingestion.memory import Memories, Memory
from anomaly.ingestion.readings import Incoming
from anomaly.lifecycle.registry import Registry
from anomaly.lifecycle.versions import find_asset
from anomaly.model import Model
from anomaly.problems import NoModel
from anomaly.storage.ledger import Ledger, Operation
from anomaly.storage.reply import Reply
from anomaly.storage.schema import assets

# Made once: building a statement costs several times its execution.
HEAD: sa.Select[Any] = sa.select(
    assets.c.id, assets.c.name, assets.c.revision, assets.c.newest_ms, assets.c.active_version
).where(assets.c.name == sa.bindparam("asset_name"))
BODY: sa.Select[Any] = sa.select(assets.c.settings, assets.c.state).where(assets.c.id == sa.bindparam("asset_id"))


class Limits(Protocol):
    """The part of the service's settings that readings are held against."""

    late_tolerance_s: float
    future_tolerance_s: float


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What became of readings: judgements in the client's order, and the alarm after them."""

    asset: str
    judgements: Sequence[Judgement]
    alarm: AlarmState


Answer = Callable[[Taken], object]


class Ingest:
    """Makes operations of the ledger out of readings; remembers each asset's window and alarm between them."""

    def __init__(
        self,
        ledger: Ledger,
        registry: Registry,
        limits: Limits,
        receivers: Sequence[str],
        on_stored: Callable[[str], None],
        on_alert: Callable[[], None],
    ) -> None:
        self.memories = Memories()
        self.verdicts: Counter[str] = Counter()  # readings stored, by status
        ledger.on_rollback(self.memories.clear)
        self._clock = ledger.clock
        self._registry = registry
        self._tolerance = Tolerance(limits.late_tolerance_s * 1000, limits.future_tolerance_s * 1000)
        self._receivers = receivers
        self._on_stored = on_stored
        self._on_alert = on_alert

    def operation(self, asset: str, incoming: Incoming, answer: Answer) -> Operation:
        """Returns the operation that takes the readings in and replies with `answer` as JSON."""
        return partial(self._take, asset, incoming, answer)

    def _take(self, name: str, incoming: Incoming, answer: Answer, connection: sa.Connection) -> Reply:
        """Raises UnknownAsset, NoModel, or what the readings are refused for; then nothing has changed."""
        head: sa.Row[Any] | None = connection.execute(HEAD, {"asset_name": name}).first()
        asset = head or find_asset(connection, name)
        memory, model = self._recall(connection, asset)
        values = incoming.aligned(model.sensors)
        now_ms = self._clock()
        intake = Intake(connection, asset, memory, model, incoming, values, now_ms, self._registry)
        judgements = intake.judge(self._tolerance)
        condition, alerted = intake.pursue(self._receivers)
        after = intake.store(condition)
        answered = answer(Taken(name, judgements, condition.alarm))
        self.memories.put(asset.id, after)
        return Reply.of(answered, after=partial(self._tell, name, judgements, alerted))

    def _recall(self, connection: sa.Connection, asset: sa.Row[Any]) -> tuple[Memory, Model]:
        """Returns what is remembered of the asset, from the database where that is out of date."""
        memory = self.memories.get(asset.id, asset.revision)
        model = memory.model() if memory else None
        if memory and model:
            return memory, model
        if asset.active_version is None:
            raise NoModel(f"no model is active for the asset {asset.name}")
        model = self._registry.load(connection, asset.id, asset.active_version)
        row: sa.Row[Any] = connection.execute(BODY, {"asset_id": asset.id}).one()
        settings = settings_of(row)
        state = dict(row.state)
        condition = Condition(alarms.load(state.pop("alarm", None)), drift.load(state.pop("drift", None)))
        memory = Memory(
            revision=asset.revision,
            version=asset.active_version,
            model=weakref.ref(model),
            settings=settings,
            ranges=model.ranges,
            reference=drift.Reference(model.calibration.mean, model.calibration.std),
            tail=windows.load(connection, asset.id, model, settings.max_gap_ms),
            condition=condition,
            rest=state,
        )
        return memory, model

    def _tell(self, name: str, judgements: Sequence[Judgement], alerted: bool) -> None:
        self.verdicts.update(judgement.status for judgement in judgements if judgement.fate != "duplicate")
        self._on_stored(name)
        if alerted:
            self._on_alert()
