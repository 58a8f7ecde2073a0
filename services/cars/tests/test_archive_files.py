"""Rows of files: ids once and for ever, duplicates, hostile numbers, corrections."""

import asyncio
from typing import Any

import pytest
import sqlalchemy as sa
from cars.archive import FileRecord
from cars.archive.archive import ADD_MS
from cars.problems import UnknownFile
from servicekit.database.problems import StorageUnavailable
from servicekit.problems import InvalidInput

HOSTILE = [0, -1, 2, -(2**63), 2**63 - 1, 2**63, 2**64, 10**30]


def test_the_first_upload_has_the_id_1_and_tells_what_it_was_given(depot: Any) -> None:
    record, duplicate = depot.add(depot.picture(1, filename="red.jpg", width=4032, height=3024))
    assert (record.id, duplicate, record.status) == (1, False, "pending")
    assert (record.filename, record.width, record.height, record.size_bytes) == ("red.jpg", 4032, 3024, 1000)
    assert record.uploaded_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert (record.predictions, record.recognized, record.error, record.correction) == ((), None, None, None)
    assert depot.get(1) == record


def test_the_same_bytes_are_the_same_file(depot: Any) -> None:
    first = depot.put(1)
    second, duplicate = depot.add(depot.picture(1, filename="again.jpg", key="originals/other.jpg"))
    assert duplicate
    assert second == first
    assert depot.find(first.sha256) == first
    assert depot.find("0" * 64) is None


def test_two_uploads_of_one_picture_at_once_give_one_row(depot: Any) -> None:
    async def both() -> list[tuple[FileRecord, bool]]:
        adding = (depot.archive.add(depot.picture(1, key=f"originals/{number}.jpg")) for number in range(20))
        return await asyncio.gather(*adding)

    answers = asyncio.run(both())
    assert {record.id for record, _ in answers} == {1}
    assert sorted(duplicate for _, duplicate in answers) == [False] + [True] * 19


def test_an_id_is_never_given_twice(depot: Any) -> None:
    depot.put(1)
    second = depot.put(2)
    assert depot.delete(2) == second.key
    assert depot.put(2).id == 3
    for file_id in (1, 3):
        depot.delete(file_id)
    assert depot.put(1).id == 4


@pytest.mark.parametrize("file_id", HOSTILE)
def test_an_unknown_id_is_said_to_be_unknown(depot: Any, file_id: int) -> None:
    depot.put(1)
    for call in (depot.get, depot.delete, depot.reset, depot.claim):
        with pytest.raises(UnknownFile):
            call(file_id)
    with pytest.raises(UnknownFile):
        depot.correct(file_id, "BMW M3 Coupe 2012")
    assert depot.ids() == [1]


def test_a_deleted_file_is_gone_with_all_its_rows(depot: Any) -> None:
    depot.put(1)
    depot.recognise(1, depot.recognition(depot.candidate()))
    depot.correct(1, "BMW M3 Coupe 2012")
    depot.delete(1)
    with pytest.raises(UnknownFile):
        depot.get(1)
    with pytest.raises(UnknownFile):
        depot.delete(1)
    left = "SELECT (SELECT count(*) FROM predictions) + (SELECT count(*) FROM corrections)"
    assert depot.store.read_blocking(lambda connection: connection.scalar(sa.text(left))) == 0


def test_the_picture_of_a_deleted_row_stands_to_be_removed_until_it_is(depot: Any) -> None:
    depot.put(1)
    key = depot.delete(1)
    assert depot.removals(10) == [key]
    assert depot.known_keys([key, "originals/never.jpg"]) == {key}
    depot.forget([key])
    assert depot.removals(10) == []
    assert depot.known_keys([key]) == set()


def test_a_name_of_any_kind_is_kept_as_text_that_can_be_shown(depot: Any) -> None:
    record = depot.put(1, filename="a\0b\udc80\u202e=cmd<script>" + "x" * 5000)
    assert record.filename.startswith("a\N{REPLACEMENT CHARACTER}b")
    assert "=cmd<script>" in record.filename
    assert len(record.filename) <= 255
    assert depot.ids(q="=CMD<SCRIPT>") == [1]


def test_a_row_that_waited_too_long_is_refused_because_its_picture_may_be_swept(depot: Any, clock: Any) -> None:
    async def scenario() -> None:
        depot.ledger.stop()
        waiting = depot.ledger.write(lambda _: clock.advance(ADD_MS / 1000 + 1))
        depot.ledger.start()
        await asyncio.gather(waiting, depot.archive.add(depot.picture(1)))

    with pytest.raises(StorageUnavailable, match="nothing was stored"):
        asyncio.run(scenario())
    assert depot.ids() == []


def test_a_correction_is_kept_beside_the_predictions(depot: Any, clock: Any) -> None:
    depot.put(1)
    depot.recognise(1, depot.recognition(depot.candidate()))
    clock.advance(60)
    record = depot.correct(1, " BMW M3 Coupe 2012 ")
    assert [candidate.label for candidate in record.predictions] == ["Tesla Model S Sedan 2012"]
    correction = record.correction
    assert (correction.label, correction.make, correction.model) == ("BMW M3 Coupe 2012", "BMW", "M3")
    assert (correction.body, correction.year) == ("Coupe", 2012)
    assert correction.corrected_at.isoformat() == "2026-01-01T00:01:00+00:00"
    assert depot.ids(make="BMW") == [1]
    assert depot.ids(make="Tesla") == []
    assert depot.correct(1, None).correction is None
    assert depot.ids(make="Tesla") == [1]


def test_a_correction_may_be_any_text_and_may_be_replaced(depot: Any) -> None:
    depot.put(1)
    depot.correct(1, "BMW M3 Coupe 2012")
    record = depot.correct(1, "Grandpa's tractor\0")
    assert record.correction.label == "Grandpa's tractor\N{REPLACEMENT CHARACTER}"
    assert record.correction.make is None
    assert depot.stats().corrections == 1


@pytest.mark.parametrize("label", ["", "  ", "x" * 129])
def test_refuses_a_correction_without_or_with_too_much_text(depot: Any, label: str) -> None:
    depot.put(1)
    with pytest.raises(InvalidInput, match="expected 1 to 128"):
        depot.correct(1, label)


def test_a_correction_survives_a_reprocess(depot: Any) -> None:
    depot.put(1)
    depot.recognise(1, depot.recognition(depot.candidate()))
    depot.correct(1, "BMW M3 Coupe 2012")
    record = depot.reset(1)
    assert (record.status, record.predictions) == ("pending", ())
    assert record.correction is not None
    assert depot.ids(make="BMW") == [1]
