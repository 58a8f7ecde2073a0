"""Writes the ONNX files that the service loads, and holds them to the network in PyTorch.

    python -m train.export --weights RUN/ema.pt --output DIR

`cars.onnx`: `pixels` uint8 (n, 224, 224, 3), a region squashed to a square, to `logits` (n, 196), `features` (n, 1280).
`vehicle.onnx`: `pixels` uint8 (n, 224, 224, 3), a whole picture squashed, to `score` (n,), `map` (n, 7, 7).
Normalisation is inside. Weights are stored in FP16 and computed with in FP32: half the size, the same answers.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from train import model, region

OPSET = 18
SIDE = 224
SMALL = 64  # elements: biases and constants stay as they are
MAX_BYTES = 24_000_000
TOLERANCE = 0.02  # of a logit, between the network and its file


class Recogniser(nn.Module):
    """The network as the service asks it."""

    def __init__(self, network: model.Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        features = self.network.features(model.standardised(pixels.permute(0, 3, 1, 2).float()))
        return self.network.cars(features), features


class Gate(nn.Module):
    """The vehicles of ImageNet as the service asks them."""

    def __init__(self) -> None:
        super().__init__()
        self.vehicles = region.Vehicles()

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        score, heat = self.vehicles(pixels.permute(0, 3, 1, 2).float())
        return score, heat


def write(module: nn.Module, outputs: tuple[str, str], path: Path) -> None:
    """Writes one file, and raises ValueError where it answers differently or is too large."""
    module = _fused(module.eval().to(memory_format=torch.contiguous_format))
    example = torch.randint(0, 256, (2, SIDE, SIDE, 3), dtype=torch.uint8)
    program = torch.onnx.export(
        module,
        (example,),
        input_names=["pixels"],
        output_names=list(outputs),
        opset_version=OPSET,
        dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
        dynamo=True,
        verbose=False,
    )
    assert program is not None
    onnx.save_model(plain(halved(program.model_proto)), path)
    _verify(module, path, example)


def halved(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Stores large weights in FP16, each with a cast to FP32 that ONNX Runtime carries out once, while loading."""
    kept, casts = [], []
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALL:
            kept.append(tensor)
            continue
        half = f"{tensor.name}.half"
        kept.append(numpy_helper.from_array(values.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.initializer[:], proto.graph.node[:]
    proto.graph.initializer.extend(kept)
    proto.graph.node.extend(nodes)
    onnx.checker.check_model(proto)
    return proto


def plain(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Takes out what the exporter notes of every node: lines and paths of the code that it came from."""
    graph = proto.graph
    for noted in (proto, graph, *graph.node, *graph.initializer, *graph.input, *graph.output, *graph.value_info):
        noted.ClearField("metadata_props")
        noted.ClearField("doc_string")
    return proto


def _fused(module: nn.Module) -> nn.Module:
    """Folds each norm into the convolution before it."""
    for child in module.modules():
        if isinstance(child, nn.Sequential) and isinstance(child[1], nn.BatchNorm2d):
            child[0], child[1] = fuse_conv_bn_eval(child[0], child[1]), nn.Identity()
    return module


def _verify(module: nn.Module, path: Path, pixels: Tensor) -> None:
    if path.stat().st_size > MAX_BYTES:
        message = f"{path} has {path.stat().st_size} bytes, the limit is {MAX_BYTES}"
        raise ValueError(message)
    with torch.no_grad():
        wanted = module(pixels)[0].numpy()
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    found = np.asarray(session.run(None, {"pixels": pixels.numpy()})[0])
    difference = float(np.abs(found - wanted).max())
    if difference > TOLERANCE:
        message = f"{path} differs from the network by {difference:.4f}, the limit is {TOLERANCE}"
        raise ValueError(message)
    print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB, differs from PyTorch by at most {difference:.5f}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the model and the gate as ONNX.")
    parser.add_argument("--weights", type=Path, required=True, help="a file of averaged weights")
    parser.add_argument("--size", default="lite2", choices=model.SIZES)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    network = model.load(arguments.weights, arguments.size)
    write(Recogniser(network), ("logits", "features"), arguments.output / "cars.onnx")
    write(Gate(), ("score", "map"), arguments.output / "vehicle.onnx")
    return 0


if __name__ == "__main__":
    sys.exit(main())
