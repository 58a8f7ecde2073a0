"""Statistics: counters that never differ from what a count of all rows would say."""

import random
from typing import Any

from cars.archive import ModelCount, Stats

M3 = "BMW M3 Sedan 2012"


def recount(depot: Any) -> Stats:
    """Counts anew what the records say."""
    items, cursor = depot.list(limit=500)
    assert cursor is None
    depot.ledger.write_blocking(lambda connection: connection.exec_driver_sql("DELETE FROM counters"))

    def fill(connection: Any) -> None:
        from cars.archive import counters
        from cars.archive.schema import files

        for row in connection.execute(files.select()).mappings():
            counters.move(connection, counters.Counts(), counters.counts(row))

    depot.ledger.write_blocking(fill)
    stats: Stats = depot.stats()
    assert stats.files == len(items)
    assert stats.size_bytes == sum(item.size_bytes for item in items)
    assert stats.predictions == sum(len(item.predictions) for item in items)
    assert stats.corrections == sum(item.correction is not None for item in items)
    return stats


def test_an_empty_archive_counts_nothing(depot: Any) -> None:
    stats = depot.stats()
    assert (stats.files, stats.size_bytes, stats.by_make, stats.by_model, stats.by_day) == (0, 0, {}, (), {})
    assert stats.by_status == dict.fromkeys(("pending", "processing", "recognized", "unrecognized", "failed"), 0)
    assert stats.by_confidence == (0,) * 10


def test_counts_by_everything(depot: Any) -> None:
    for number in range(1, 6):
        depot.put(number)
    depot.recognise(1, depot.recognition(depot.candidate(confidence=1.0)))
    depot.recognise(2, depot.recognition(depot.candidate(M3, 0.55)))
    depot.recognise(3, depot.recognition(depot.candidate(M3, 0.5), depot.candidate()))
    depot.recognise(4, depot.recognition(depot.candidate(confidence=0.0), recognized=False))
    depot.correct(5, "Tesla Model S Sedan 2012")
    stats = depot.stats()
    assert (stats.files, stats.size_bytes, stats.predictions, stats.corrections) == (5, 5000, 5, 1)
    assert stats.by_status["recognized"] == 3
    assert stats.by_make == {"BMW": 2, "Tesla": 2}
    assert stats.by_model == (ModelCount("BMW", "M3", 2), ModelCount("Tesla", "Model S", 2))
    assert stats.by_confidence == (1, 0, 0, 0, 0, 2, 0, 0, 0, 1)
    assert stats.by_reason == {"unknown_model": 1}
    assert stats.by_backend == {"local": 4}
    assert stats.by_day == {"2026-01-01": 5}


def test_what_is_deleted_counts_no_more(depot: Any) -> None:
    depot.put(1)
    depot.recognise(1, depot.recognition(depot.candidate()))
    empty = depot.stats()
    depot.delete(1)
    assert depot.stats() != empty
    assert depot.stats().by_make == {}
    assert depot.stats().size_bytes == 0


def test_after_any_history_the_counters_are_those_of_a_recount(depot: Any, clock: Any) -> None:
    chance = random.Random(7)
    labels = ["Tesla Model S Sedan 2012", M3, "Audi TTS Coupe 2012"]
    alive: list[int] = []
    for step in range(120):
        clock.advance(3600)
        if not alive or chance.random() < 0.2:
            alive.append(depot.put(step, size_bytes=chance.randrange(1, 10**6)).id)
            continue
        file_id = chance.choice(alive)
        candidates = [depot.candidate(label, chance.random()) for label in chance.sample(labels, chance.randrange(4))]
        act = chance.randrange(6)
        if act == 0 and len(alive) > 3:
            alive.remove(file_id)
            depot.delete(file_id)
        elif act == 1:
            depot.reset(file_id)
        elif act == 2:
            depot.correct(file_id, chance.choice([None, "any", *labels]))
        elif lease := depot.claim(file_id, force=True):
            if act == 3:
                depot.fail(lease, {"status": 424})
            elif act > 3:
                depot.finish(lease, depot.recognition(*candidates, recognized=bool(candidates) and act == 4))
    assert depot.stats() == recount(depot)
