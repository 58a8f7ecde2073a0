from dataclasses import replace

import pytest
from ocr.pdf import judgement
from ocr.pdf.engine import Content, Token
from ocr.pdf.judgement import Verdict, judge

PLAIN = Content(letters=500, unmapped=0, invisible=0, covered=0, picture=0, paths=10)
ENGLISH = (
    "The pressure valve of the second pump opens at seven bar and closes again below five. Whoever works near it wears "
    "gloves, since hot water escapes from under the cover. Replacement parts are kept in cabinet twelve. "
)
GERMAN = (
    "Das Druckventil der zweiten Pumpe öffnet bei sieben bar und schließt wieder unterhalb von fünf. Wer daneben "
    "arbeitet, trägt Handschuhe, weil heißes Wasser unter dem Deckel entweicht. "
)
CHINESE = "公司董事会、监事会及董事、监事、高级管理人员保证季度报告内容的真实、准确、完整。"


def tokens(text: str) -> list[Token]:
    return [Token(word, (0, 0, 1, 1), 0, True, 0) for word in text.split()]


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, CHINESE, "Πίεση βαλβίδας", "давление клапана", "弁の圧力"])
def test_real_text_is_kept(text: str) -> None:
    assert judge(tokens(text), PLAIN) == Verdict("text", judgement.GOOD)


@pytest.mark.parametrize(
    "text",
    [
        "".join(chr(ord(letter) - 29) if letter > " " else letter for letter in ENGLISH).replace("\n", "x"),
        ENGLISH.translate(str.maketrans("aeiou", "xzqkw")),
        "".join(chr(0xE000 + ord(letter)) for letter in "Pressure valve"),
        "Valve \ufffd\ufffd\ufffd opened",
        "Valve \x01\x03\x04\x05 opened",
        "(cid:12)(cid:40) (cid:8)",
        "㐀㐁㐂 㐃㐄 㐅㐆㐇",
    ],
    ids=["shifted", "substituted", "private use", "replaced", "control characters", "cid", "rare Han"],
)
def test_letters_that_say_nothing_are_read_in_the_picture(text: str) -> None:
    assert judge(tokens(text), PLAIN) == Verdict("ocr", judgement.MAPPED_WRONGLY)


def test_a_few_bullets_of_a_symbol_font_are_no_reason() -> None:
    assert judge(tokens("\uf0b7 " + ENGLISH), PLAIN).source == "text"


def test_an_address_that_is_named_often_is_text() -> None:
    assert judge(tokens("公告索引 www.cninfo.com.cn www.hkexnews.hk " * 20), PLAIN).source == "text"


def test_a_list_of_part_numbers_is_text() -> None:
    assert judge(tokens("BX-4471-KT 22.104.7 M8x40 DIN912 SKF6204 " * 20 + ENGLISH), PLAIN).source == "text"


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (replace(PLAIN, invisible=0.9), Verdict("ocr", judgement.UNSEEN)),
        (replace(PLAIN, covered=0.9), Verdict("ocr", judgement.COVERED)),
        (replace(PLAIN, unmapped=0.5), Verdict("ocr", judgement.MAPPED_WRONGLY)),
        (replace(PLAIN, letters=3, picture=1), Verdict("ocr", judgement.BESIDE_PICTURE)),
        (replace(PLAIN, letters=3, paths=5000), Verdict("ocr", judgement.DRAWN)),
        (replace(PLAIN, picture=1), Verdict("text", judgement.GOOD)),
        (replace(PLAIN, paths=5000), Verdict("text", judgement.GOOD)),
        (replace(PLAIN, invisible=0.1, covered=0.1), Verdict("text", judgement.GOOD)),
    ],
)
def test_what_the_page_shows_decides(content: Content, verdict: Verdict) -> None:
    assert judge(tokens(ENGLISH), content) == verdict


@pytest.mark.parametrize(
    ("content", "verdict"),
    [
        (replace(PLAIN, paths=0), Verdict("text", judgement.BLANK)),
        (replace(PLAIN, paths=0, picture=0.9), Verdict("ocr", judgement.NO_TEXT)),
        (replace(PLAIN, paths=20), Verdict("ocr", judgement.NO_TEXT)),
        (replace(PLAIN, paths=2000), Verdict("ocr", judgement.DRAWN)),
    ],
)
def test_a_page_without_words_is_read_unless_it_is_blank(content: Content, verdict: Verdict) -> None:
    assert judge([], content) == verdict
