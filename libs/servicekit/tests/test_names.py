import pytest
from hypothesis import given
from hypothesis import strategies as st
from servicekit import names

MARK = "\N{REPLACEMENT CHARACTER}"


def test_leaves_an_ordinary_name_as_it_is() -> None:
    for name in ("a.png", "數字 七.png", "a b (2).png", "=1+1.png", "ä" * 255):
        assert names.clean(name) == name


@pytest.mark.parametrize("char", ["\0", "\n", "\x1b", "\x7f", "\x85", "\u200b", "\u202e", "\u2066", "\ufeff", "\ud800"])
def test_replaces_what_cannot_be_seen(char: str) -> None:
    assert names.clean(f"a{char}b") == f"a{MARK}b"


def test_cuts_a_long_name_in_its_middle() -> None:
    assert names.clean("x" * 252 + ".png") == "x" * 200 + "…" + "x" * 50 + ".png"


@given(st.text(max_size=400))
def test_every_name_becomes_one_that_can_be_shown(name: str) -> None:
    for cleaned in (names.clean(name), names.base(name)):
        assert cleaned.isprintable()
        assert len(cleaned) <= names.MAX_CHARS
    assert names.base(name) not in ("", ".", "..")
    assert not set(names.base(name)) & {"/", "\\"}


def test_quotes_a_name_for_people() -> None:
    assert names.quoted("七\n.png") == f'"七{MARK}.png"'
    assert names.quoted("x" * 64) == f'"{"x" * 64}"'
    assert names.quoted("x" * 65) == f'"{"x" * 64}…"'
