"""Which characters are written without spaces between words; imports nothing, since small processes need it too."""

# Ideographs, kana, bopomofo, their punctuation and full-width forms.
UNSPACED = (
    (0x2E80, 0x312F),
    (0x31A0, 0x9FFF),
    (0xF900, 0xFAFF),
    (0xFE30, 0xFE4F),
    (0xFF00, 0xFFEF),
    (0x20000, 0x3FFFF),
)


def stands_alone(text: str) -> bool:
    """Tells whether a character is of a script without spaces, so that it counts as a word."""
    return len(text) == 1 and any(first <= ord(text) <= last for first, last in UNSPACED)
