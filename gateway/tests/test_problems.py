import re
from pathlib import Path

import pytest
from gateway.problems import REFUSALS

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"


@pytest.mark.parametrize("status", REFUSALS)
def test_a_refusal_has_the_status_that_it_is_for_and_is_documented(status: int) -> None:
    problem = REFUSALS[status]()
    assert problem.status == status
    assert re.search(rf"^\| `{problem.slug}` \| {status} \|", DOCUMENT.read_text("utf-8"), re.MULTILINE)


def test_says_when_to_come_again_where_that_helps() -> None:
    assert {status for status, make in REFUSALS.items() if "Retry-After" in (make().headers or {})} == {
        429, 502, 503, 504,
    }  # fmt: skip
