import base64

import pytest
from ocr.problems import NotBase64
from ocr.routes.body import decoded, most_bytes
from servicekit.problems import FileTooLarge

DATA = bytes(range(256))
TEXT = base64.b64encode(DATA).decode()


@pytest.mark.parametrize(
    "text", [TEXT, f"data:image/png;base64,{TEXT}", "\n".join(TEXT[i : i + 76] for i in range(0, len(TEXT), 76))]
)
def test_base64_and_data_urls_are_decoded(text: str) -> None:
    assert decoded(text, 256) == DATA


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no base64!", "neither base64"),
        ("AAAA AAA", "neither base64"),  # a plus sign that a form made a space
        (TEXT[:-1], "neither base64"),
        (TEXT.replace("+", "-").replace("/", "_"), "neither base64"),
        ("data:image/png," + TEXT, "neither base64"),
        ("ÄÖÜ=", "neither base64"),
        ("https://example.com/a.png", "nothing is fetched"),
        ("file:///etc/passwd", "nothing is fetched"),
    ],
)
def test_anything_else_is_refused_with_what_it_is(text: str, says: str) -> None:
    with pytest.raises(NotBase64, match=says):
        decoded(text, 1000)


def test_a_file_over_the_limit_is_told_both_numbers() -> None:
    with pytest.raises(FileTooLarge, match="256 bytes, the limit is 255"):
        decoded(TEXT, 255)


def test_a_body_may_be_larger_than_the_file_within() -> None:
    assert most_bytes(10_485_760) > len(base64.encodebytes(bytes(10_485_760)))
