"""Encoded pictures through the service's own path: decoded, bounded and prepared as /predict does it."""

from collections.abc import Iterable

import numpy as np
from digit import preprocess
from numpy.typing import NDArray
from servicekit import images

from train.evaluation_sets import Sample

LIMITS = images.Limits(formats=("PNG", "JPEG"), max_pixels=25_000_000)


def prepared(samples: Iterable[Sample]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Returns the pictures (n, 28, 28) as the networks get them and their labels (n,); one without ink is black."""
    pixels, labels = [], []
    for sample in samples:
        picture = images.decode(sample.data, LIMITS, bound=preprocess.BOUND)
        pixels.append(preprocess.prepare(picture).pixels)
        labels.append(sample.label)
    return np.stack(pixels), np.array(labels, np.int64)
