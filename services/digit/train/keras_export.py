"""Writes `cnn` as ONNX, its batch normalisations folded into the convolutions, and compares both.

python -m train.keras_export --native train/native/cnn.safetensors --folder runs
"""

import argparse
import sys
from pathlib import Path

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from train import parity
from train.keras_model import build

OPSET = 18
CHUNK = 500

Array = NDArray[np.float32]


def save_native(model: keras.Model, path: Path) -> None:
    """Writes every weight and batch statistic of the network."""
    save_file({variable.path.replace("/", "."): np.asarray(variable) for variable in model.weights}, path)


def load_native(path: Path) -> keras.Model:
    """Reads what `save_native` wrote, ready to infer."""
    model = build()
    arrays = load_file(path)
    model.set_weights([arrays[variable.path.replace("/", ".")] for variable in model.weights])
    return model


def outputs(model: keras.Model, pixels: NDArray[np.uint8]) -> tuple[Array, Array]:
    """Returns logits (n, 10) and digit_logit (n,) of pixels (n, 28, 28), as Keras computes them."""
    logits, digit_logit = model.predict(pixels[..., None].astype(np.float32) / 255, batch_size=CHUNK, verbose=0)
    return logits, digit_logit[:, 0]


def export(model: keras.Model, path: Path) -> None:
    """Writes pixels (n, 28, 28, 1) → logits (n, 10), digit_logit (n,), for any n, into one file."""

    @tf.function(input_signature=[tf.TensorSpec((None, 28, 28, 1), tf.float32, name="pixels")])
    def infer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        logits, digit_logit = model(pixels, training=False)
        return {"logits": logits, "digit_logit": tf.squeeze(digit_logit, axis=1)}

    made, _ = tf2onnx.convert.from_function(infer, input_signature=infer.input_signature, opset=OPSET)
    for end in (*made.graph.input, *made.graph.output):
        end.type.tensor_type.shape.dim[0].dim_param = "n"
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)


def finish(model: keras.Model, pixels: NDArray[np.uint8], folder: Path, name: str) -> int:
    """Writes the native and the ONNX file into `folder` and tells how far apart they are on pixels (n, 28, 28)."""
    save_native(model, folder / f"{name}.safetensors")
    path = folder / f"{name}.onnx"
    export(model, path)
    return parity.told(path, pixels, outputs(model, pixels))


def main() -> int:
    parser = argparse.ArgumentParser(description="Exports cnn to ONNX.")
    parser.add_argument("--native", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    return finish(load_native(arguments.native), parity.pictures(), arguments.folder, arguments.native.stem)


if __name__ == "__main__":
    sys.exit(main())
