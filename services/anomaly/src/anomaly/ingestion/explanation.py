"""Which sensors made the score of a stored reading: worked out again where somebody asks, so that nothing is kept."""

import math
from typing import Any

import sqlalchemy as sa

from anomaly.alerting.alarms import iso
from anomaly.ingestion import assets, fates, windows
from anomaly.ingestion.assets import AssetState
from anomaly.ingestion.consequences import contributions
from anomaly.ingestion.judgement import Explanation
from anomaly.lifecycle.registry import Registry
from anomaly.problems import ModelDamaged, UnknownVersion
from anomaly.schemas import Contribution
from anomaly.storage.schema import readings

SAME_SCORE = 1e-6  # relative: the same window, scored alone or within a batch


def again(
    connection: sa.Connection, registry: Registry, asset_id: int, reading: sa.Row[Any], max_gap_ms: float | None
) -> Explanation | None:
    """Explains a stored reading by the version that judged it and the rows before it; None where the version is gone.

    There are no shares where the stored score does not come out again: rows of its window are gone, or came later.
    """
    try:
        model = registry.load(connection, asset_id, reading.version)
    except (UnknownVersion, ModelDamaged):
        return None
    if reading.score is None:
        return Explanation(model.kind, [])
    live = reading.fate == "live"
    tail = windows.load(connection, asset_id, model, max_gap_ms, before_ms=reading.at_ms, live_only=live)
    row = windows.fill(model, fates.values_of(reading).reshape(1, -1))
    scored = windows.score(model, tail, row, [reading.at_ms], max_gap_ms)
    if not math.isclose(scored.scores[0], reading.score, rel_tol=SAME_SCORE, abs_tol=SAME_SCORE):
        return Explanation(model.kind, [])
    return Explanation(model.kind, contributions(model, scored.window(0, model.window)))


def explained(connection: sa.Connection, registry: Registry, name: str) -> AssetState:
    """Returns an asset with the contributions of its newest reading; raises UnknownAsset."""
    state = assets.state(connection, name)
    asset = assets.asset_row(connection, name)
    query = sa.select(readings).where(readings.c.asset_id == asset.id, readings.c.at_ms == asset.newest_ms)
    reading = connection.execute(query).first()
    if state.newest and reading and iso(reading.at_ms) == state.newest.timestamp:
        found = again(connection, registry, asset.id, reading, state.settings.max_gap_ms)
        state.newest.contributions = [Contribution(**share) for share in found.shares] if found else []
    return state
