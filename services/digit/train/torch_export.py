"""Writes `cnn_transformer` as ONNX, its batch normalisations folded into the convolutions, and compares both.

python -m train.torch_export --native train/native/cnn_transformer.safetensors --folder runs
"""

import argparse
import logging
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from train import parity
from train.torch_model import CnnTransformer

OPSET = 18
CHUNK = 500

Array = NDArray[np.float32]


def save_native(model: CnnTransformer, path: Path) -> None:
    """Writes every weight and batch statistic of the network."""
    save_file({name: tensor.numpy() for name, tensor in model.state_dict().items()}, path)


def load_native(path: Path) -> CnnTransformer:
    """Reads what `save_native` wrote, ready to infer."""
    model = CnnTransformer()
    model.load_state_dict({name: torch.from_numpy(array) for name, array in load_file(path).items()})
    model.eval()
    return model


@torch.no_grad()
def outputs(model: CnnTransformer, pixels: NDArray[np.uint8]) -> tuple[Array, Array]:
    """Returns logits (n, 10) and digit_logit (n,) of pixels (n, 28, 28), as PyTorch computes them."""
    model.eval()
    chunks = (pixels[i : i + CHUNK].astype(np.float32)[:, None] / 255 for i in range(0, len(pixels), CHUNK))
    parts = [model(torch.from_numpy(chunk)) for chunk in chunks]
    return torch.cat([part[0] for part in parts]).numpy(), torch.cat([part[1] for part in parts]).numpy()


def export(model: CnnTransformer, path: Path) -> None:
    """Writes pixels (n, 1, 28, 28) → logits (n, 10), digit_logit (n,), for any n, into one file."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision, which is not used, is missing
    program = torch.onnx.export(
        model.eval(),
        (torch.zeros(2, 1, 28, 28),),
        dynamo=True,
        opset_version=OPSET,
        input_names=["pixels"],
        output_names=["logits", "digit_logit"],
        dynamic_shapes={"pixels": {0: torch.export.Dim("n")}},
        verbose=False,
    )
    assert program is not None
    made = program.model_proto
    for part in (*made.graph.node, *made.graph.input, *made.graph.output, *made.graph.initializer):
        del part.metadata_props[:]  # where in which folder each line of the source stood: no part of a network
        part.doc_string = ""
    del made.graph.value_info[:]
    onnx.checker.check_model(made, full_check=True)
    onnx.save(made, path)


def finish(model: CnnTransformer, pixels: NDArray[np.uint8], folder: Path, name: str) -> int:
    """Writes the native and the ONNX file into `folder` and tells how far apart they are on pixels (n, 28, 28)."""
    save_native(model, folder / f"{name}.safetensors")
    path = folder / f"{name}.onnx"
    export(model, path)
    return parity.told(path, pixels, outputs(model, pixels))


def main() -> int:
    parser = argparse.ArgumentParser(description="Exports cnn_transformer to ONNX.")
    parser.add_argument("--native", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    pictures = parity.pictures()
    return finish(load_native(arguments.native), pictures, arguments.folder, arguments.native.stem)


if __name__ == "__main__":
    sys.exit(main())
