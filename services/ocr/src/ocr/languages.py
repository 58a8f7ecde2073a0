"""The languages that PP-OCR's models read, under the names that PaddleOCR and EasyOCR have for them.

One recogniser reads all of them at once: a language that a client names is checked, it does not change the reading.
"""

from collections.abc import Collection, Mapping

# Names of PaddleOCR's documentation for PP-OCRv6: Chinese, English, Japanese, and the languages in Latin letters.
_LATIN = [
    "af",
    "az",
    "bs",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "es",
    "et",
    "eu",
    "fi",
    "fr",
    "ga",
    "gl",
    "hr",
    "hu",
    "id",
    "is",
    "it",
    "ku",
    "la",
    "lb",
    "lt",
    "lv",
    "mi",
    "ms",
    "mt",
    "nl",
    "no",
    "oc",
    "pl",
    "pt",
    "qu",
    "rm",
    "ro",
    "rs_latin",
    "sk",
    "sl",
    "sq",
    "sv",
    "sw",
    "tl",
    "tr",
    "uz",
    "vi",
]

# PaddleOCR's name → our code
PADDLE: Mapping[str, str] = {
    **{code: code for code in ("ch", "chinese_cht", "en", "japan", *_LATIN)},
    "french": "fr",
    "german": "de",
    "latin": "en",
}
# EasyOCR's name → our code
EASYOCR: Mapping[str, str] = {
    "ch_sim": "ch",
    "ch_tra": "chinese_cht",
    "en": "en",
    "ja": "japan",
    **{code: code for code in _LATIN},
}
# Letters by which a dictionary is known to hold a language that not every one does.
_SAMPLES: Mapping[str, str] = {
    "ch": "的一是中国",
    "chinese_cht": "臺灣體國繁個們",
    "en": "AZaz09",
    "japan": "あいうアイウのを",
    "vi": "ăơưđạế",  # PP-OCRv6 small lacks most of the letters with two marks
    "pl": "łżźćęą",
    "cs": "řčšžěů",
    "tr": "ğışçö",
    "lt": "ėųąęįš",
    "lv": "āēģķļņ",
    "ro": "ăâîșț",
    "hu": "őűöü",
    "is": "ðþæ",
    "mt": "ċġħż",
    "fr": "éèêçœ",
    "de": "äöüß",
    "es": "ñáéíóú¿",
    "pt": "ãõçáé",
}


_MARKED = "áéíóúàèçñöüåøæšž"  # for all other languages in Latin letters


def read_by(dictionary: Collection[str]) -> tuple[str, ...]:
    """Returns the codes of the languages whose letters are all in a recogniser's dictionary."""
    held = set(dictionary)
    letters = {code: _SAMPLES.get(code, _MARKED) for code in dict.fromkeys(PADDLE.values())}
    return tuple(code for code, sample in letters.items() if held.issuperset(sample))
