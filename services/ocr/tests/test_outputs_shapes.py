import msgspec
from ocr.outputs import content_box, image_size, item, items
from ocr.pages import Line, Page, Word

WORD = Word("Text", 0.123456, ((1.4, 2.6), (50.2, 2.6), (50.2, 20.1), (1.4, 20.1)))
LINE = Line("Text", 0.98765, ((-3.2, -1.0), (120.7, 2.6), (101.0, 99.0), (1.4, 20.1)), (WORD,))
PAGE = Page(100, 50, (LINE,))


def test_a_line_has_the_members_that_clients_know() -> None:
    assert item(LINE, PAGE) == {"text": "Text", "confidence": 0.9877, "bbox": [[0, 0], [100, 3], [100, 50], [1, 20]]}


def test_words_come_only_if_they_are_wanted() -> None:
    assert item(LINE, PAGE, words=True)["words"] == [
        {"text": "Text", "confidence": 0.1235, "bbox": [[1, 3], [50, 3], [50, 20], [1, 20]]}
    ]


def test_lines_come_in_reading_order_and_encode_to_json() -> None:
    other = Line("next", 1.0000001, LINE.quad, ())
    found = msgspec.json.decode(msgspec.json.encode(items(Page(100, 50, (LINE, other)), words=True)))
    assert [(line["text"], line["confidence"], len(line["words"])) for line in found] == [
        ("Text", 0.9877, 1),
        ("next", 1.0, 0),
    ]


def test_the_content_box_is_around_all_lines_within_the_page() -> None:
    low = Line("low", 0.9, ((10, 30), (20, 30), (20, 44), (10, 44)), ())
    high = Line("high", 0.9, ((5, 3), (90, 3), (90, 9), (5, 9)), ())
    assert content_box(Page(100, 50, (low, high))) == (5, 3, 85, 41)
    assert content_box(Page(100, 50, ())) == (0, 0, 0, 0)


def test_the_size_is_told_as_the_seed_tells_it() -> None:
    assert image_size(PAGE) == {"width": 100, "height": 50}
