"""Which threshold: from the scores of held-back normal rows, in the order of time, by a method that says its promise.

`percentile`: the split-conformal order statistic (see `distribution`). `false_alarm_rate`:
corrected for autocorrelation by blocks (see `blocks`). `extreme_value`: a fitted tail (see `extremes`), which alone
reaches rates that the rows are too few to count. Each is multiplied by a margin. `automatic` chooses, and says why.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anomaly.detector import blocks, distribution, extremes

Array = NDArray[np.float64]
Found = Literal["percentile", "false_alarm_rate", "extreme_value", "manual"]
Method = Literal["automatic"] | Found
METHODS: tuple[Method, ...] = ("automatic", "percentile", "false_alarm_rate", "extreme_value")

DEFAULT_RATE = 0.01
PERCENTILES, MARGINS, RATES = (95.0, 99.9), (0.1, 10.0), (1e-6, 0.2)
# More scores than these would make a model file large and tell nothing new; the newest are kept.
MAX_SCORES = 50_000
MIN_SCORES = 5
# Of a threshold extrapolated from a short recording. On SKAB, 400 rows each, 0.2 to 0.4 made little difference.
SHORT_ALLOWANCE = 0.3
FEW_MARGIN = 1.5  # times the largest score, where there are too few for any method
# A threshold of 0 would call every rounding error an anomaly.
LEAST_THRESHOLD, MOST_THRESHOLD = 1e-6, 1e12
SIGNIFICANT = 0.01
NOTED_DRIFT = 1.2  # ratio of the medians of both halves; less is no matter, however sure it is


class CalibrationError(ValueError):
    """A threshold cannot be found like this; the text says what was wrong and what is accepted."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores (n,) of held-back rows in time order, and the threshold chosen from them.

    `rows` counts the held-back scores before MAX_SCORES cut them; `block` is how many successive ones count as one.
    """

    scores: Array
    rows: int
    block: int
    threshold: float
    method: Found
    parameters: Mapping[str, float]
    nominal_false_alarm_rate: float | None
    notes: tuple[str, ...]

    @property
    def n_blocks(self) -> int:
        return len(self.scores) // self.block

    @property
    def mean(self) -> float:
        return float(self.scores.mean()) if len(self.scores) else 0.0

    @property
    def std(self) -> float:
        return float(self.scores.std()) if len(self.scores) else 0.0

    def document(self) -> dict[str, Any]:
        """Returns everything as JSON: the threshold and how it came about, the curve and the histogram."""
        return {
            "threshold": self.threshold,
            "method": self.method,
            "parameters": dict(sorted(self.parameters.items())),
            "nominal_false_alarm_rate": self.nominal_false_alarm_rate,
            "rows": self.rows,
            "independent_blocks": self.n_blocks,
            "block_rows": self.block,
            "notes": list(self.notes),
            "curve": distribution.curve(self.scores),
            "histogram": distribution.histogram(self.scores),
        }


def calibrate(
    scores: Array,
    method: Method = "automatic",
    parameters: Mapping[str, float] | None = None,
    *,
    window: int = 1,
    notes: tuple[str, ...] = (),
) -> Calibration:
    """Finds a threshold from scores of held-back normal rows (n,) in time order; `window` is the model's.

    Raises CalibrationError for under 5 scores, for numbers that are not finite, and for parameters out of range.
    """
    if len(scores) < MIN_SCORES:
        raise CalibrationError(f"{len(scores)} scores are too few for a threshold, at least {MIN_SCORES} are needed")
    if not np.isfinite(scores).all():
        raise CalibrationError("scores must be finite numbers")
    kept = scores[-MAX_SCORES:].astype(np.float32).astype(np.float64)  # as the model file holds them
    block = blocks.block_length(kept, window)
    bare = Calibration(kept, len(scores), block, LEAST_THRESHOLD, "manual", {}, None, ())
    return decide(bare, method, parameters, notes=(*notes, *_observations(bare)))


def check(method: Method, parameters: Mapping[str, float]) -> None:
    """Raises CalibrationError for a method or parameters that `decide` would refuse."""
    _checked(method, parameters)


def decide(
    calibration: Calibration,
    method: Method,
    parameters: Mapping[str, float] | None = None,
    *,
    notes: tuple[str, ...] | None = None,
) -> Calibration:
    """Returns the calibration with the threshold that `method` finds from the same scores; raises CalibrationError."""
    checked = _checked(method, parameters or {})
    if not len(calibration.scores):
        raise CalibrationError("the model has no scores of held-back rows: recalibrate it, or set a threshold")
    kept = _observations(calibration) if notes is None else notes
    if method != "automatic":
        chosen: Found = method
    else:
        chosen, reason = _choose(calibration, checked["rate"])
        kept = (*kept, reason)
        checked["margin"] = _allowance(calibration, checked["rate"])
    value, found = _FINDERS[chosen](calibration, checked)
    value = min(max(value * checked["margin"], LEAST_THRESHOLD), MOST_THRESHOLD)
    nominal = checked.get("rate", 1 - checked.get("percentile", 100.0) / 100)
    if method != "automatic" and checked["margin"] != 1.0:
        nominal = distribution.exceedance(calibration.scores, value)
    return replace(
        calibration,
        threshold=value,
        method=chosen,
        parameters=checked,
        nominal_false_alarm_rate=nominal,
        notes=(*kept, *found),
    )


def with_manual(calibration: Calibration, value: float) -> Calibration:
    """Returns the calibration with a threshold that somebody chose; raises CalibrationError for an impossible one."""
    if not LEAST_THRESHOLD <= value <= MOST_THRESHOLD:
        raise CalibrationError(
            f"the threshold is {value!r}, it must be between {LEAST_THRESHOLD:g} and {MOST_THRESHOLD:g}"
        )
    known = len(calibration.scores) > 0
    return replace(
        calibration,
        threshold=float(value),
        method="manual",
        parameters={},
        nominal_false_alarm_rate=distribution.exceedance(calibration.scores, value) if known else None,
        notes=_observations(calibration) if known else calibration.notes,
    )


def _checked(method: Method, given: Mapping[str, float]) -> dict[str, float]:
    """Returns the parameters with defaults; raises CalibrationError for one that is unknown or out of range."""
    if method not in METHODS:
        raise CalibrationError(f"there is no method {method!r:.64}, there are {', '.join(METHODS)}")
    defaults = {"percentile": 99.0} if method == "percentile" else {"rate": DEFAULT_RATE}
    if method != "automatic":
        defaults["margin"] = 1.0
    ranges = {"percentile": PERCENTILES, "margin": MARGINS, "rate": RATES}
    for name, value in given.items():
        if name not in defaults:
            raise CalibrationError(f"the method {method} takes {' and '.join(defaults)}, not {name!r:.64}")
        low, high = ranges[name]
        if not low <= value <= high:
            raise CalibrationError(f"{name} is {value!r}, it must be between {low} and {high}")
    return {**defaults, **{name: float(value) for name, value in given.items()}}


def _choose(calibration: Calibration, rate: float) -> tuple[Found, str]:
    """Returns the method that the rows support, and why."""
    needed, n_blocks = blocks.blocks_needed(rate), calibration.n_blocks
    held = f"{len(calibration.scores)} held-back rows make {n_blocks} independent blocks of {calibration.block}"
    if n_blocks >= needed:
        return "false_alarm_rate", f"Chosen automatically: {held}, enough to count a false-alarm rate of {rate:.3g}."
    return "extreme_value", (
        f"Chosen automatically: {held}; counting a false-alarm rate of {rate:.3g} takes {needed} blocks, about "
        f"{needed * calibration.block} held-back rows, so the tail of the scores is extrapolated and "
        f"{_allowance(calibration, rate) - 1:.0%} is added, because so short a recording does not show "
        "how the machine changes."
    )


def _allowance(calibration: Calibration, rate: float) -> float:
    """Returns by what `automatic` multiplies an extrapolated threshold: 1 where the blocks suffice, else more."""
    return 1 + SHORT_ALLOWANCE * max(0.0, 1 - calibration.n_blocks / blocks.blocks_needed(rate))


def _percentile(calibration: Calibration, parameters: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    probability, n = parameters["percentile"] / 100, len(calibration.scores)
    value = distribution.conformal_quantile(calibration.scores, probability)
    if math.ceil((n + 1) * probability - 1e-9) <= n:
        return value, ()
    needed = math.ceil(probability / (1 - probability) - 1e-9)
    note = (
        f"The {parameters['percentile']:g}th percentile takes {needed} held-back rows, there are {n}: the largest "
        "score was taken, which promises less."
    )
    return value, (note,)


def _false_alarm_rate(calibration: Calibration, parameters: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    rate = parameters["rate"]
    value = blocks.controlled_threshold(calibration.scores, calibration.block, rate)
    if value is not None:
        burst = 1 / blocks.extremal_index(calibration.scores, value)
        return value, ((f"False alarms come in bursts of about {burst:.1f} rows.",) if burst >= 2 else ())
    note = (
        f"A false-alarm rate of {rate:.3g} takes {blocks.blocks_needed(rate)} independent blocks of "
        f"{calibration.block} rows, there are {calibration.n_blocks}: the largest score was taken, which promises a "
        f"rate of about {1 / (calibration.n_blocks + 1):.2g}. The method extreme_value can extrapolate."
    )
    return float(calibration.scores.max()), (note,)


def _extreme_value(calibration: Calibration, parameters: Mapping[str, float]) -> tuple[float, tuple[str, ...]]:
    tail = extremes.fit(calibration.scores)
    if tail is None:
        note = (
            f"{len(calibration.scores)} held-back rows are too few to fit a tail: {FEW_MARGIN:g} times the largest "
            "score was taken, and no rate can be promised."
        )
        return float(calibration.scores.max()) * FEW_MARGIN, (note,)
    if parameters["rate"] >= tail.share:
        return distribution.conformal_quantile(calibration.scores, 1 - parameters["rate"]), ()
    fitted = f"The tail is fitted to {tail.excesses} scores over {tail.level:.4g} in about {tail.bursts:.0f} bursts"
    weak = ", too few to lean on" if tail.bursts < 2 * extremes.PRIOR_EXCESSES else ""
    return tail.quantile(parameters["rate"]), (f"{fitted}{weak}; its shape is {tail.shape:.2f}.",)


_FINDERS = {
    "percentile": _percentile,
    "false_alarm_rate": _false_alarm_rate,
    "extreme_value": _extreme_value,
}


def _observations(calibration: Calibration) -> tuple[str, ...]:
    """Returns what the scores themselves say against the promise: drift, too few independent blocks."""
    found: list[str] = []
    scores, n = calibration.scores, len(calibration.scores)
    if not n:
        return ()
    chance = blocks.halves_differ(scores)
    earlier, later = float(np.median(scores[: n // 2])), float(np.median(scores[n // 2 :]))
    if chance < SIGNIFICANT and not 1 / NOTED_DRIFT < later / max(earlier, LEAST_THRESHOLD) < NOTED_DRIFT:
        found.append(
            f"The held-back rows drift: the median score goes from {earlier:.4g} in their earlier half to {later:.4g} "
            f"in the later (p = {chance:.1g}); expect {'more' if later > earlier else 'fewer'} false alarms than "
            "stated."
        )
    if calibration.n_blocks < 20:
        found.append(
            f"Successive scores are alike: {n} held-back rows tell as much as about {calibration.n_blocks} independent "
            f"ones, so every rate here is a guess, which later rows may miss by far."
        )
    return tuple(found)
