"""What came of a load: statuses, failures and latencies, of one connection or of all of them."""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from digit.commands.labels import Accuracy

OK = 200


@dataclass
class Tally:
    """Counts by outcome; `latencies_s` are of the answers with status 200 alone, a fast refusal is no fast answer."""

    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))
    statuses: Counter[int] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)  # requests without a whole answer, by reason
    accuracy: Accuracy = field(default_factory=Accuracy)

    @property
    def sent(self) -> int:
        return self.statuses.total() + self.failures.total()

    @property
    def failed(self) -> int:
        return self.sent - self.statuses[OK]

    def add(self, other: "Tally") -> None:
        self.latencies_s.extend(other.latencies_s)
        self.statuses.update(other.statuses)
        self.failures.update(other.failures)
        self.accuracy.add(other.accuracy)


def lines(tally: Tally, seconds: float, concurrency: int) -> Iterator[str]:
    """Yields the report of a load that took `seconds`."""
    yield f"requests     {tally.sent:,} in {seconds:.1f} s over {concurrency} connections"
    yield f"throughput   {tally.statuses[OK] / seconds:,.1f} answers a second"
    latencies_s = sorted(tally.latencies_s)
    if latencies_s:
        points = ", ".join(f"p{percent} {1000 * percentile(latencies_s, percent):.2f} ms" for percent in (50, 95, 99))
        yield f"latency      {points}, highest {1000 * latencies_s[-1]:.2f} ms"
    yield f"statuses     {_counts(tally.statuses)}"
    if tally.failures:
        yield f"no answer    {_counts(tally.failures)}"
    if tally.accuracy.labelled:
        yield f"accuracy     {tally.accuracy}"


def percentile(ordered: list[float], percent: int) -> float:
    """Returns the smallest of the ordered values that `percent` of them are not above."""
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _counts(counts: Counter[int] | Counter[str]) -> str:
    return ", ".join(f"{what}: {number:,}" for what, number in counts.most_common()) or "none"
