"""JSON read strictly: UTF-8, no unknown fields, no repeated keys, finite numbers (msgspec refuses the rest by type)."""

import contextlib
import json
from typing import Any, TypeVar

import msgspec

from servicekit.problems import InvalidInput, MalformedJSON, quote

T = TypeVar("T")


def decode(body: bytes, type_: type[T]) -> T:
    """Decodes `body` into a msgspec type; raises MalformedJSON (400) or InvalidInput (422)."""
    try:
        value = msgspec.json.decode(body, type=type_)
    except msgspec.ValidationError as error:
        raise InvalidInput(_explain(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_constants(body)
        raise MalformedJSON(f"the body is not JSON: {_explain(error)}") from None
    if body.count(b'"') != 2:  # a document with a single string has a single key
        _refuse_repeated_keys(body)
    return value


def _explain(error: Exception) -> str:
    text = str(error)
    return text if len(text) <= 300 else text[:300] + "…"  # msgspec names the client's own field


def _refuse_constants(body: bytes) -> None:
    def constant(name: str) -> None:
        raise InvalidInput(f"{name} is not a finite number")

    with contextlib.suppress(ValueError, RecursionError):
        json.loads(body, parse_constant=constant)


def _refuse_repeated_keys(body: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in items:
            if key in seen:
                raise InvalidInput(f"the key {quote(key)} is repeated")
            seen.add(key)

    json.loads(body, object_pairs_hook=pairs, parse_float=str, parse_int=str)
