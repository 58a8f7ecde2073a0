"""What the commands print of a calibration: the threshold, the curve, a histogram, and what has to be said."""

from collections.abc import Iterable
from itertools import pairwise

from anomaly.detector import distribution
from anomaly.detector.calibration import Calibration

BAR = 40
MAX_BINS = 20


def threshold(made: Calibration) -> None:
    rate = made.nominal_false_alarm_rate
    promised = f", about {rate:.3g} of normal rows over it" if rate is not None else ""
    parameters = ", ".join(f"{name} {value:g}" for name, value in sorted(made.parameters.items()))
    print(f"threshold    {made.threshold:.6g} by {made.method}{f' ({parameters})' if parameters else ''}{promised}")


def curve(made: Calibration) -> None:
    """Prints thresholds for false-alarm rates, and how the scores are spread, with the threshold marked."""
    if not len(made.scores):
        return
    print("\nfalse alarms  threshold")
    for point in distribution.curve(made.scores):
        print(f"{point['false_alarm_rate']:>12.3%}  {point['threshold']:.6g}")
    found = distribution.histogram(made.scores, MAX_BINS)
    print(f"\nscores of {made.rows} normal rows")
    for (low, high), count in zip(pairwise(found["edges"]), found["counts"], strict=True):
        bar = "#" * round(BAR * count / max(found["counts"]))
        mark = f" < threshold {made.threshold:.4g}" if low <= made.threshold < high else ""
        print(f"{low:>10.4g} {bar}{' ' if bar else ''}{count:g}{mark}")
    if made.threshold >= found["edges"][-1]:
        print(f"{made.threshold:>10.4g} < threshold, over all of them")
    print()


def notes(texts: Iterable[str]) -> None:
    for text in texts:
        print(f"note: {text}")
