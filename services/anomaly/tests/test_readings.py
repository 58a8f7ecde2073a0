import json
from typing import Any

import numpy as np
import pytest
from anomaly.ingestion.readings import Incoming, parse_csv, parse_one, parse_rows
from anomaly.model import Sensor
from anomaly.problems import TableInvalid, TooManyRows, UnknownSensor, WrongDimension
from servicekit.problems import InvalidInput, MalformedJSON, Problem

A, B = Sensor("a", "", None, None), Sensor("b", "", None, None)


def one(**members: Any) -> Incoming:
    return parse_one(json.dumps(members).encode())


def rows(**members: Any) -> Incoming:
    return parse_rows(json.dumps(members).encode(), 3)


def test_reads_values_with_null_for_no_value() -> None:
    found = one(values=[1.5, None], timestamp="2026-01-01T00:00:00Z", quality="uncertain")
    np.testing.assert_array_equal(found.rows, [[1.5, np.nan]])
    assert found.timestamps_ms == [1_767_225_600_000]
    assert found.quality(0) == "uncertain"
    assert found.place(0) == ""


def test_reads_sensors_by_name() -> None:
    np.testing.assert_array_equal(one(sensors={"b": 2, "a": None}).aligned([A, B]), [[np.nan, 2]])
    np.testing.assert_array_equal(one(sensors={"b": 2}).aligned([A, B]), [[np.nan, 2]])
    with pytest.raises(UnknownSensor, match="'c'"):
        one(sensors={"c": 1}).aligned([A, B])


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"values":[]', b'{"values":null}', b'{"values":"1,2"}', b'{"values":["1"]}',
     b'{"values":[true]}', b'{"values":[[1]]}', b'{"values":[NaN]}', b'{"values":[Infinity]}', b'{"values":[1e400]}',
     b'{"values":[1],"sensors":{"a":1}}', b'{"sensors":{}}', b'{"sensors":[1]}', b'{"values":[1],"value":1}',
     b'{"values":[1],"values":[2]}', b'{"values":[1],"timestamp":1.5}', b'{"values":[1],"timestamp":"today"}',
     b'{"values":[1],"timestamp":true}', b'{"values":[1],"quality":"ok"}', b'{"values":[\xff]}', b"[" * 100_000,
     b'{"sensors":{"a":1,"a":2}}', b'{"values":[1],"timestamp":"0000-01-01T00:00:00Z"}'],
)  # fmt: skip
def test_refuses_anything_else(body: bytes) -> None:
    with pytest.raises((InvalidInput, MalformedJSON)) as caught:
        parse_one(body)
    assert len(caught.value.encode(None)) < 4096


def test_an_empty_row_is_of_the_wrong_length() -> None:
    with pytest.raises(WrongDimension, match="0 values came, the model takes 2"):
        one(values=[]).aligned([A, B])


def test_reads_many_rows() -> None:
    found = rows(rows=[[1, 2], [3, None]], timestamps=[1, "1970-01-01T00:00:01Z"], qualities=["good", "bad"])
    np.testing.assert_array_equal(found.aligned([A, B]), [[1, 2], [3, np.nan]])
    assert found.timestamps_ms == [1, 1000]
    assert [found.quality(i) for i in range(2)] == ["good", "bad"]
    assert found.place(1) == "row 2: "


@pytest.mark.parametrize(
    ("members", "problem", "says"),
    [
        ({"rows": []}, InvalidInput, "no rows"),
        ({"rows": [[1]] * 4}, TooManyRows, "4 rows, the limit is 3"),
        ({"rows": [[1, 2], [1]]}, WrongDimension, "row 2: 1 values"),
        ({"rows": [[1]], "timestamps": []}, InvalidInput, "0 timestamps for 1 rows"),
        ({"rows": [[1]], "qualities": ["good", "bad"]}, InvalidInput, "2 qualities for 1 rows"),
        ({"rows": [1]}, InvalidInput, "rows"),
    ],
)
def test_refuses_rows_that_do_not_fit_together(members: Any, problem: type[Problem], says: str) -> None:
    with pytest.raises(problem, match=says):
        rows(**members)


def test_reads_csv_by_its_header() -> None:
    found = parse_csv(b"b;timestamp;a;quality\n2,5;2026-01-01T00:00:00Z;;bad\n3;2026-01-01T00:00:01Z;1;\n", 10)
    np.testing.assert_array_equal(found.aligned([A, B]), [[np.nan, 2.5], [1, 3]])
    assert found.timestamps_ms == [1_767_225_600_000, 1_767_225_601_000]
    assert [found.quality(i) for i in range(2)] == ["bad", "good"]
    assert found.place(1) == "row 3: "


def test_reads_csv_without_a_header_in_the_models_order() -> None:
    np.testing.assert_array_equal(parse_csv(b"1,2\n3,4\n", 10).aligned([A, B]), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    "body", [b"", b"a,b\n", b"a,b\n1\n", b"a,b\n1,x\n", b"a,b\n1,\x00\n", b"\xff\xfea\x00", b"1\n2\n3\n4\n", b'a\n"1\n']
)
def test_refuses_csv_that_is_none(body: bytes) -> None:
    with pytest.raises(TableInvalid):
        parse_csv(body, 3)
