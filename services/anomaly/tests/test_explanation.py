"""The shares of a stored reading, worked out again, are those of the answer that it got."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from anomaly.ingestion import explanation
from anomaly.model import Model
from anomaly.schemas import Contribution
from anomaly.storage import schema

NOW = 1_767_225_600_000
MakeModel = Callable[..., Model]


def shares(plant: Any) -> list[dict[str, Any]]:
    """Returns the contributions of the newest reading as the state of the asset tells them."""
    state = plant.store.read_blocking(lambda c: explanation.explained(c, plant.registry, "press"))
    found: list[Contribution] = state.newest.contributions
    return [{"sensor": share.sensor, "contribution": share.contribution} for share in found]


def test_they_are_those_of_the_answer(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=3))
    values = np.random.default_rng(1).normal(size=(8, 2))
    for i, row in enumerate(values.tolist()):
        judged = plant.one(*row, at=NOW + i)
        assert (shares(plant) != []) == (judged.score is not None)
        assert shares(plant) == plant.shares[0]


def test_a_late_reading_does_not_change_them(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model(window=2))
    plant.one(1, 0, at=NOW)
    plant.one(1, 2, at=NOW + 1000)
    first = shares(plant)
    plant.one(50, 0, at=NOW + 500)
    assert shares(plant) == first != []


def test_the_version_that_judged_explains(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    plant.one(3, 4, at=NOW)
    plant.install(make_model(window=5))
    assert [share["contribution"] for share in shares(plant)] == pytest.approx([0.36, 0.64])


@pytest.mark.parametrize("gone", ["window", "version"])
def test_there_are_none_where_they_cannot_be_known(plant: Any, make_model: MakeModel, gone: str) -> None:
    plant.install(make_model(window=2))
    for i in range(3):
        plant.one(i, 1, at=NOW + i)
    plant.install(make_model())
    versions, readings = schema.versions, schema.readings
    statement = sa.delete(versions).where(versions.c.number == 1)
    if gone == "window":
        statement = sa.delete(readings).where(readings.c.at_ms < NOW + 2)
    plant.change(lambda connection: connection.execute(statement))
    assert shares(plant) == []


def test_what_was_not_judged_has_none(plant: Any, make_model: MakeModel) -> None:
    plant.install(make_model())
    assert plant.store.read_blocking(lambda c: explanation.explained(c, plant.registry, "press")).newest is None
    plant.one(1, 1, at=NOW, quality="bad")
    assert shares(plant) == []
