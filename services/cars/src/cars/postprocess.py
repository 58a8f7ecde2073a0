"""From logits to what is answered: calibrated confidences, the five likeliest, and what they have in common.

Make, model, body and year are not answered each for itself: the likeliest make may have no car of the likeliest body.
The make is that with the largest sum over its classes; the model that with the largest sum within this make; the body
and then the year those with the largest sum within this model. So the four always name one car that there is. The
confidence of each is the sum over *all* classes that share it, which is how often it is right.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from cars.labels import Label
from cars.recognition import Candidate, Share

T = TypeVar("T")
Weighed = list[tuple[Label, float]]
Array = NDArray[np.float64]

TOP = 5


class Shares(NamedTuple):
    """What is answered for make, model, body and year; None where no class of the answer tells it."""

    make: Share | None = None
    model: Share | None = None
    body: Share | None = None
    year: Share | None = None


def probabilities(logits: Array, temperature: float = 1.0) -> Array:
    """Returns the softmax of logits (…, classes) divided by the temperature."""
    powers = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)
    result: Array = powers / powers.sum(-1, keepdims=True)
    return result


def likeliest(labels: Sequence[Label], p: Array, most: int = TOP) -> tuple[Candidate, ...]:
    """Returns the likeliest of probabilities (classes,), likeliest first."""
    order = np.argsort(-p, kind="stable")[:most]
    return tuple(_candidate(labels[index], float(p[index])) for index in order.tolist())


def shares(labels: Sequence[Label], p: Array) -> Shares:
    """Returns make, model, body and year of probabilities (classes,), each with the sum over all that share it."""
    weighed: Weighed = list(zip(labels, p.tolist(), strict=True))
    make, of_make = _largest(weighed, lambda label: label.make)
    model, of_model = _largest(of_make, lambda label: label.model)
    body, of_body = _largest(of_model, lambda label: label.body)
    year, _ = _largest(of_body, lambda label: label.year)
    return Shares(
        _share(make, of_make),
        _share(model, of_model),
        _share(body, [each for each in weighed if each[0].body == body]),
        _share(year, [each for each in weighed if each[0].year == year]),
    )


def _largest(weighed: Weighed, of: Callable[[Label], T]) -> tuple[T, Weighed]:
    """Returns the value with the largest sum, the first of equal ones, and the classes that have it."""
    sums: dict[T, float] = {}
    for label, weight in weighed:
        value = of(label)
        sums[value] = sums.get(value, 0.0) + weight
    largest = max(sums, key=sums.__getitem__)
    return largest, [each for each in weighed if of(each[0]) == largest]


def _share(value: str | int | None, weighed: Weighed) -> Share | None:
    return None if value is None else Share(value, min(1.0, sum(weight for _, weight in weighed)))


def _candidate(label: Label, confidence: float) -> Candidate:
    return Candidate(label.name, label.make, label.model, label.body, label.year, confidence)
