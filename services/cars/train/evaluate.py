"""Measures a checkpoint on the crops held back, while the training goes on; train.report measures what is shipped.

python -m train.evaluate --work WORK --weights RUN/ema.pt [--flip]
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch

from train import data, model
from train.figures import Array, figures, temperature

BATCH = 64


@torch.no_grad()
def logits(network: model.Network, pixels: data.Pixels, rows: data.Labels, side: int, flip: bool = False) -> Array:
    """Returns (n, 196) for rows of pixels (…, 224, 224, 3); with `flip`, the mean of both ways round."""
    network.eval()
    found: list[Array] = []
    for part in np.array_split(rows, max(1, len(rows) // BATCH)):
        x = torch.from_numpy(pixels[part]).permute(0, 3, 1, 2).float()
        x = model.resized(model.standardised(x), side).contiguous(memory_format=torch.channels_last)
        answer = network(x)
        if flip:
            answer = (answer + network(x.flip(3))) / 2
        found.append(answer.double().numpy())
    return np.concatenate(found)


def main() -> int:
    parser = argparse.ArgumentParser(description="Measures a checkpoint on the crops held back.")
    parser.add_argument("--work", type=Path, required=True, help="the arrays that train.data wrote")
    parser.add_argument("--weights", type=Path, required=True, help="a file of averaged weights")
    parser.add_argument("--size", default="lite2", choices=model.SIZES)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--flip", action="store_true", help="the mean of the picture and its mirror image")
    arguments = parser.parse_args()
    groups, train = data.names(arguments.work).groups, data.load(arguments.work, "train")
    _, held = data.divide(arguments.work)
    network = model.load(arguments.weights, arguments.size)
    judged, labels = logits(network, train.pixels, held, arguments.side, arguments.flip), train.labels[held]
    divisor = temperature(judged, labels)
    print(f"held back, {len(labels)} crops at {arguments.side} px{', both ways round' if arguments.flip else ''}")
    print(f"  as they are               {figures(judged, labels, groups)}")
    print(f"  at temperature {divisor:.3f}      {figures(judged, labels, groups, divisor)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
