"""What the scripts of lines mean for how they are joined, and what XML cannot hold."""

import re
from html import escape

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, production 2
_SPACES = re.compile(r"\s+")


def one_line(text: str) -> str:
    """Returns the text without control characters, each run of white space a single space."""
    return _SPACES.sub(" ", "".join(c for c in text if c.isprintable() or c.isspace())).strip()


def xml(text: str) -> str:
    """Returns text for an element or an attribute of XML: what XML cannot hold is left out, the rest escaped."""
    return escape(_SPACES.sub(" ", _NOT_XML.sub("", text)))
