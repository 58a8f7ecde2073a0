"""Reads the labels and scores that a remote model answers; nothing of them is trusted."""

import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec
from servicekit import names

from cars.backends.hub_fate import RemoteError, quoted
from cars.labels import parsed
from cars.problems import BackendAnswerInvalid
from cars.recognition import Candidate, Share

MAX_LABEL_CHARS = 200
ROUNDING = 1e-5  # a softmax in FP16 or FP32 may sum to a little more than 1


class Shares(NamedTuple):
    """What the classes of an answer have in common; the model is one of the make's, so that the two never disagree."""

    make: Share | None
    model: Share | None
    body: Share | None
    year: Share | None


class Entry(msgspec.Struct):
    label: str
    score: float


def candidates(body: bytes) -> tuple[Candidate, ...]:
    """Returns what an answer names, the most certain first; raises RemoteError for one that cannot be used."""
    try:
        entries = msgspec.convert(_list(msgspec.json.decode(body)), list[Entry])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _invalid("it is no list of labels and scores") from None
    if not entries:
        raise _invalid("it names nothing")
    found = [_candidate(entry.label, entry.score) for entry in entries]
    return tuple(sorted(found, key=lambda each: -each.confidence))


def shares(found: Iterable[Candidate]) -> Shares:
    """Sums the confidences of the classes that share a make, a model of that make, a body, a year."""
    classes = list(found)
    make = _largest((each.make, each.confidence) for each in classes)
    return Shares(
        make,
        _largest((each.model, each.confidence) for each in classes if make and each.make == make.value),
        _largest((each.body, each.confidence) for each in classes),
        _largest((each.year, each.confidence) for each in classes),
    )


def _list(answer: Any) -> Any:
    """Returns the list, also where it stands alone in another one, as for a batch of one picture."""
    if isinstance(answer, dict) and "error" in answer:
        raise RemoteError(BackendAnswerInvalid, f"it answered 200 with an error: {quoted(answer['error'])}")
    if isinstance(answer, list) and len(answer) == 1 and isinstance(answer[0], list):
        return answer[0]
    return answer


def _candidate(label: str, score: float) -> Candidate:
    if not 0 <= score <= 1 + ROUNDING:  # NaN is refused too: it compares false
        raise _invalid(f"it has the score {score:g}, expected 0 to 1")
    if not label.strip() or len(label) > MAX_LABEL_CHARS:
        raise _invalid(f"it has a label of {len(label)} characters, expected 1 to {MAX_LABEL_CHARS}")
    clean = names.clean(label)
    return Candidate(clean, *parsed(" ".join(clean.replace("_", " ").split())), min(1.0, score))


def _largest(parts: Iterable[tuple[str | int | None, float]]) -> Share | None:
    sums: dict[str | int, list[float]] = {}
    for value, confidence in parts:
        if value is not None:
            sums.setdefault(value, []).append(confidence)
    totals = {value: math.fsum(each) for value, each in sums.items()}
    best = max(totals, key=totals.__getitem__, default=None)
    return None if best is None else Share(best, min(1.0, totals[best]))


def _invalid(reason: str) -> RemoteError:
    return RemoteError(BackendAnswerInvalid, f"its answer cannot be used, {reason}")
