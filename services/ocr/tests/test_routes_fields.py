import pytest
from ocr.options import Options
from ocr.routes import fields
from ocr.settings import Settings
from servicekit.problems import InvalidInput

SETTINGS = Settings(text_score=0.6)


@pytest.mark.parametrize("word", ["True", "true", "1", "on", "YES", " true"])
def test_every_way_to_write_true_is_true(word: str) -> None:
    assert fields.options({"return_word_box": word, "use_det": word}, SETTINGS) == (Options(text_score=0.6), True)


@pytest.mark.parametrize("word", ["False", "0", "off", "no"])
def test_every_way_to_write_false_is_false(word: str) -> None:
    options, words = fields.options({"return_word_box": word, "use_cls": word}, SETTINGS)
    assert (options.use_cls, words) == (False, False)


def test_what_is_not_sent_is_as_the_operator_has_it() -> None:
    assert fields.options({}, SETTINGS) == (Options(text_score=0.6), False)
    assert fields.options({"text_score": "0.1", "unclip_ratio": "2"}, SETTINGS)[0] == Options(
        text_score=0.1, unclip_ratio=2.0
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("use_det", ""),
        ("use_rec", "maybe"),
        ("text_score", "nan"),
        ("text_score", "1_0"),
        ("text_score", "1.01"),
        ("box_thresh", "-0.1"),
        ("unclip_ratio", "0.5"),
        ("unclip_ratio", "inf"),
        ("mode", "AUTO"),
        ("dpi", "71"),
        ("dpi", "72.5"),
        ("dpi", "601"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        fields.document({name: text}, SETTINGS)


def test_a_document_has_fields_of_its_own() -> None:
    sent = {"mode": "ocr", "pages": "1-3", "password": "pw", "dpi": "150", "use_cls": "0"}
    request, words = fields.document(sent, SETTINGS)
    assert (request.mode, request.pages, request.password, request.dpi) == ("ocr", "1-3", "pw", 150)
    assert (request.options.use_cls, words) == (False, False)


def test_an_empty_range_or_password_is_none() -> None:
    request, _ = fields.document({"pages": "", "password": ""}, SETTINGS)
    assert (request.pages, request.password) == (None, None)
