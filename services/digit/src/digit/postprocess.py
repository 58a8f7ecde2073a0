"""From what a network puts out to what is answered: calibrated probabilities, then readings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a model says of n pictures."""

    probabilities: Array  # (n, 10), calibrated, rows sum to 1
    digitness: Array  # (n,) probability that it is a digit at all


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read in one picture."""

    prediction: int  # 0 to 9, the likeliest one even where it is no digit
    confidence: float  # the prediction's probability
    probabilities: list[float]  # of 0 to 9
    is_digit: bool
    model: str
    box: Box  # x, y, width, height of the writing in the upright picture's pixels


def calibrated(logits: NDArray[np.floating], digit_logit: NDArray[np.floating], temperature: float) -> Outputs:
    """Returns the outputs for logits (n, 10) and (n,); the first are divided by the temperature."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    digitness = 0.5 + 0.5 * np.tanh(0.5 * digit_logit.astype(np.float64))  # the sigmoid, which overflows nowhere
    return Outputs(powers / powers.sum(axis=1, keepdims=True), digitness)


def averaged(outputs: Sequence[Outputs], temperature: float) -> Outputs:
    """Returns the mean of several models' outputs, its probabilities calibrated once more."""
    powers = np.mean([output.probabilities for output in outputs], axis=0) ** (1 / temperature)
    return Outputs(
        powers / powers.sum(axis=1, keepdims=True), np.mean([output.digitness for output in outputs], axis=0)
    )


def joined(parts: Sequence[Outputs]) -> Outputs:
    """Returns the outputs of parts as those of the whole."""
    if len(parts) == 1:
        return parts[0]
    return Outputs(
        np.concatenate([np.empty((0, 10)), *(part.probabilities for part in parts)]),
        np.concatenate([np.empty(0), *(part.digitness for part in parts)]),
    )


def readings(outputs: Outputs, boxes: Sequence[Box], model: str, digit_threshold: float) -> list[Reading]:
    """Returns a reading for each picture, from the outputs and the places of the writing."""
    probabilities = outputs.probabilities.tolist()
    are_digits = (outputs.digitness >= digit_threshold).tolist()
    return [_reading(*row, model) for row in zip(probabilities, are_digits, boxes, strict=True)]


def _reading(probabilities: list[float], is_digit: bool, box: Box, model: str) -> Reading:
    confidence = max(probabilities)
    return Reading(probabilities.index(confidence), confidence, probabilities, is_digit, model, box)
