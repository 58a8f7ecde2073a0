import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from digit.model import MAX_BATCH, Models, Pixels, read_records
from digit.settings import Settings
from servicekit.weights import WeightsError

WEIGHTS = Settings().weights
NAMES = tuple(read_records(WEIGHTS))


@pytest.fixture(scope="module")
def models() -> Models:
    return Models(WEIGHTS, "cnn")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    return tmp_path / "weights"


def noise(n: int) -> Pixels:
    """Returns (n, 28, 28) in [0, 1]."""
    return np.random.default_rng(0).random((n, 28, 28), dtype=np.float32)


def test_both_networks_and_their_ensemble_are_there() -> None:
    assert {"cnn_transformer", "cnn", "ensemble"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_says_of_each_picture_what_it_says_of_that_alone(models: Models, name: str) -> None:
    pixels = noise(2 * MAX_BATCH + 5)
    together = models.predict(name, pixels)
    alone = [models.predict(name, pixels[i : i + 1]) for i in range(len(pixels))]
    assert together.probabilities == pytest.approx(np.concatenate([each.probabilities for each in alone]), abs=1e-6)
    assert together.digitness == pytest.approx(np.concatenate([each.digitness for each in alone]), abs=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_sum_to_one(models: Models, name: str) -> None:
    outputs = models.predict(name, noise(3))
    assert outputs.probabilities.shape == (3, 10)
    assert outputs.probabilities.sum(axis=1) == pytest.approx(np.ones(3))
    assert np.all((outputs.digitness >= 0) & (outputs.digitness <= 1))


def test_nothing_is_inferred_of_nothing(models: Models) -> None:
    outputs = models.predict("cnn", noise(0))
    assert (outputs.probabilities.shape, outputs.digitness.shape) == ((0, 10), (0,))


def test_an_ensemble_is_made_of_its_members(models: Models) -> None:
    ensemble = models.find("ensemble")
    members = [models.find(name) for name in ensemble.record.members]
    assert ensemble.parameters == sum(member.parameters for member in members)
    assert ensemble.size_bytes == sum(member.size_bytes for member in members)
    assert len(ensemble.sha256) == 64
    assert ensemble.sha256 not in {member.sha256 for member in members}
    digitness = [member.predict(noise(4)).digitness for member in members]
    assert ensemble.predict(noise(4)).digitness == pytest.approx(np.mean(digitness, axis=0))


def test_a_model_that_is_not_there_is_not_found(models: Models) -> None:
    with pytest.raises(KeyError):
        models.find("resnet")


def test_a_changed_file_is_not_loaded(folder: Path) -> None:
    with (folder / "cnn.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(WeightsError, match=r"cnn\.onnx has the sha256"):
        Models(folder, "cnn")


def test_a_missing_file_is_told(folder: Path) -> None:
    (folder / "cnn.onnx").unlink()
    with pytest.raises(WeightsError, match=r"cnn\.onnx cannot be read"):
        Models(folder, "cnn")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("not json", "weights.json cannot be read"),
        ('{"cnn.onnx": {"temperature": 1}}', "weights.json cannot be read"),
        (
            json.dumps({"both": {"temperature": 1, "digit_threshold": 0.5, "accuracy": {}, "members": ["cnn"]}}),
            "both has the member cnn",
        ),
    ],
)
def test_a_broken_description_is_told(folder: Path, text: str, says: str) -> None:
    (folder / "weights.json").write_text(text)
    with pytest.raises(WeightsError, match=says):
        Models(folder, "cnn")


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"weights\.json cannot be read"):
        read_records(tmp_path)
