"""Ids and texts in addresses, read strictly: an id that no file can have is unknown, and a text has no controls."""

import re
from typing import Annotated

from fastapi import Path
from servicekit.problems import InvalidInput, quote

from cars.problems import UnknownFile

WHOLE = re.compile(r"[+-]?[0-9]{1,5000}", re.ASCII)
MOST_DIGITS = 18  # of an id that a row may have

ImageId = Annotated[
    str, Path(description="The `id` of the answer to the upload.", json_schema_extra={"type": "integer", "minimum": 1})
]


def file_id(text: str) -> int:
    """Returns the id; raises InvalidInput for what is no whole number, and UnknownFile for one that no file has."""
    if not WHOLE.fullmatch(text):
        raise InvalidInput(f"the id of a file is a whole number, not {quote(text)}")
    if len(text) > MOST_DIGITS:
        raise UnknownFile(f"there is no file {quote(text)}")
    return int(text)


def words(name: str, text: str | None) -> str | None:
    """Returns a text to search for; raises InvalidInput for control characters, which no name has."""
    if text is not None and not text.isprintable():
        raise InvalidInput(f"{name} is {quote(text)}: it has characters that cannot be printed")
    return text
