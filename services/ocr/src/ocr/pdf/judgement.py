"""Whether a page's text layer says what the page shows."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from unicodedata import category

from ocr.pages import Source
from ocr.pdf.engine import Content, Token

MOST_UNSEEN = 0.5  # share of the words
MOST_UNMAPPED = 0.2  # share of the letters; a few bullets of a symbol font are common
MOST_BROKEN = 0.05  # share of letters that are control characters, replacement characters or none at all
MOST_PRIVATE = 0.15  # share of letters for private use, as bullets of symbol fonts are
MOST_RARE = 0.3  # share of the Han characters that are none of the 20,992 common ones
LARGE_PICTURE = 0.5  # share of the page
FEW_LETTERS = 40  # a page number, a running title
MANY_PATHS = 300  # shapes; text drawn as shapes has one for each letter
ENOUGH_LETTERS = 100  # for a statistic
VOWELS = frozenset("aeiouyAEIOUYäöüáàâéèêëíîïóòôúùûåæøœÄÖÜÁÀÂÉÈÊËÍÎÏÓÒÔÚÙÛÅÆØŒ")
# How often European languages write a to z, per mille, between English, German, French, Spanish and Italian.
FREQUENCIES = (80, 12, 35, 45, 130, 15, 20, 30, 75, 3, 12, 45, 30, 75, 65, 25, 4, 65, 70, 70, 40, 12, 12, 3, 12, 6)
LEAST_LIKENESS = 0.6  # cosine; equally frequent letters have .8, as lists of codes nearly are
VOWEL_SHARES = (0.15, 0.75)  # German has .39, Polish .40, a list of part numbers about .2

GOOD = "good text layer"
BLANK = "the page is blank"
NO_TEXT = "no text"
UNSEEN = "text is invisible over a scan"
COVERED = "text is covered by a picture"
MAPPED_WRONGLY = "characters are mapped wrongly"
BESIDE_PICTURE = "little text beside a large picture"
DRAWN = "text is drawn as shapes"


@dataclass(frozen=True, slots=True)
class Verdict:
    source: Source
    reason: str


def judge(tokens: Sequence[Token], content: Content) -> Verdict:
    """Decides whether a page is taken from its text layer or read in its picture, and says why."""
    if not tokens:
        empty = not (content.paths or content.picture)
        return Verdict("text", BLANK) if empty else Verdict("ocr", DRAWN if _is_drawn(content) else NO_TEXT)
    if content.invisible > MOST_UNSEEN:
        return Verdict("ocr", UNSEEN)
    if content.covered > MOST_UNSEEN:
        return Verdict("ocr", COVERED)
    if content.unmapped > MOST_UNMAPPED or is_garbled([token.text for token in tokens]):
        return Verdict("ocr", MAPPED_WRONGLY)
    if content.letters < FEW_LETTERS and content.picture > LARGE_PICTURE:
        return Verdict("ocr", BESIDE_PICTURE)
    if content.letters < FEW_LETTERS and _is_drawn(content):
        return Verdict("ocr", DRAWN)
    return Verdict("text", GOOD)


def _is_drawn(content: Content) -> bool:
    return content.paths >= MANY_PATHS


def is_garbled(words: Sequence[str]) -> bool:
    """Whether they come of a font whose codes say nothing of its characters."""
    text = "".join(words)
    counts = Counter(text)
    if text.isascii() and text.isprintable():
        return "(cid:" in text or not _is_language(words)
    broken = _count(counts, lambda letter: letter == "\ufffd" or category(letter) in ("Cc", "Cn", "Cs"))
    private = _count(counts, lambda letter: category(letter) == "Co")
    if broken > MOST_BROKEN * len(text) or private > MOST_PRIVATE * len(text):
        return True
    return "(cid:" in text or _is_rare(counts) or not _is_language(words)


def _count(counts: Counter[str], wanted: Callable[[str], bool]) -> int:
    return sum(count for letter, count in counts.items() if wanted(letter))


def _is_rare(counts: Counter[str]) -> bool:
    """Unified Han of 1992 is what is written; the extensions are names and old books."""
    common = _count(counts, lambda letter: "\u4e00" <= letter <= "\u9fff")
    rare = _count(counts, lambda letter: "\u3400" <= letter <= "\u4dbf" or "\U00020000" <= letter <= "\U0003ffff")
    return rare > MOST_RARE * (common + rare)


def _is_language(words: Sequence[str]) -> bool:
    """Whether words in Latin letters, where they are enough to tell, could be those of any language.

    Each word counts once: a page can name one web address twenty times.
    """
    counts = Counter("".join(set(words)))
    letters = _count(counts, lambda letter: letter.isalpha() and letter < "\u0250")
    if letters < ENOUGH_LETTERS:
        return True
    least, most = VOWEL_SHARES
    return least <= _count(counts, VOWELS.__contains__) / letters <= most and _likeness(counts) >= LEAST_LIKENESS


def _likeness(counts: Counter[str]) -> float:
    """Returns the cosine between the frequencies of a to z here and those of European languages."""
    here = [counts[letter] + counts[letter.upper()] for letter in ascii_lowercase]
    product = sum(a * b for a, b in zip(here, FREQUENCIES, strict=True))
    return product / max(1e-9, math.hypot(*here) * math.hypot(*FREQUENCIES))
