import math

import pytest
from anomaly.postprocess import severity, status


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.0, "none"),
        (1.0, "none"),
        (1.001, "minor"),
        (2.0, "minor"),
        (2.001, "major"),
        (4.0, "major"),
        (4.001, "critical"),
    ],
)
def test_severity_doubles_from_step_to_step(score: float, expected: str) -> None:
    assert severity(score, 1.0) == expected


def test_a_score_that_is_no_number_is_never_normal() -> None:
    assert status(math.nan, 1.0) == "anomaly"
    assert severity(math.nan, 1.0) == "critical"


def test_a_score_at_the_threshold_is_normal() -> None:
    assert status(1.0, 1.0) == "normal"
    assert status(math.nextafter(1.0, 2.0), 1.0) == "anomaly"
