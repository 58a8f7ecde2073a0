import json
import pickle
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from anomaly.detector import modelfile
from anomaly.detector.modelfile import MAX_FILE_BYTES
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model, ModelFileError
from safetensors.numpy import save

ROWS = np.random.default_rng(0).standard_normal((100, 2))


@pytest.fixture(scope="module", params=["autoencoder", "pca"])
def data(request: pytest.FixtureRequest) -> bytes:
    return train(ROWS, TrainingOptions(kind=request.param, epochs=2)).dump()


def parts(data: bytes) -> tuple[dict[str, Any], dict[str, "np.ndarray[Any, Any]"]]:
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, stop = entry["data_offsets"]
            dtype = {"F32": "<f4", "F64": "<f8"}[entry["dtype"]]
            tensors[name] = np.frombuffer(data[8 + length + start : 8 + length + stop], dtype).reshape(entry["shape"])
    return json.loads(header["__metadata__"]["anomaly"]), tensors


def rebuilt(header: Any, tensors: dict[str, "np.ndarray[Any, Any]"]) -> bytes:
    return save(tensors, {"anomaly": header if isinstance(header, str) else json.dumps(header)})


def test_a_file_taken_apart_and_put_together_loads(data: bytes) -> None:
    assert Model.load(rebuilt(*parts(data))).dump() == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 8,
        b"\xff" * 100,
        b"PK\x03\x04" + b"\x00" * 100,
        pickle.dumps({"a": 1}),
        b"\x08\x00\x00\x00\x00\x00\x00\x00{}      ",
        struct.pack("<Q", 2**63) + b"{}",
        save({"a": np.ones(2)}),
        save({"a": np.ones(2)}, {"anomaly": "{"}),
        save({"a": np.ones(2)}, {"anomaly": "[" * 100_000}),
        b"\x00" * (MAX_FILE_BYTES + 1),
    ],
)
def test_what_is_no_model_is_refused(data: bytes) -> None:
    with pytest.raises(ModelFileError):
        Model.load(data)


def test_pytorch_files_are_pointed_to_import() -> None:
    with pytest.raises(ModelFileError, match=r"python -m anomaly import model\.pth"):
        Model.load(b"PK\x03\x04...")


def test_a_header_whose_length_begins_like_a_pickle_is_read(data: bytes) -> None:
    header, tensors = parts(data)
    padded = (rebuilt({**header, "report": {"note": "x" * n}}, tensors) for n in range(300))
    found = next(file for file in padded if file[:1] == b"\x80")
    assert Model.load(found).sensors == Model.load(data).sensors


def test_a_file_cut_off_anywhere_is_refused(data: bytes) -> None:
    for length in [*range(0, 300, 7), len(data) // 2, len(data) - 1]:
        with pytest.raises(ModelFileError):
            Model.load(data[:length])


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"kind": "forest"},
        {"window": 0},
        {"window": 65},
        {"features": "wavelet"},
        {"threshold": 0},
        {"threshold": "1"},
        {"threshold": 1e300},
        {"sensors": []},
        {"sensors": [{"name": ""}, {"name": "b"}]},
        {"sensors": [{"name": "a"}, {"name": "a"}]},
        {"sensors": [{"name": "a"}]},
        {"report": []},
        {"calibration": {}},
    ],
)
def test_a_header_that_does_not_fit_is_refused(data: bytes, change: dict[str, Any]) -> None:
    header, tensors = parts(data)
    with pytest.raises(ModelFileError):
        Model.load(rebuilt({**header, **change}, tensors))


def every_tensor(data: bytes, change: Callable[["np.ndarray[Any, Any]"], "np.ndarray[Any, Any]"]) -> None:
    header, tensors = parts(data)
    for name in tensors:
        with pytest.raises(ModelFileError):
            Model.load(rebuilt(header, {**tensors, name: change(tensors[name])}))


def test_a_tensor_of_another_shape_is_refused(data: bytes) -> None:
    every_tensor(data, lambda tensor: np.ones((3, *tensor.shape), tensor.dtype))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_tensor_that_is_not_finite_is_refused(data: bytes, value: float) -> None:
    every_tensor(data, lambda tensor: np.full(tensor.shape, value, tensor.dtype))


def test_a_tensor_of_another_type_is_refused(data: bytes) -> None:
    every_tensor(data, lambda tensor: tensor.astype(np.int64))


def test_a_missing_tensor_is_named(data: bytes) -> None:
    header, tensors = parts(data)
    for name in tensors:
        with pytest.raises(ModelFileError, match=name.replace(".", r"\.")):
            Model.load(rebuilt(header, {key: tensor for key, tensor in tensors.items() if key != name}))


def test_weights_that_would_overflow_are_refused(data: bytes) -> None:
    header, tensors = parts(data)
    for name in ("network.0.weight", "pca.components"):
        if name in tensors:
            with pytest.raises(ModelFileError, match="over"):
                Model.load(rebuilt(header, {**tensors, name: np.full_like(tensors[name], 1e30)}))


def test_scales_must_be_positive(data: bytes) -> None:
    header, tensors = parts(data)
    for name in ("scaler.scale", "features.scale", "tolerance"):
        for value in (0.0, -1.0):
            with pytest.raises(ModelFileError, match="positive"):
                Model.load(rebuilt(header, {**tensors, name: np.full_like(tensors[name], value)}))


def test_every_sound_file_scores_every_row_with_a_number(data: bytes) -> None:
    """The smallest scales and the largest weights that are accepted meet the largest values."""
    header, tensors = parts(data)
    extreme = {**tensors, "scaler.scale": np.full(2, 5e-324), "features.scale": np.full(2, 5e-324)}
    for name in tensors:
        if "weight" in name:
            extreme[name] = np.full_like(tensors[name], 1e6)
    if "pca.variances" in tensors:
        extreme["pca.variances"] = np.full_like(tensors["pca.variances"], 1e-12)
    model = Model.load(rebuilt(header, extreme))
    for value in (1.7e308, -1.7e308, 0.0, 1.0):
        assert np.isfinite(model.score([value, value]))
        assert np.isfinite(model.contributions(np.full((1, 2), value))).all()


def test_a_model_too_large_for_the_database_is_not_written() -> None:
    with pytest.raises(ModelFileError, match="choose a smaller window"):
        modelfile.write(
            modelfile.read(train(ROWS, TrainingOptions(kind="pca", epochs=1)).dump())[0], {"a": np.ones(2**20)}
        )
