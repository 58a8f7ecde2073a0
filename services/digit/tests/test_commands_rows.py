import csv
import io
import json

import pytest
from digit.commands import rows
from digit.commands.rows import Row
from digit.postprocess import Reading

SEVEN = Reading(7, 0.91234567, [0.0] * 7 + [0.91234567, 0.08765433, 0.0], True, "cnn", (1, 2, 3, 4))
READ = Row("a_label_7.png", SEVEN)
NO_DIGIT = Row("scans.zip/b.png", Reading(1, 0.5, [0.05, 0.55, *[0.05] * 8], False, "cnn", (0, 0, 5, 5)))
FAILED = Row("=c.png", error="it is GIF")
ALL = [READ, NO_DIGIT, FAILED]


def table(detail: bool) -> list[list[str]]:
    return list(csv.reader(io.StringIO("".join(rows.written(ALL, "csv", detail=detail)), newline="")))


def test_csv_has_a_line_for_each_picture_and_no_formulas() -> None:
    assert table(detail=False) == [
        ["name", "prediction", "confidence", "is_digit", "model", "error"],
        ["a_label_7.png", "7", "0.912346", "true", "cnn", ""],
        ["scans.zip/b.png", "1", "0.5", "false", "cnn", ""],
        ["'=c.png", "", "", "", "", "it is GIF"],
    ]


def test_csv_with_detail_has_probabilities_and_box() -> None:
    header, read, _, failed = table(detail=True)
    assert header[6:] == [*(f"p{i}" for i in range(10)), "x", "y", "width", "height"]
    assert read[6:] == [*["0.0"] * 7, "0.912346", "0.087654", "0.0", "1", "2", "3", "4"]
    assert failed[6:] == [""] * 14
    assert rows.csv_header(True).endswith("width,height\r\n")


def test_json_is_what_predict_batch_answers() -> None:
    assert json.loads("".join(rows.written(ALL, "json", detail=False))) == {
        "predictions": {"a_label_7.png": 7, "scans.zip/b.png": 1},
        "errors": {"=c.png": "it is GIF"},
    }
    detailed = json.loads("".join(rows.written(ALL, "json", detail=True)))["predictions"]["a_label_7.png"]
    assert detailed["confidence"] == 0.912346
    assert detailed["box"] == [1, 2, 3, 4]
    assert list(detailed) == ["prediction", "confidence", "probabilities", "model", "is_digit", "box"]


def test_json_of_nothing_is_json() -> None:
    assert json.loads("".join(rows.written([], "json", detail=False))) == {"predictions": {}, "errors": {}}


def test_ndjson_ends_with_a_line_that_says_so() -> None:
    lines = [json.loads(line) for line in rows.written(ALL, "ndjson", detail=False)]
    assert lines == [
        {"name": "a_label_7.png", "prediction": 7, "confidence": 0.912346, "is_digit": True},
        {"name": "scans.zip/b.png", "prediction": 1, "confidence": 0.5, "is_digit": False},
        {"name": "=c.png", "error": "it is GIF"},
        {"done": True, "total": 3, "failed": 1},
    ]


def test_ndjson_with_detail_has_all_of_a_reading() -> None:
    line = json.loads(next(rows.written([READ], "ndjson", detail=True)))
    assert set(line) == {"name", "prediction", "confidence", "probabilities", "model", "is_digit", "box"}
    assert sum(line["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_rows_are_written_as_they_come() -> None:
    def endless() -> object:
        while True:
            yield READ

    written = rows.written(endless(), "csv", detail=False)  # type: ignore[arg-type]
    assert next(written).startswith("name,")
    assert next(written).startswith("a_label_7.png,7,")
