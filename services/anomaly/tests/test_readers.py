import io
from pathlib import Path

import numpy as np
import pytest
from anomaly.detector.modelfile import Sensor
from anomaly.formats.readers import Choice, Limits, TableError, read_csv, read_npy


def npy(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]", **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def test_the_seeds_sample_is_read() -> None:
    table = read_csv(b"1.2,0.9,1.1\n1.0,1.1,0.95\n")
    assert table.rows.tolist() == [[1.2, 0.9, 1.1], [1.0, 1.1, 0.95]]
    assert table.names is None


@pytest.mark.parametrize(
    "text",
    [
        "time,oil [K],load\n2026-01-31T12:00:00Z,1.5,2\n2026-01-31T12:00:01Z,2.5,3\n",
        "time;oil [K];load\n2026-01-31 12:00:00;1,5;2\n2026-01-31 12:00:01;2,5;3\n",
        "time\toil [K]\tload\r\n1769860800000\t1.5\t2\r\n1769860801000\t2.5\t3",
        '\ufefftime,"oil [K]",load\n\n2026-01-31T13:00:00+01:00,"1.5",2\n2026-01-31T13:00:01+01:00,2.5,3\n\n\n',
    ],
)
def test_tables_are_read_as_loggers_and_spreadsheets_write_them(text: str) -> None:
    table = read_csv(text.encode())
    assert table.rows.tolist() == [[1.5, 2.0], [2.5, 3.0]]
    assert table.sensors == (Sensor("oil", "K"), Sensor("load"))
    assert table.timestamps_ms is not None
    assert table.timestamps_ms.tolist() == [1_769_860_800_000, 1_769_860_801_000]


def test_a_time_without_zone_is_taken_as_utc_and_said() -> None:
    assert read_csv(b"timestamp,a\n2026-01-31 12:00:00,1\n").notes == ("Times without a zone were taken as UTC.",)
    assert read_csv(b"timestamp,a\n2026-01-31T12:00:00Z,1\n").notes == ()


def test_rows_out_of_the_order_of_time_are_said_and_stay_where_they_are() -> None:
    table = read_csv(b"timestamp,a\n2026-01-31T12:00:01Z,1\n2026-01-31T12:00:00Z,2\n2026-01-31T12:00:00Z,3\n")
    assert table.rows.ravel().tolist() == [1, 2, 3]
    assert table.notes == ("1 rows are older than the row before them; rows are taken in the order of the file.",)


def test_quality_is_read_and_empty_means_good() -> None:
    table = read_csv(b"a,quality\n1,good\n2,\n3,BAD\n4,uncertain\n")
    assert table.qualities == ("good", "good", "bad", "uncertain")


def test_empty_cells_are_nulls_only_where_they_may_be() -> None:
    table = read_csv(b"a,b\n1,\n,2\n", allow_empty=True)
    assert np.isnan(table.rows).tolist() == [[False, True], [True, False]]
    with pytest.raises(TableError, match="row 2: column 'b' is empty"):
        read_csv(b"a,b\n1,\n")


def test_rows_are_numbered_as_an_editor_numbers_lines() -> None:
    table = read_csv(b"a,b\n\n1,2\n\n3,4\n")
    assert table.row_numbers is not None
    assert table.row_numbers.tolist() == [3, 5]
    assert table.first_row_number == 3


def test_a_file_on_disk_is_read_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_bytes(b"a\n" + b"1.5\n" * 100_000)
    assert read_csv(path).rows.shape == (100_000, 1)


@pytest.mark.parametrize(
    ("data", "row", "reason"),
    [
        (b"", None, "empty"),
        (b"\n\r\n", None, "empty"),
        (b"a,b\n", None, "a header and no rows"),
        (b"1,2\n3\n", 2, "it has 1 cells, the first row has 2"),
        (b"1,2\n3,4,5\n", 2, "it has 3 cells"),
        (b"1,2\n3,\x00\n", 2, "NUL"),
        (b"1,2\n1_000,3\n", 2, "column '1' holds '1_000', which is no number"),
        ("1,2\n\uff11\uff12,3\n".encode(), 2, "is no number"),
        (b"1,2\nnan,3\n", 2, "'nan', which is no number"),
        (b"1,2\n3,-Infinity\n", 2, "is no number"),
        (b"1,2\n3,1e400\n", 2, "'1e400', which is too large"),
        (b"1,2\n3,true\n", 2, "is no number"),
        (b"1,2\n3,=1+1\n", 2, "is no number"),
        (b"1,abc,3\n", 1, "column '2' holds 'abc'"),
        ("a,b\n1,2\n".encode("utf-16"), 1, "UTF-16"),
        ("a,b\n1,2\n".encode("utf-16-le"), 1, "NUL"),
        (b"1,2\n3,\xff\n", 2, "byte 3 is not valid UTF-8"),
        (b'1,2\n"3,4\n5,6\n', 2, "a quote is opened and not closed"),
        (b'1,2\n"3"x,4\n', 2, "its quotes are not a CSV's"),
        (b"1,2\r3,4\r", 1, "carriage return"),
        (b"1,2\n" + b"9" * 200_000 + b",1\n", 2, "longer than 131072 bytes"),
        (b'1,2\n"' + b"x" * 200_000 + b'",1\n', 2, "longer than 131072 bytes"),
        (b"a,a\n1,2\n", 1, "two columns"),
        (b"timestamp,a\nyesterday,2\n", 2, "which is no time"),
        (b"timestamp,a\n5,2\n", 2, "which is no time"),
        (b"timestamp\n2026-01-31T12:00:00Z\n", 1, "no column with sensor values"),
        (b"a,quality\n1,great\n", 2, "must be good, uncertain or bad"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 20, 1, "not valid UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_by_row(data: bytes, row: int | None, reason: str) -> None:
    with pytest.raises(TableError, match=reason) as caught:
        read_csv(data)
    assert caught.value.row == row
    assert len(str(caught.value)) < 1000


def test_tables_over_a_limit_are_refused_by_the_number() -> None:
    with pytest.raises(TableError, match="row 3: there are more than 2 rows"):
        read_csv(b"1\n2\n3\n", Limits(max_rows=2))
    with pytest.raises(TableError, match="there are 3 columns, the limit is 2"):
        read_csv(b"1,2,3\n", Limits(max_columns=2))
    with pytest.raises(TableError, match="more than 3 values"):
        read_csv(b"1,2\n3,4\n", Limits(max_values=3))


def test_columns_are_chosen_before_their_cells_are_read() -> None:
    table = read_csv(b"id,a,type\nM1,1,x\nM2,2,y\n", choice=Choice(drop=("id", "type")))
    assert table.rows.tolist() == [[1.0], [2.0]]


@pytest.mark.parametrize("dtype", ["f2", "<f4", ">f8", "i1", "<u8", ">i4"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_of_numbers_are_read(dtype: str, order: str) -> None:
    array = np.asarray(np.arange(6).reshape(2, 3), dtype=dtype, order="F" if order == "F" else "C")
    assert read_npy(npy(array)).rows.tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (npy(np.array([[{}]], dtype=object), allow_pickle=True), "plain numbers"),
        (npy(np.array([["a"]])), "plain numbers"),
        (npy(np.array([[True]])), "plain numbers"),
        (npy(np.array([[1j]])), "plain numbers"),
        (npy(np.ones(3)), r"has the shape '\(3,\)'"),
        (npy(np.ones((2, 2, 2))), "expected .rows, sensors."),
        (npy(np.ones((0, 2))), "expected .rows, sensors."),
        (npy(np.ones((2, 2)))[:-1], "needs other than the 31 bytes"),
        (npy(np.ones((2, 2))) + b"\0", "needs other than the 33 bytes"),
        (npy(np.array([[1.0, 2], [3, np.nan]])), "row 2: a value is not a finite number"),
        (npy(np.array([[np.inf, 2.0]])), "row 1: a value is not a finite number"),
        (npy(np.ones((1, 2000))), "the limit is"),
        (b"", "this is not a .npy"),
        (b"\x93NUMPY\x01\x00", "this is not a .npy"),
        (b"\x93NUMPY\x09\x00" + b"\0" * 100, "version"),
        (b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16, "this is not a .npy"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{}", "this is not a .npy"),
    ],
)
def test_what_is_no_table_of_numbers_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(TableError, match=reason):
        read_npy(data)


def test_a_long_row_of_digits_in_a_header_is_no_shape() -> None:
    for digits in (b"9" * 4000, b"9, " * 1300, b"9," * 2000 + b"x"):  # a pattern that tries every split would never end
        header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (" + digits + b",), }"
        with pytest.raises(TableError, match="array"):
            read_npy(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def test_a_shape_larger_than_its_bytes_takes_no_memory() -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (999999999999, 99), }"
    with pytest.raises(TableError, match="the limit is"):
        read_npy(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)


def test_nulls_may_be_allowed_in_arrays() -> None:
    assert np.isnan(read_npy(npy(np.array([[1.0, np.nan]])), allow_empty=True).rows[0, 1])
