"""Of reports/columns, csv and xlsx: the same rows twice."""

import asyncio
import csv
import io
import tracemalloc
import zipfile
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from cars.archive import Correction, FileRecord
from cars.recognition import Box, Candidate, Share
from cars.reports import csv as csv_report
from cars.reports import xlsx
from cars.reports.columns import COLUMNS, NAMES
from servicekit.problems import UploadStorageFull

WHEN = datetime(2026, 3, 14, 9, 26, 53, 589_000, UTC)
CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}c"
FILE = FileRecord(
    id=1,
    filename="car.jpg",
    sha256="1" * 64,
    key="key",
    size_bytes=1000,
    width=640,
    height=480,
    content_type="image/jpeg",
    uploaded_at=WHEN,
    status="unrecognized",
    error=None,
    recognized_at=WHEN,
    recognized=False,
    reason="low_confidence",
    backend="local",
    model_name="lineside-cars",
    model_version="1",
    region=Box(1, 2, 300, 200),
    make=Share("Tesla", 0.61239),
    model=Share("Model S", 0.5),
    body=None,
    year=Share(2012, 0.4),
    predictions=(
        Candidate("Tesla Model S Sedan 2012", "Tesla", "Model S", "Sedan", 2012, 0.4),
        Candidate("Audi R8 Coupe 2012", "Audi", "R8", "Coupe", 2012, 0.3),
    ),
    correction=Correction("Skoda Fabia 2010", "Skoda", "Fabia", None, 2010, WHEN),
)


async def files(*records: FileRecord) -> AsyncIterator[FileRecord]:
    for record in records:
        yield record


def table(*records: FileRecord) -> list[dict[str, str]]:
    async def read() -> bytes:
        return b"".join([piece async for piece in csv_report.pieces(files(*records))])

    return list(csv.DictReader(io.StringIO(asyncio.run(read()).decode(), newline="")))


def book(*records: FileRecord) -> zipfile.ZipFile:
    async def read() -> bytes:
        with await xlsx.workbook(files(*records)) as file:
            return file.read()

    return zipfile.ZipFile(io.BytesIO(asyncio.run(read())))


def cells(row: ET.Element) -> list[tuple[str | None, str]]:
    """Returns type and text of each cell."""
    return [(cell.attrib.get("t"), "".join(cell.itertext())) for cell in row.iter(CELL)]


def test_every_column_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert all(column.about for column in COLUMNS)


def test_a_row_has_all_that_is_known() -> None:
    (row,) = table(FILE)
    assert (row["label"], row["label_2"], row["label_3"]) == ("Tesla Model S Sedan 2012", "Audi R8 Coupe 2012", "")
    assert (row["make"], row["make_confidence"], row["body"], row["year"]) == ("Tesla", "0.6124", "", "2012")
    assert (row["correction"], row["reason"], row["recognized"]) == ("Skoda Fabia 2010", "low_confidence", "false")
    assert [row[f"region_{name}"] for name in ("x", "y", "width", "height")] == ["1", "2", "300", "200"]
    assert row["uploaded_at"] == "2026-03-14T09:26:53.589Z"


def test_why_a_file_failed_stands_in_its_row() -> None:
    (row,) = table(replace(FILE, status="failed", error={"title": "Too slow", "detail": "it took 30 s"}))
    assert row["error"] == "it took 30 s"


@pytest.mark.parametrize("name", ['a,b"c', "line\nbreak", "=1+1", "\u202egpj.exe", "машина.jpg", "\ud800"])
def test_any_name_is_one_cell_that_nothing_computes(name: str) -> None:
    (row,) = table(replace(FILE, filename=name))
    expected = f"'{name}" if name.startswith("=") else name
    assert row["filename"] == expected.encode("utf-8", "replace").decode()
    assert row["sha256"] == "1" * 64


def test_text_is_text_in_the_workbook_and_numbers_are_numbers() -> None:
    with book(replace(FILE, filename="=1+1", recognized=True)) as opened:
        sheet = ET.fromstring(opened.read("xl/worksheets/sheet1.xml"))
    head, row = (cells(row) for row in sheet.iter(CELL[:-1] + "row"))
    assert [text for _, text in head] == list(NAMES)
    assert row[:2] == [(None, "1"), ("inlineStr", "=1+1")]
    assert ("b", "1") in row
    assert ("inlineStr", "1" * 64) in row


def test_a_sheet_that_is_full_is_followed_by_another(tmp_path: Path) -> None:
    table = xlsx._Table(tmp_path / "cars.xlsx", sheet_rows=3)
    table.add([[number] for number in range(5)])
    table.save()
    with zipfile.ZipFile(tmp_path / "cars.xlsx") as opened:
        sheets = [name for name in opened.namelist() if name.startswith("xl/worksheets/")]
        assert len(sheets) == 3
        assert opened.read(sheets[-1]).count(b"<row ") == 2


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_table: object, _rows: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(xlsx._Table, "add", full)
    with pytest.raises(UploadStorageFull):
        book(FILE)
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_number_of_files() -> None:
    async def many(number: int) -> AsyncIterator[FileRecord]:
        for _ in range(number):
            yield FILE

    async def peak(number: int) -> int:
        tracemalloc.start()
        async for _ in csv_report.pieces(many(number)):
            pass
        with await xlsx.workbook(many(number)):
            found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    asyncio.run(peak(10))  # what is imported and compiled once
    assert asyncio.run(peak(2_000)) < asyncio.run(peak(400)) + 300_000


def test_the_documentation_names_every_column() -> None:
    text = (Path(__file__).parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"| `{name}` |" not in text] == []
