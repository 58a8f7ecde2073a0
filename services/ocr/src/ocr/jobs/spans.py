"""Page numbers as a client writes them."""

from collections.abc import Sequence


def written(numbers: Sequence[int]) -> str:
    """Returns numbers in their order as spans: `1-3,7`."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
