import csv

import pytest
from servicekit import sheets


def test_a_line_is_read_back_as_it_was() -> None:
    written = sheets.line(["a,b", 'say "hi"', "two\nlines", 7, 0.25, None, True])
    assert written.endswith("\r\n")
    assert next(csv.reader([written])) == ["a,b", 'say "hi"', "two\nlines", "7", "0.25", "", "true"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_formula_is_a_text(text: str) -> None:
    assert sheets.harmless(text) == f"'{text}"
    assert next(csv.reader([sheets.line([text])])) == [f"'{text}"]


def test_a_number_below_zero_stays_a_number() -> None:
    assert sheets.line([-0.5, -3]) == "-0.5,-3\r\n"


def test_ordinary_text_is_left_alone() -> None:
    assert sheets.harmless("img_0_label_6.png") == "img_0_label_6.png"
    assert sheets.harmless("") == ""
