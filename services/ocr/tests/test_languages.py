from ocr import languages
from ocr.pipeline import Pipeline


def test_the_shipped_models_read_what_paddleocr_says(pipeline: Pipeline) -> None:
    assert {"ch", "chinese_cht", "en", "japan", "fr", "de", "es", "it", "pl"} <= set(pipeline.languages)


def test_a_dictionary_without_the_letters_does_not_read_the_language() -> None:
    assert languages.read_by(["a"]) == ()
    assert languages.read_by("AZaz09") == ("en",)


def test_both_names_of_chinese_mean_the_same() -> None:
    assert languages.PADDLE["ch"] == languages.EASYOCR["ch_sim"]
    assert languages.PADDLE["chinese_cht"] == languages.EASYOCR["ch_tra"]
