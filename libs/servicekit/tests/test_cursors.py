"""Cursors: opaque, and refused where a client made one up."""

import pytest
from servicekit.database.cursors import LARGEST, decode, encode
from servicekit.problems import InvalidInput


@pytest.mark.parametrize("before", [1, 17, LARGEST])
def test_reads_what_it_wrote(before: int) -> None:
    assert decode(encode(before)) == before


def test_no_cursor_is_the_first_page() -> None:
    assert decode(None) is None


@pytest.mark.parametrize(
    "cursor", ["", "17", "Yg", "é", "YjE3=", "YjE3====", "Yi0x", "YjE3\n", "YuKRow", encode(LARGEST + 1)]
)
def test_refuses_a_cursor_that_it_did_not_write(cursor: str) -> None:
    with pytest.raises(InvalidInput, match="the cursor"):
        decode(cursor)
