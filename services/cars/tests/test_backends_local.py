import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cars.backends.local import Local
from cars.labels import LABELS
from cars.model import CARS, DESCRIPTION, FOLDER, VEHICLE
from cars.recognition import Box
from cars.region import BoxError
from PIL import Image
from servicekit.threads import Pool
from servicekit.weights import WeightsError


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    made = Pool("reading", 1)
    yield made
    made.close()


@pytest.fixture(scope="module")
def backend(pool: Pool) -> Local:
    return opened(pool)


@pytest.fixture
def changed(pool: Pool, tmp_path: Path) -> Any:
    """Opens the shipped files with other settings: `changed({file: {key: value}}, threshold=…)`."""

    def make(changes: dict[str, dict[str, Any]], **options: Any) -> Local:
        folder = tmp_path / "weights"
        shutil.copytree(FOLDER, folder)
        described = json.loads((folder / DESCRIPTION).read_text())
        for name, keys in changes.items():
            described[name] |= keys
        (folder / DESCRIPTION).write_text(json.dumps(described))
        return opened(pool, folder=folder, **options)

    return make


def opened(pool: Pool, **options: Any) -> Local:
    made = Local(pool, **options)
    asyncio.run(made.open())
    return made


PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (240, 320, 3), np.uint8))
SEES_ALL = {VEHICLE: {"threshold": 0.0}}
KNOWS_ALL = {
    "measures": ["logit"],
    "means": [0.0],
    "deviations": [1.0],
    "weights": [0.0],
    "bias": 0.0,
    "threshold": 0.0,
}


def test_a_picture_without_a_car_is_answered_with_nothing_but_that(backend: Local) -> None:
    found = asyncio.run(backend.recognise(PICTURE, b"", "image/png", None))
    assert (found.recognized, found.reason) == (False, "no_car")
    assert (found.predictions, found.region, found.make, found.year) == ((), None, None, None)


def test_the_gate_looks_at_the_box_that_is_asked_for(backend: Local) -> None:
    assert backend.read(PICTURE, Box(10, 10, 100, 80)).reason == "no_car"


def test_what_no_crop_is_like_is_an_unknown_model_with_its_five_likeliest(changed: Any) -> None:
    found = changed(SEES_ALL).read(PICTURE)
    assert (found.recognized, found.reason) == (False, "unknown_model")
    assert len(found.predictions) == 5
    assert found.region is not None
    assert {found.make.value, found.year.value} <= {label.make for label in LABELS} | {label.year for label in LABELS}


def test_the_threshold_decides_what_is_too_unsure(changed: Any) -> None:
    backend = changed(SEES_ALL | {CARS: {"refusal": KNOWS_ALL, "threshold": 0.999}})
    assert backend.read(PICTURE).reason == "low_confidence"
    assert backend.threshold == 0.999


def test_an_operators_threshold_replaces_the_shipped_one(changed: Any) -> None:
    backend = changed(SEES_ALL | {CARS: {"refusal": KNOWS_ALL, "threshold": 0.999}}, threshold=0.0)
    found = backend.read(PICTURE)
    assert (found.recognized, found.reason) == (True, None)
    assert backend.details()["threshold"] == 0.0


def test_the_box_that_is_asked_for_is_what_is_read(changed: Any) -> None:
    backend, box = changed(SEES_ALL), Box(100, 50, 120, 90)
    found = backend.read(PICTURE, box)
    assert found.region == box
    cut = backend.read(PICTURE.crop((100, 50, 220, 140)), Box(0, 0, 120, 90))
    assert [each.label for each in found.predictions][:2] == [each.label for each in cut.predictions][:2]


@pytest.mark.parametrize("box", [Box(300, 0, 100, 10), Box(0, 0, 0, 0)])
def test_a_box_outside_of_the_picture_is_refused(backend: Local, box: Box) -> None:
    with pytest.raises(BoxError):
        backend.read(PICTURE, box)


def test_each_answer_says_which_model_made_it(backend: Local) -> None:
    found, details = backend.read(PICTURE), backend.details()
    assert (found.backend, found.model_name) == ("local", details["model"])
    assert details["sha256"].startswith(found.model_version)
    assert details["classes"] == len(LABELS)
    assert details["provider"] == "CPUExecutionProvider"


def test_a_probe_asks_the_networks_and_a_closed_backend_has_none(pool: Pool) -> None:
    made = opened(pool)
    asyncio.run(made.probe())
    asyncio.run(made.close())
    with pytest.raises(RuntimeError, match="not loaded"):
        asyncio.run(made.probe())


def test_missing_weights_are_told(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(WeightsError):
        opened(pool, folder=tmp_path)
