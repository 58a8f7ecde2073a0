"""The text fields of a form, read strictly: what is not understood is refused by name, never guessed."""

import math
import re
from collections.abc import Mapping
from typing import cast, get_args

from servicekit.problems import InvalidInput, quote

from ocr.documents import Mode
from ocr.drawing import PICTURE_DPI, PictureRequest
from ocr.options import Options
from ocr.pictures import Encoding
from ocr.reader import DocumentRequest
from ocr.settings import Settings

# As FastAPI's clients write them.
TRUE = ("true", "1", "on", "yes", "t", "y")
FALSE = ("false", "0", "off", "no", "f", "n")

WORD_BOX = "return_word_box"
SWITCHES = {
    "use_det": "Whether lines are looked for; without, the picture is one line. Default: true.",
    "use_cls": "Whether text that stands on its head or its side is turned. Default: true.",
    "use_rec": "Whether lines are read; without, only their places are told. Default: true.",
    WORD_BOX: "Whether each line comes with the places of its words. Default: false.",
}
RANGES = {"text_score": (0.0, 1.0), "det_thresh": (0.0, 1.0), "box_thresh": (0.0, 1.0), "unclip_ratio": (1.0, 4.0)}
NUMBERS = {
    "text_score": "Least confidence of a line that is answered, 0 to 1. Default: OCR_TEXT_SCORE.",
    "box_thresh": "Least mean probability within a line's box, 0 to 1. Default: OCR_BOX_THRESH.",
    "unclip_ratio": "How far the core of a line is widened, 1 to 4. Default: OCR_UNCLIP_RATIO.",
}
IMAGE = {**SWITCHES, **NUMBERS}
DOCUMENT = {
    **IMAGE,
    "mode": "auto takes a page's text layer where it is good, text and ocr take only the one. Default: auto.",
    "pages": "The pages to read, as in 1-3,7,10-. Default: all.",
    "password": "The password of an encrypted PDF.",
    "dpi": "Resolution at which pages are drawn and places are told, 72 to 600. Default: OCR_PDF_DPI.",
}
MIN_DPI, MAX_DPI, MAX_PICTURE_DPI = 72, 600, 200
PICTURE = {
    "page": "The page, counted from 1. Default: 1.",
    "dpi": f"Resolution of a PDF's page, {MIN_DPI} to {MAX_PICTURE_DPI}. Default: {PICTURE_DPI}.",
    "password": "The password of an encrypted PDF.",
}


def options(texts: Mapping[str, str], settings: Settings) -> tuple[Options, bool]:
    """Returns how a picture is read, and whether the places of words are wanted; raises InvalidInput."""
    switches = {name: switch(texts, name) for name in ("use_det", "use_cls", "use_rec") if name in texts}
    numbers = {name: number(name, texts[name]) for name in NUMBERS if name in texts}
    return chosen(settings, **switches, **numbers), WORD_BOX in texts and switch(texts, WORD_BOX)


def document(texts: Mapping[str, str], settings: Settings) -> tuple[DocumentRequest, bool]:
    """The same of a document."""
    reading, word_boxes = options(texts, settings)
    request = DocumentRequest(
        options=reading,
        mode=_mode(texts.get("mode", "auto")),
        pages=texts.get("pages") or None,
        password=texts.get("password") or None,
        dpi=_whole("dpi", texts["dpi"], MIN_DPI, MAX_DPI) if "dpi" in texts else None,
    )
    return request, word_boxes


def picture(texts: Mapping[str, str], encoding: Encoding) -> PictureRequest:
    """Returns which page is to be drawn, and how; raises InvalidInput."""
    return PictureRequest(
        number=page_number(texts["page"]) if "page" in texts else 1,
        encoding=encoding,
        dpi=_whole("dpi", texts["dpi"], MIN_DPI, MAX_PICTURE_DPI) if "dpi" in texts else None,
        password=texts.get("password") or None,
    )


def page_number(text: str) -> int:
    """Returns the whole number that a text is; whether there is such a page only the document knows."""
    if not re.fullmatch(r"\s*-?[0-9]{1,9}\s*", text):
        raise InvalidInput(f"page is {quote(text)}, it can be a whole number from 1")
    return int(text)


def chosen(settings: Settings, **given: float) -> Options:
    """Returns options with what the call gives, else as the operator has set them; raises InvalidInput."""
    for name, value in given.items():
        if name in RANGES:
            check(name, value, *RANGES[name])
    defaults = {name: getattr(settings, name) for name in NUMBERS}
    return Options(**{**defaults, **given})


def check(name: str, value: float, low: float, high: float) -> None:
    """Raises InvalidInput for a number out of its range; NaN is in none."""
    if not low <= value <= high:
        raise InvalidInput(f"{name} is {value:g}, it can be {low:g} to {high:g}")


def switch(texts: Mapping[str, str], name: str) -> bool:
    """Returns whether a field is true."""
    word = texts[name].strip().lower()
    if word not in TRUE + FALSE:
        raise InvalidInput(f"{name} is {quote(texts[name])}, it can be true or false")
    return word in TRUE


def number(name: str, text: str) -> float:
    """Returns the number that a text is."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text:
        raise InvalidInput(f"{name} is {quote(text)}, it can be a number")
    return value


def _mode(text: str) -> Mode:
    if text not in get_args(Mode):
        raise InvalidInput(f"mode is {quote(text)}, it can be {', '.join(get_args(Mode))}")
    return cast("Mode", text)


def _whole(name: str, text: str, low: int, high: int) -> int:
    value = number(name, text)
    check(name, value, low, high)
    if value != int(value):
        raise InvalidInput(f"{name} is {quote(text)}, it can be a whole number")
    return int(value)
