import pytest
from ocr.outputs.characters import one_line, xml
from ocr.scripts import stands_alone


@pytest.mark.parametrize(
    ("character", "expected"),
    [("识", True), ("か", True), ("。", True), ("Ａ", True), ("𠮷", True), ("é", False), ("한", False)],
)
def test_scripts_without_spaces_are_known(character: str, expected: bool) -> None:
    assert stands_alone(character) is expected


def test_a_line_has_no_breaks_and_no_control_characters() -> None:
    assert one_line(" a\t\tb\r\nc\u2028d\0\x1b\u200e e\ud800 ") == "a b c d e"


def test_xml_gets_only_what_it_can_hold() -> None:
    assert (
        xml("<a b=\"c\" d='e'>&\0\x0c\ud800\ufffe\n\U0001f600")
        == "&lt;a b=&quot;c&quot; d=&#x27;e&#x27;&gt;&amp; \U0001f600"
    )
