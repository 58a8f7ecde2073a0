"""The readings of one call on their way into the database: fates, judgements, alarm and drift, rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import sqlalchemy as sa

from anomaly.ingestion import explanation, fates, windows
from anomaly.ingestion.consequences import Condition, Judged, Pursuit, contributions
from anomaly.ingestion.fates import Fate, Stored, Tolerance
from anomaly.ingestion.judgement import Explanation, Judgement, obstacles, verdict
from anomaly.ingestion.memory import Memory
from anomaly.ingestion.readings import Incoming
from anomaly.ingestion.windows import Scored, Tail
from anomaly.lifecycle.registry import Registry
from anomaly.model import Model
from anomaly.preprocess import Array
from anomaly.storage.schema import assets, readings

# Made once: building a statement costs several times its execution.
INSERT = sa.insert(readings).inline()  # nobody asks for the id
ADVANCE = (
    sa.update(assets)
    .where(assets.c.id == sa.bindparam("asset_id"))
    .values(revision=assets.c.revision + 1, newest_ms=sa.bindparam("newest"), state=sa.bindparam("after"))
)


class Intake:
    """The readings of one call on their way into the database."""

    def __init__(
        self,
        connection: sa.Connection,
        asset: sa.Row[Any],
        memory: Memory,
        model: Model,
        incoming: Incoming,
        values: Array,
        now_ms: int,
        registry: Registry,
    ) -> None:
        self.connection = connection
        self.asset = asset
        self.memory = memory
        self.model = model
        self.incoming = incoming
        self.values = values  # (n, d) NaN for null
        self.now_ms = now_ms
        self.registry = registry
        self.times_ms = fates.assign(incoming, asset.newest_ms, now_ms)
        self.tail = memory.tail
        self.judgements: dict[int, Judgement] = {}
        self.judged: list[Judged] = []  # live, in the order of time
        self.rows: list[dict[str, Any]] = []  # to be stored
        quality = memory.settings.quality
        self.obstacles = obstacles(values, incoming.qualities, memory.ranges, quality.max_null_share)

    def judge(self, tolerance: Tolerance) -> list[Judgement]:
        """Returns a judgement for each reading, in the client's order; late ones are stored on the way."""
        newest_ms = self.asset.newest_ms
        past = [at_ms for at_ms in self.times_ms if newest_ms is not None and at_ms <= newest_ms]
        known = fates.stored(self.connection, self.asset.id, past) if past else {}
        sorted_ = fates.sort(self.incoming, self.values, self.times_ms, newest_ms, self.now_ms, tolerance, known)
        for i in sorted_.late:
            self._judge_late(i)
        if sorted_.live:
            self._judge_live(sorted_.live)
        for i, first in sorted_.duplicates.items():
            self.judgements[i] = self._repeated(first)
        return [self.judgements[i] for i in range(len(self.values))]

    def pursue(self, receivers: Sequence[str]) -> tuple[Condition, bool]:
        """Returns alarm and drift after the live readings, and whether an alert was written."""
        if not self.judged:
            return self.memory.condition, False
        memory = self.memory
        pursuit = Pursuit(
            self.connection, self.asset, self.model, memory.version, memory.reference, self.now_ms, receivers
        )
        settings = memory.settings
        condition = pursuit.follow(settings.alarm, settings.drift, memory.condition, self.judged)
        return condition, pursuit.wrote

    def store(self, condition: Condition) -> Memory:
        """Writes readings and asset; returns what to remember."""
        if not self.judgements or all(judgement.fate == "duplicate" for judgement in self.judgements.values()):
            return self.memory
        if self.rows:
            # One row as such: PostgreSQL's driver makes a pipeline of a list.
            self.connection.execute(INSERT, self.rows[0] if len(self.rows) == 1 else self.rows)
        newest_ms = max(self.times_ms) if self.asset.newest_ms is None else max(self.asset.newest_ms, *self.times_ms)
        state = {**self.memory.rest, "alarm": condition.alarm, "drift": condition.drift}
        self.connection.execute(ADVANCE, {"asset_id": self.asset.id, "newest": newest_ms, "after": state})
        return replace(self.memory, revision=self.asset.revision + 1, tail=self.tail, condition=condition)

    def _judge_live(self, live: list[int]) -> None:
        usable = [i for i in live if self.obstacles[i] is None]
        scored = self._score(self.tail, usable) if usable else None
        self.tail = scored.tail if scored else self.tail
        places = {i: place for place, i in enumerate(usable)}
        for i in live:
            self._note(i, "live", scored, places.get(i))

    def _judge_late(self, i: int) -> None:
        """Scores a late reading against the rows stored before it, other late ones included."""
        scored = None
        if self.obstacles[i] is None:
            gap_ms = self.memory.settings.max_gap_ms
            tail = windows.load(self.connection, self.asset.id, self.model, gap_ms, before_ms=self.times_ms[i])
            scored = self._score(tail, [i])
        self._note(i, "late", scored, 0)
        self.connection.execute(INSERT, self.rows.pop())

    def _score(self, tail: Tail, usable: list[int]) -> Scored:
        rows = windows.fill(self.model, self.values[usable])
        times_ms = [self.times_ms[i] for i in usable]
        return windows.score(self.model, tail, rows, times_ms, self.memory.settings.max_gap_ms)

    def _note(self, i: int, fate: Fate, scored: Scored | None, place: int | None) -> None:
        number = float("nan") if scored is None or place is None else float(scored.scores[place])
        score, status, reason = verdict(self.model, number, self.obstacles[i])
        window = partial(scored.window, place, self.model.window) if scored and place is not None else None
        explain = partial(_explain, self.model, window if score is not None else None)
        judgement = Judgement(
            self.times_ms[i],
            self.incoming.quality(i),
            score,
            self.model.threshold,
            status,
            reason,
            fate,
            self.memory.version,
            explain,
        )
        self.judgements[i] = judgement
        self.rows.append(self._row(judgement, self.values[i]))
        if fate == "live" and score is not None and window is not None:
            self.judged.append(Judged(judgement.at_ms, score, status, self.values[i], window))

    def _row(self, judgement: Judgement, values: Array) -> dict[str, Any]:
        return {
            "asset_id": self.asset.id,
            "at_ms": judgement.at_ms,
            "received_ms": self.now_ms,
            "values": values.astype("<f8").tobytes(),
            "quality": judgement.quality,
            "score": judgement.score,
            "threshold": judgement.threshold,
            "status": judgement.status,
            "reason": judgement.reason,
            "fate": judgement.fate,
            "version": judgement.version,
        }

    def _repeated(self, first: Stored | int) -> Judgement:
        """Returns the first answer again, of a stored reading or of another one in the same batch."""
        if isinstance(first, int):
            return replace(self.judgements[first], fate="duplicate")
        return Judgement(
            first.at_ms,
            first.quality,
            first.score,
            first.threshold,
            first.status,
            first.reason,
            "duplicate",
            first.version,
            partial(self._explain_again, first),
        )

    def _explain_again(self, first: Any) -> Explanation:
        gap_ms = self.memory.settings.max_gap_ms
        found = explanation.again(self.connection, self.registry, self.asset.id, first, gap_ms)
        return found or Explanation(self.model.kind, [])


def _explain(model: Model, window: Callable[[], Array] | None) -> Explanation:
    return Explanation(model.kind, contributions(model, window()) if window else [])
