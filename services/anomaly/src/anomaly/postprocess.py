"""What a score means: status and severity."""

from typing import Literal

Status = Literal["normal", "anomaly"]
Severity = Literal["none", "minor", "major", "critical"]

MINOR, MAJOR = 2.0, 4.0  # multiples of the threshold up to which a score is minor, major


def status(score: float, threshold: float) -> Status:
    """Returns `normal` only for a score that is a number at or below the threshold."""
    return "normal" if score <= threshold else "anomaly"


def severity(score: float, threshold: float) -> Severity:
    """Returns how far a score is over its threshold: `minor` up to twice, `major` up to four times, else `critical`."""
    if score <= threshold:
        return "none"
    if score <= MINOR * threshold:
        return "minor"
    return "major" if score <= MAJOR * threshold else "critical"
