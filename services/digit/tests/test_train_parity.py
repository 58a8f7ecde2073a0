"""The shipped ONNX files against the networks that they were exported from, on 1,000 pictures."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from digit.settings import SHIPPED
from train import parity

NATIVE = Path(parity.__file__).parent / "native"


def needs(*modules: str) -> pytest.MarkDecorator:
    """Skips, and says so, where a training framework is not installed: train/requirements.in has them."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)} (train/requirements.in)")


@pytest.fixture(scope="module")
def pictures() -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    return parity.pictures()


@needs("torch", "onnx")
def test_cnn_transformer_is_what_pytorch_computes(pictures) -> None:
    from train import torch_export

    native = torch_export.outputs(torch_export.load_native(NATIVE / "cnn_transformer.safetensors"), pictures)
    assert parity.difference(SHIPPED / "cnn_transformer.onnx", pictures, native) <= parity.MOST


@needs("tensorflow", "tf2onnx")
def test_cnn_is_what_keras_computes(pictures) -> None:
    from train import keras_export

    native = keras_export.outputs(keras_export.load_native(NATIVE / "cnn.safetensors"), pictures)
    assert parity.difference(SHIPPED / "cnn.onnx", pictures, native) <= parity.MOST


@needs("torch", "onnx")
def test_an_export_of_the_kept_weights_is_the_shipped_network(tmp_path: Path, pictures) -> None:
    from train import torch_export

    model = torch_export.load_native(NATIVE / "cnn_transformer.safetensors")
    torch_export.export(model, tmp_path / "again.onnx")
    shipped = torch_export.outputs(model, pictures[:100])
    assert parity.difference(tmp_path / "again.onnx", pictures[:100], shipped) <= parity.MOST
