import numpy as np
import pytest
from ocr import words
from ocr.postprocess import Character

QUAD = np.array([[0, 0], [100, 0], [100, 20], [0, 20]], np.float32)


def characters(text: str) -> tuple[Character, ...]:
    """Returns evenly spread characters."""
    return tuple(Character(each, 0.5 + 0.1 * (i % 2), (i + 0.5) / len(text)) for i, each in enumerate(text))


def test_words_are_runs_between_spaces() -> None:
    line = words.line_of(characters("ab c  def"), QUAD)
    assert line.text == "ab c  def"
    assert [word.text for word in line.words] == ["ab", "c", "def"]


def test_each_ideograph_is_a_word() -> None:
    line = words.line_of(characters("压力4.5bar高。"), QUAD)
    assert [word.text for word in line.words] == ["压", "力", "4.5bar", "高", "。"]


def test_words_have_all_of_the_text_but_the_spaces() -> None:
    text = "温度 21.5 C、ok カナ"
    assert "".join(word.text for word in words.line_of(characters(text), QUAD).words) == text.replace(" ", "")


def test_a_word_stands_where_its_characters_do() -> None:
    first, second = words.line_of(characters("abcd efgh "), QUAD).words
    assert first.quad == ((0, 0), (41.5, 0), (41.5, 20), (0, 20))
    assert second.quad == ((48.5, 0), (91.5, 0), (91.5, 20), (48.5, 20))


def test_words_of_a_slanting_line_slant() -> None:
    slanting = np.array([[0, 0], [100, 10], [98, 30], [-2, 20]], np.float32)
    _, second = words.line_of(characters("abcd efgh "), slanting).words
    assert second.quad[0] == pytest.approx((48.5, 4.85))


def test_a_line_without_characters_is_empty() -> None:
    line = words.line_of((), QUAD)
    assert (line.text, line.confidence, line.words) == ("", 0.0, ())


def test_one_character_fills_its_line() -> None:
    (word,) = words.line_of(characters("7"), QUAD).words
    assert word.quad == ((0, 0), (100, 0), (100, 20), (0, 20))


def test_confidence_is_the_mean_of_the_characters() -> None:
    assert words.line_of(characters("ab"), QUAD).confidence == pytest.approx(0.55)
