from digit.commands import tally
from digit.commands.tally import Tally


def made(latencies_s: list[float], **failures: int) -> Tally:
    found = Tally()
    for latency_s in latencies_s:
        found.latencies_s.append(latency_s)
        found.statuses[200] += 1
    found.failures.update(failures)
    return found


def test_a_report_tells_throughput_and_percentiles_of_the_answers() -> None:
    found = made([i / 1000 for i in range(1, 101)], timeout=2)
    found.statuses[503] += 3
    assert list(tally.lines(found, 2.0, 16)) == [
        "requests     105 in 2.0 s over 16 connections",
        "throughput   50.0 answers a second",
        "latency      p50 50.00 ms, p95 95.00 ms, p99 99.00 ms, highest 100.00 ms",
        "statuses     200: 100, 503: 3",
        "no answer    timeout: 2",
    ]
    assert (found.sent, found.failed) == (105, 5)


def test_a_report_without_answers_has_no_latency() -> None:
    assert list(tally.lines(made([], timeout=1), 1.0, 1)) == [
        "requests     1 in 1.0 s over 1 connections",
        "throughput   0.0 answers a second",
        "statuses     none",
        "no answer    timeout: 1",
    ]


def test_labels_in_the_names_give_the_accuracy() -> None:
    found = made([0.1])
    found.accuracy.count("a_label_1.png", 1)
    assert list(tally.lines(found, 1.0, 1))[-1] == "accuracy     1 of 1 labelled pictures right (100.00%)"


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert tally.percentile([1.0], 99) == 1.0
    assert tally.percentile([1.0, 2.0], 50) == 1.0
    assert tally.percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert tally.percentile([float(i) for i in range(1, 1001)], 99) == 990.0


def test_tallies_add_up() -> None:
    total = made([0.3], timeout=1)
    total.add(made([0.1], timeout=2))
    assert total.latencies_s.tolist() == [0.3, 0.1]
    assert (total.statuses[200], total.failures["timeout"]) == (2, 3)
