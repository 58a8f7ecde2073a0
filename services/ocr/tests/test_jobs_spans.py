import pytest
from ocr.jobs.spans import written


@pytest.mark.parametrize(
    ("numbers", "text"),
    [((), ""), ((4,), "4"), ((1, 2, 3), "1-3"), ((1, 2, 3, 7, 9, 10), "1-3,7,9-10"), ((5, 2, 3), "5,2-3")],
)
def test_numbers_are_written_as_spans_in_their_order(numbers: tuple[int, ...], text: str) -> None:
    assert written(numbers) == text
