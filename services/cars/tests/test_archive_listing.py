"""Lists: newest first, stable while files come and go, by any filter, and fast because indexes answer them."""

import asyncio
import itertools
from typing import Any

import pytest
import sqlalchemy as sa
from cars.archive import Filters
from cars.archive.schema import files
from servicekit.problems import InvalidInput

M3 = "BMW M3 Sedan 2012"
DAY_MS = 86_400_000


@pytest.fixture
def garage(depot: Any, clock: Any) -> Any:
    """Six files, a day apart: Tesla .9, BMW .6, unrecognised .2, failed, processing, pending."""
    depot.start_ms = clock()
    for number in range(1, 7):
        depot.put(number, filename=f"Straße-{number}_50%.jpg")
        clock.advance(DAY_MS / 1000)
    depot.recognise(1, depot.recognition(depot.candidate()))
    depot.recognise(2, depot.recognition(depot.candidate(M3, 0.6)))
    depot.recognise(3, depot.recognition(depot.candidate(M3, 0.2), recognized=False))
    depot.fail(depot.claim(4), {"status": 424})
    depot.claim(5)
    return depot


def test_newest_first_in_pages(depot: Any) -> None:
    for number in range(1, 8):
        depot.put(number)
    pages, cursor = [], None
    while True:
        items, cursor = depot.list(limit=3, cursor=cursor)
        pages.append([item.id for item in items])
        if cursor is None:
            break
    assert pages == [[7, 6, 5], [4, 3, 2], [1]]


def test_a_list_that_is_read_on_repeats_and_misses_nothing_while_files_come_and_go(depot: Any) -> None:
    for number in range(1, 7):
        depot.put(number)
    first, cursor = depot.list(limit=2)
    depot.put(100)
    depot.delete(5)  # where the next page goes on
    depot.delete(3)
    second, cursor = depot.list(limit=2, cursor=cursor)
    third, last = depot.list(limit=2, cursor=cursor)
    assert [item.id for item in itertools.chain(first, second, third)] == [6, 5, 4, 2, 1]
    assert last is None


@pytest.mark.parametrize("cursor", ["", "17", "é", "YjE3=", "b17\0"])
def test_refuses_a_cursor_that_no_list_gave(depot: Any, cursor: str) -> None:
    with pytest.raises(InvalidInput, match="the cursor"):
        depot.list(cursor=cursor)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"status": "pending"}, [6]),
        ({"status": "processing"}, [5]),
        ({"status": "failed"}, [4]),
        ({"status": "unrecognized"}, [3]),
        ({"make": "BMW"}, [2]),  # not the unrecognised one, of which nobody knows the make
        ({"make": "bmw"}, []),
        ({"model": "Model S"}, [1]),
        ({"make": "BMW", "model": "Model S"}, []),
        ({"make": "\0\udc80"}, []),
        ({"confidence_min": 0.6}, [2, 1]),
        ({"confidence_max": 0.6}, [3, 2]),
        ({"confidence_min": 0.3, "confidence_max": 0.7, "status": "recognized"}, [2]),
        ({"q": "STRASSE-4"}, [4]),
        ({"q": "straße-4"}, [4]),
        ({"q": "tesla model"}, [1]),
        ({"q": "M3 sedan"}, [2]),
        ({"q": "_50%.JPG"}, [6, 5, 4, 3, 2, 1]),
        ({"q": "%"}, [6, 5, 4, 3, 2, 1]),
        ({"q": "4%50"}, []),
        ({"q": "4_50/"}, []),
        ({"q": "'; DROP TABLE files --\0"}, []),
        ({"q": "x" * 10_000}, []),
    ],
)
def test_filters(garage: Any, filters: dict[str, Any], expected: list[int]) -> None:
    assert garage.ids(**filters) == expected


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        (1, 3, [3, 2]),
        (5, None, [6]),
        (None, 1, [1]),
        (-(10**30), 10**30, [6, 5, 4, 3, 2, 1]),
        (10**30, None, []),
    ],
)
def test_filters_by_day_of_upload(garage: Any, first: int | None, end: int | None, expected: list[int]) -> None:
    def moment(day: int | None) -> int | None:
        return None if day is None else garage.start_ms + day * DAY_MS

    assert garage.ids(uploaded_from_ms=moment(first), uploaded_to_ms=moment(end)) == expected


def test_each_yields_all_however_many(depot: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cars.archive.archive.EACH", 2)
    for number in range(1, 6):
        depot.put(number)

    async def collect() -> list[int]:
        return [record.id async for record in depot.archive.each(Filters(status="pending"))]

    assert asyncio.run(collect()) == [5, 4, 3, 2, 1]


def test_the_longest_texts_fit_into_the_indexes(depot: Any) -> None:
    wide = [chr(0x20000 + number) for number in range(255)]  # of four bytes each, and hard to compress
    depot.put(1, filename="".join(wide))
    text = "".join(reversed(wide))
    candidate = depot.candidate(text)
    record = depot.recognise(1, depot.recognition(candidate))
    assert (len(record.filename), len(record.predictions[0].label)) == (255, 200)
    assert depot.ids(make=record.predictions[0].make) == [1]
    assert depot.ids(q="".join(wide[:200])) == [1]


@pytest.mark.parametrize(
    ("where", "index"),
    [
        (files.c.status == "recognized", "ix_files_status"),
        (files.c.shown_make == "BMW", "ix_files_shown_make"),
        (files.c.shown_model == "M3", "ix_files_shown_model"),
        (files.c.confidence > 0.5, "ix_files_numbers"),
        (files.c.uploaded_ms < 5, "ix_files_numbers"),
        (files.c.search.contains("x"), "ix_files_search"),
        ((files.c.status == "recognized") & files.c.search.contains("x"), "ix_files_status"),
        ((files.c.status == "recognized") & (files.c.confidence > 0.5), "ix_files_status"),
    ],
)
def test_an_index_alone_finds_a_page(sqlite_url: str, where: Any, index: str) -> None:
    query = sa.select(files.c.id).where(where).order_by(files.c.id.desc()).limit(50)
    engine = sa.create_engine(sqlite_url)
    text = str(query.compile(engine, compile_kwargs={"literal_binds": True}))
    with engine.connect() as connection:
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}".replace("%", "%%"))]
    engine.dispose()
    assert len(plan) == 1  # nothing is sorted
    assert f"COVERING INDEX {index}" in plan[0]
