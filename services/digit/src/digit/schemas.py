"""Answers, as the documentation describes them."""

from typing import Literal

import msgspec


class Prediction(msgspec.Struct):
    """The digit; the header `X-Is-Digit` is `false` where the picture does not look like one."""

    prediction: int


class DetailedPrediction(msgspec.Struct):
    """The digit, how sure that is, and where it was found: `box` is x, y, width, height in the upright picture."""

    prediction: int
    confidence: float
    probabilities: list[float]
    model: str
    is_digit: bool
    box: tuple[int, int, int, int]


class Predictions(msgspec.Struct):
    """The digits by name; with `on_error=skip` also why others were not read."""

    predictions: dict[str, int]
    errors: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class DetailedPredictions(msgspec.Struct):
    """The same with `detail=true`."""

    predictions: dict[str, DetailedPrediction]
    errors: dict[str, str] | msgspec.UnsetType = msgspec.UNSET


class NumberDigit(msgspec.Struct):
    """One digit of a number; `bbox` is x, y, width, height in the upright picture."""

    prediction: int
    confidence: float
    bbox: tuple[int, int, int, int]


class Number(msgspec.Struct):
    """A written number, its digits from left to right."""

    text: str
    digits: list[NumberDigit]
    model: str


class DetailedNumberDigit(NumberDigit):
    """The same with the probabilities of 0 to 9, and whether it looks like a digit at all."""

    probabilities: list[float]
    is_digit: bool


class DetailedNumber(msgspec.Struct):
    """The same with `detail=true`; `left_out` tells where marks were seen that are no digits of the number."""

    text: str
    digits: list[DetailedNumberDigit]
    model: str
    left_out: list[tuple[int, int, int, int]]


class ModelItem(msgspec.Struct):
    """A model, and its measured accuracy by the name of a set of pictures; an ensemble's sha256 is of its members'."""

    name: str
    default: bool
    framework: str
    parameters: int
    size_bytes: int
    sha256: str
    accuracy: dict[str, float]
    input: Literal["28x28 grey"] = "28x28 grey"


class ModelList(msgspec.Struct):
    """The models."""

    items: list[ModelItem]
    next_cursor: None = None
