"""An archive of many files for a measurement: rows made here and put straight into the database, without pictures."""

import hashlib
import random
from typing import Any

import sqlalchemy as sa
from cars.archive import NewFile, counters, migrate, rows
from cars.archive.schema import files, predictions
from cars.labels import LABELS, Label
from cars.recognition import Box, Candidate, Recognition, Share
from servicekit.database.store import Store

FIRST_MS = 1_735_689_600_000  # 2025-01-01T00:00:00Z
STEP_MS = 300_000  # between two uploads: 100,000 of them are most of a year
AT_ONCE = 2_000  # rows of a statement
FAILED_EACH, PENDING_EACH, UNKNOWN_EACH = 997, 50, 5  # one of so many
PREDICTIONS = 5


def fill(url: str, number: int) -> None:
    """Makes the tables, and as many files: most recognised, each with five predictions, and the counters of them."""
    migrate.ensure(url)
    store, chance, counted = Store(url), random.Random(1), counters.Counts()
    for first in range(1, number + 1, AT_ONCE):
        made = [_made(file_id, chance) for file_id in range(first, min(first + AT_ONCE, number + 1))]
        for file, _ in made:
            counted.update(counters.counts(file))
        with store.begin() as connection:
            connection.execute(sa.insert(files), [file for file, _ in made])
            connection.execute(sa.insert(predictions), [each for _, found in made for each in found])
            connection.commit()
    with store.begin() as connection:
        counters.move(connection, counters.Counts(), counted)
        connection.commit()
    store.close()


def _made(file_id: int, chance: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Returns the row of a file, and those of its predictions."""
    sha256 = hashlib.sha256(str(file_id).encode()).hexdigest()
    key = f"originals/{sha256[:2]}/{sha256}-{file_id:08x}.jpg"
    new = NewFile(f"IMG_{file_id:06}.jpg", sha256, 300_000, 1280, 960, "image/jpeg", key)
    values = {**rows.file_values(new, FIRST_MS + STEP_MS * file_id), "id": file_id}
    if file_id % PENDING_EACH == 0:
        return values, []
    if file_id % FAILED_EACH == 0:
        return {**values, "status": "failed", "error": {"title": "Not an image", "detail": "it is damaged"}}, []
    found = _recognition(chance, recognized=file_id % UNKNOWN_EACH != 0)
    first = found.predictions[0]
    values |= rows.recognition_values(found, FIRST_MS + STEP_MS * file_id + 1000)
    if found.recognized:
        values |= rows.shown(new.filename, rows.car_values(first))
    return values, [rows.prediction_values(file_id, *pair) for pair in enumerate(found.predictions)]


def _recognition(chance: random.Random, *, recognized: bool) -> Recognition:
    labels = chance.sample(LABELS, PREDICTIONS)
    confidence = chance.uniform(0.25, 1.0)
    best = labels[0]
    return Recognition(
        predictions=tuple(_candidate(label, confidence / 2**rank) for rank, label in enumerate(labels)),
        recognized=recognized,
        reason=None if recognized else "unknown_model",
        **{name: _share(getattr(best, name), confidence) for name in ("make", "model", "body", "year")},
        region=Box(100, 200, 900, 500),
        backend="local",
        model_name="efficientnet-lite2-cars196",
        model_version="25896f189aa7",
    )


def _candidate(label: Label, confidence: float) -> Candidate:
    return Candidate(label.name, label.make, label.model, label.body, label.year, confidence)


def _share(value: str | int | None, confidence: float) -> Share | None:
    return None if value is None else Share(value, confidence)
