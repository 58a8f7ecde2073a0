"""Words out of the letters of a text layer."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# Scripts without spaces: Thai and Lao, Burmese, Khmer, kana, Han with its extensions and compatibility forms.
SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
MARKS = "\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0300-\u036f"  # stay with the character before them
SPACES = " \t\xa0\0\u2000-\u200b\u3000"
BREAK = "\ufffe"  # a hyphen and the end of the line after it, as pdfium gives them
SOFT_HYPHEN = "\xad"
LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
PIECE = re.compile(
    rf"(?P<end>[\r\n]+)|(?P<space>[{SPACES}]+)|(?P<other>[{SPACELESS}][{MARKS}]*|[^\s\0{BREAK}{SPACELESS}]*{BREAK}"
    rf"|[^\s\0{SPACELESS}]+|\s)"
)


class Piece(NamedTuple):
    text: str
    first: int  # index of its first letter
    last: int
    line: int
    spaced: bool  # whether white space comes before it in its line


def pieces(letters: str) -> Iterator[Piece]:
    """Yields the words; of scripts without spaces, each character."""
    line, spaced = 0, False
    for match in PIECE.finditer(letters):
        kind = match.lastgroup
        if kind == "end":
            line, spaced = line + 1, False
        elif kind == "space":
            spaced = True
        elif text := _spelt(match.group(), letters, match.end()):
            yield Piece(text, match.start(), match.end() - 1, line, spaced)
            line, spaced = line + (letters[match.end() - 1] == BREAK), False


def _spelt(piece: str, letters: str, end: int) -> str:
    """Spells ligatures out; a hyphen that breaks a word at the end of a line is one, elsewhere it is none."""
    if piece.isascii():
        return piece.strip()
    broken = piece[-1] == BREAK or (piece[-1] == SOFT_HYPHEN and letters[end : end + 1] in ("", "\r", "\n"))
    piece = piece.translate(LIGATURES).replace(SOFT_HYPHEN, "").replace(BREAK, "").strip()
    return f"{piece}-" if broken else piece
