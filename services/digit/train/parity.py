"""How far an exported network is from the one that it was exported from."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from servicekit import onnx

from train import strokes
from train.drawings import drawn, prepared_cover

MOST = 1e-4  # the largest difference of a logit
COUNT = 1000
SEED = 3

Array = NDArray[np.float32]


def pictures(count: int = COUNT) -> NDArray[np.uint8]:
    """Returns prepared digits (count, 28, 28) that are drawn here, so that no data is needed to compare."""
    rng = strokes.generator(SEED, "train")
    return np.stack([prepared_cover(drawn(rng, strokes.digit(rng, i % 10, "train"))) for i in range(count)])


def difference(path: Path, pixels: NDArray[np.uint8], native: tuple[Array, Array]) -> float:
    """Returns the largest difference of a logit between ONNX Runtime and the native outputs for pixels (n, 28, 28)."""
    session = onnx.session(path.read_bytes())
    axis = 1 if session.get_inputs()[0].shape[1] == 1 else 3
    feed = {"pixels": np.expand_dims(pixels.astype(np.float32) / 255, axis)}
    exported = session.run(["logits", "digit_logit"], feed)
    return max(float(np.abs(ours - theirs).max()) for ours, theirs in zip(exported, native, strict=True))


def told(path: Path, pixels: NDArray[np.uint8], native: tuple[Array, Array]) -> int:
    """Prints the difference and returns the exit status: 1 where it is over MOST."""
    apart = difference(path, pixels, native)
    print(f"{path.name}: {path.stat().st_size} bytes, at most {apart:.1e} from the native logits")
    return int(apart > MOST)
