"""Parameters, read strictly: an unknown name is refused, not ignored, and an id that no file can have is unknown."""

import re
from collections.abc import Collection
from typing import Annotated

from fastapi import Path, Request
from servicekit.problems import InvalidInput, quote

from cars.problems import UnknownFile

WHOLE = re.compile(r"[+-]?[0-9]{1,5000}", re.ASCII)
MOST_DIGITS = 18  # of an id that a row may have
YES, NO = ("true", "1"), ("false", "0")

ImageId = Annotated[
    str, Path(description="The `id` of the answer to the upload.", json_schema_extra={"type": "integer", "minimum": 1})
]


def parse(request: Request, *names: str) -> dict[str, str]:
    """Returns the parameters by name; raises InvalidInput for one that the call does not take, or takes once."""
    values: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            raise InvalidInput(f"there is no parameter {quote(name)}, this call takes {_listed(names)}")
        if name in values:
            raise InvalidInput(f"the parameter {quote(name)} is repeated")
        values[name] = value
    return values


def flag(values: dict[str, str], name: str) -> bool:
    """Returns whether a parameter is set; raises InvalidInput for what is neither `true` nor `false`."""
    value = values.get(name, "false")
    if value not in (*YES, *NO):
        raise InvalidInput(f"{name} is {quote(value)}, it can be true or false")
    return value in YES


def file_id(text: str) -> int:
    """Returns the id; raises InvalidInput for what is no whole number, and UnknownFile for one that no file has."""
    if not WHOLE.fullmatch(text):
        raise InvalidInput(f"the id of a file is a whole number, not {quote(text)}")
    if len(text) > MOST_DIGITS:
        raise UnknownFile(f"there is no file {quote(text)}")
    return int(text)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"


def words(name: str, text: str | None) -> str | None:
    """Returns a text to search for; raises InvalidInput for control characters, which no name has."""
    if text is not None and not text.isprintable():
        raise InvalidInput(f"{name} is {quote(text)}: it has characters that cannot be printed")
    return text
