"""The shipped files of weights, and what weights.json promises of them."""

import hashlib
import json
from typing import Any

import pytest
from digit.settings import SHIPPED
from servicekit import onnx

RECORDS: dict[str, dict[str, Any]] = json.loads((SHIPPED / "weights.json").read_text(encoding="utf-8"))
FILES = [name for name in RECORDS if name.endswith(".onnx")]
MOST_PARAMETERS = {"cnn_transformer.onnx": 300_000, "cnn.onnx": 400_000}
LEAST_ACCURACY = {"cnn_transformer.onnx": 0.996, "cnn.onnx": 0.9955, "ensemble": 0.996}
MOST_BYTES = 2_000_000


def test_every_file_of_weights_is_recorded() -> None:
    assert sorted(path.name for path in SHIPPED.glob("*.onnx")) == sorted(FILES) == sorted(MOST_PARAMETERS)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_the_recorded_one_and_small(name: str) -> None:
    content = (SHIPPED / name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == RECORDS[name]["sha256"]
    assert len(content) < MOST_BYTES
    assert RECORDS[name]["parameters"] <= MOST_PARAMETERS[name]


@pytest.mark.parametrize("name", FILES)
def test_a_network_takes_any_number_of_pictures(name: str) -> None:
    session = onnx.session((SHIPPED / name).read_bytes())
    (pixels,) = session.get_inputs()
    assert (pixels.name, pixels.type) == ("pixels", "tensor(float)")
    assert sorted(pixels.shape[1:]) == [1, 28, 28]
    assert isinstance(pixels.shape[0], str)
    outputs = {output.name: (output.type, len(output.shape)) for output in session.get_outputs()}
    assert outputs == {"logits": ("tensor(float)", 2), "digit_logit": ("tensor(float)", 1)}


@pytest.mark.parametrize("name", FILES)
def test_a_file_says_where_it_came_from(name: str) -> None:
    record = RECORDS[name]
    assert len(record["commit"]) == 40
    assert record["made"].startswith("python -m train.")
    assert record["framework"] in {"PyTorch", "Keras"}
    assert "MNIST" in record["data"]


@pytest.mark.parametrize("name", RECORDS)
def test_a_model_is_as_good_as_is_wanted(name: str) -> None:
    record = RECORDS[name]
    assert record["accuracy"]["mnist_test"] >= LEAST_ACCURACY[name]
    assert record["measures"]["calibration_error"] <= 0.01
    assert record["measures"]["area_under_roc"] >= 0.97
    assert record["held_back"]["digits_accepted"] >= 0.995


def test_the_ensemble_is_better_than_both() -> None:
    accuracy = {name: record["held_back"]["accuracy"] for name, record in RECORDS.items()}
    assert accuracy["ensemble"] >= max(accuracy[name] for name in FILES)


def test_the_models_are_measured_on_the_same_sets() -> None:
    sets = {tuple(record["accuracy"]) for record in RECORDS.values()}
    assert len(sets) == 1
    assert len(sets.pop()) > 10
