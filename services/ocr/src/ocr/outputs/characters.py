"""What the scripts of lines mean for how they are joined, and what XML cannot hold."""

import re
from html import escape

# Scripts that are written without spaces: CJK radicals to unified ideographs, kana, compatibility and wide forms.
_SPACELESS = re.compile(
    "[\u2e80-\u303f\u3040-\u30ff\u3100-\u312f\u31a0-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]"
)
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_SPACES = re.compile(r"\s+")


def is_spaceless(character: str) -> bool:
    """Whether the character belongs to a script without spaces between words."""
    return _SPACELESS.match(character) is not None


def one_line(text: str) -> str:
    """Returns the text without control characters, each run of white space a single space."""
    return _SPACES.sub(" ", "".join(c for c in text if c.isprintable() or c.isspace())).strip()


def xml(text: str) -> str:
    """Returns text for an element or an attribute of XML: what XML cannot hold is left out, the rest escaped."""
    return escape(_SPACES.sub(" ", _NOT_XML.sub("", text)))
