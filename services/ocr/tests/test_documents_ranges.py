import pytest
from ocr.documents.ranges import parse
from ocr.problems import DocumentTooLong, PagesInvalid


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        (None, [1, 2, 3, 4, 5]),
        ("", [1, 2, 3, 4, 5]),
        ("3", [3]),
        ("1-3", [1, 2, 3]),
        ("4-", [4, 5]),
        ("5,1-2", [1, 2, 5]),
        (" 2 - 3 , 2", [2, 3]),
        ("1-5,2-3", [1, 2, 3, 4, 5]),
    ],
)
def test_ranges_become_numbers_ascending_and_each_once(text: str | None, numbers: list[int]) -> None:
    assert parse(text, 5) == numbers


@pytest.mark.parametrize(
    "text", ["0", "6", "3-2", "1-6", "99999999999", "-3", "1,,2", "a", "1.5", "1;2", "²", "9" * 20_000]
)
def test_a_range_that_the_document_has_not_is_refused(text: str) -> None:
    with pytest.raises(PagesInvalid) as refusal:
        parse(text, 5)
    assert len(refusal.value.detail) < 200


def test_the_refusal_says_the_range_and_the_limit() -> None:
    with pytest.raises(PagesInvalid, match="'7-9' is not within the document's pages 1-5"):
        parse("1,7-9", 5)


def test_more_pages_than_one_call_may_read_are_refused() -> None:
    assert parse("1-3", 1000, 3) == [1, 2, 3]
    with pytest.raises(DocumentTooLong, match="1000 pages are asked for, at most 3"):
        parse(None, 1000, 3)


def test_pages_named_twice_count_once() -> None:
    assert parse("1-3,2-3,1", 1000, 3) == [1, 2, 3]


def test_a_document_that_pretends_to_be_endless_is_refused_without_listing_its_pages() -> None:
    with pytest.raises(DocumentTooLong):
        parse(None, 2_000_000_000, 200)
