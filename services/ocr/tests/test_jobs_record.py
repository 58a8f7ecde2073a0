from typing import Any

import msgspec
import pytest
from ocr.jobs.record import File, Order, Record
from ocr.options import Options

RECORD = Record("a" * 32, "anonymous", Order(Options()), File("a.pdf", "pdf", 9, "0" * 64), 1_700_000_000_000)


@pytest.mark.parametrize(
    ("changes", "progress"),
    [
        ({}, 0.0),
        ({"numbers": (1, 2, 3, 4)}, 0.0),
        ({"numbers": (1, 2, 3, 4), "pages_done": 3}, 0.75),
        ({"numbers": (1, 2, 3, 4), "pages_done": 4}, 0.99),
        ({"numbers": (1, 2, 3, 4), "pages_done": 4, "status": "succeeded"}, 1.0),
        ({"numbers": (1, 2, 3, 4), "pages_done": 1, "status": "failed"}, 0.25),
        ({"numbers": ()}, 0.0),
    ],
)
def test_only_success_is_all_of_the_way(changes: dict[str, Any], progress: float) -> None:
    assert msgspec.structs.replace(RECORD, **changes).progress == progress


def test_a_record_is_the_same_after_it_was_stored() -> None:
    record = msgspec.structs.replace(RECORD, numbers=(1, 5), error={"status": 422, "detail": "no"}, ended_ms=7)
    assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record


def test_retention_counts_from_the_end() -> None:
    assert RECORD.expires_ms(60) is None
    assert msgspec.structs.replace(RECORD, ended_ms=1000).expires_ms(60.5) == 61_500
