"""Fits what tells known cars from unknown ones: the memory of the learned crops, and the weights of the measures."""

import numpy as np
from cars.refusal import Memory, Weighing, certainty, unit
from msgspec import structs
from numpy.typing import NDArray

from train.data import Labels
from train.figures import KEPT, Array, Mask, refused

DIMENSIONS = 128
RIDGE = 1e-2  # of the weights, a picture: standardised measures say much the same
STEPS = 50
FOLDS = 10
SEED = 196


def remembered(features: NDArray[np.float32], labels: Labels, dimensions: int = DIMENSIONS) -> Memory:
    """Returns the principal axes of features (m, 1280), and where the crops and the means of their classes lie."""
    rows = unit(features)
    mean = rows.mean(0)
    spread = (rows - mean).T @ (rows - mean)
    _, vectors = np.linalg.eigh(spread.astype(np.float64))
    axes = vectors[:, ::-1][:, :dimensions].astype(np.float32)
    crops = unit((rows - mean) @ axes)
    centres = unit(np.stack([crops[labels == label].mean(0) for label in range(labels.max() + 1)]))
    return Memory(mean, axes, crops, centres)


def fitted(known: dict[str, Array], unknown: dict[str, Array], names: tuple[str, ...]) -> Weighing:
    """Returns a logistic regression of measures on known and unknown cars, both sides weighing the same.

    Newton's method. Its threshold keeps 95 % of the known ones.
    """
    columns = [np.stack([side[name] for name in names], -1) for side in (known, unknown)]
    means, deviations = columns[0].mean(0), columns[0].std(0)
    x = np.concatenate([(each - means) / deviations for each in columns])
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    y = np.repeat([1.0, 0.0], [len(each) for each in columns])
    share = np.repeat([0.5 / len(each) for each in columns], [len(each) for each in columns])
    ridge = RIDGE * np.diag([1.0] * len(names) + [0.0])
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-(x @ weights)))
        gradient = x.T @ (share * (p - y)) + ridge @ weights
        weights -= np.linalg.solve((x * (share * p * (1 - p))[:, None]).T @ x + ridge, gradient)
    rounded = [tuple(round(float(value), 5) for value in each) for each in (means, deviations, weights[:-1])]
    made = Weighing(names, *rounded, round(float(weights[-1]), 5), 0.0)
    return keeping(made, known, np.ones(len(columns[0]), np.bool_))


def keeping(weighing: Weighing, known: dict[str, Array], sure: Mask) -> Weighing:
    """Returns it with the threshold that keeps 95 % of the known cars, counting those that are not sure as lost."""
    scores = np.where(sure, certainty(weighing, known), 0.0)
    return structs.replace(weighing, threshold=round(float(np.quantile(scores, 1 - KEPT)), 5))


def crossed(known: dict[str, Array], unknown: dict[str, Array], names: tuple[str, ...]) -> float:
    """Returns the share of unknown cars refused where 95 % of known ones are kept, each fold judged by the others."""
    folds = [_folds(len(side[names[0]])) for side in (known, unknown)]
    scores = [np.empty(len(fold)) for fold in folds]
    for number in range(FOLDS):
        learned = [_taken(side, fold != number) for side, fold in zip((known, unknown), folds, strict=True)]
        weighing = fitted(learned[0], learned[1], names)
        for side, fold, score in zip((known, unknown), folds, scores, strict=True):
            score[fold == number] = certainty(weighing, _taken(side, fold == number))
    return refused(scores[0], scores[1])


def _folds(count: int) -> Labels:
    return np.random.default_rng(SEED).permutation(count) % FOLDS


def _taken(side: dict[str, Array], rows: Mask) -> dict[str, Array]:
    return {name: values[rows] for name, values in side.items()}
