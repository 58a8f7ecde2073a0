"""The classes of an operator's model: `labels.json`, or `id2label` in the `config.json` of Hugging Face's Optimum."""

import json
from pathlib import Path
from typing import Any, cast

from cars.labels import Label, labelled

LABELS, CONFIG = "labels.json", "config.json"
MAX_BYTES = 4 * 1024 * 1024
MAX_SHOWN = 80  # characters of a value in an error


class FolderError(Exception):
    """A model's folder cannot be used; the message names the file, the key and the value."""


def read(folder: Path) -> tuple[Label, ...]:
    """Returns the labels in the order of the outputs; `labels.json` is preferred. Raises FolderError."""
    if (folder / LABELS).exists():
        return _numbered(document(folder / LABELS), LABELS)
    if not (folder / CONFIG).exists():
        message = f"{folder.name}/ has neither {LABELS} nor {CONFIG}: the names of the classes are missing"
        raise FolderError(message)
    config = document(folder / CONFIG)
    if not isinstance(config, dict) or "id2label" not in config:
        raise FolderError(f"{CONFIG} has no key id2label: the names of the classes are missing")
    return _numbered(config["id2label"], f"{CONFIG}: id2label")


def document(path: Path) -> Any:
    """Returns what a JSON file holds; raises FolderError."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise FolderError(f"{path.name} has {path.stat().st_size} bytes, the limit is {MAX_BYTES}")
        return json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FolderError(f"{path.name} cannot be read: {error}") from error


def shown(value: object) -> str:
    """Returns a value for an error."""
    text = ascii(value)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"


def _numbered(found: object, where: str) -> tuple[Label, ...]:
    """Returns the labels of a list, or of an object whose keys are the numbers from 0 on."""
    if isinstance(found, dict):
        keys = [str(number) for number in range(len(found))]
        if sorted(found) != sorted(keys):
            odd = next(key for key in found if key not in keys)
            raise FolderError(
                f"{where} has the key {shown(odd)}; its {len(found)} keys are to be the numbers from 0 on"
            )
        found = [found[key] for key in keys]
    if not isinstance(found, list) or not found:
        raise FolderError(f"{where} is {shown(found)}; a list of class names, or an object of them by number, is read")
    if all(isinstance(each, str) and each.strip() for each in found):
        return labelled(cast("list[str]", found))
    return tuple(_described(each, index, where) for index, each in enumerate(found))


def _described(found: object, index: int, where: str) -> Label:
    """Returns the label of an object with make, model, body and year, and perhaps a name."""
    if not isinstance(found, dict):
        raise FolderError(
            f"{where}: entry {index} is {shown(found)}; a name, or an object with make and model, is read"
        )
    make, model, body = (_text(found, key, index, where) for key in ("make", "model", "body"))
    year = found.get("year")
    if year is not None and (not isinstance(year, int) or isinstance(year, bool)):
        raise FolderError(f"{where}: entry {index} has the year {shown(year)}; a whole number is read")
    name = _text(found, "name", index, where) or _text(found, "label", index, where)
    name = name or " ".join(str(part) for part in (make, model, body, year) if part is not None)
    if not name:
        raise FolderError(f"{where}: entry {index} is {shown(found)}; it has neither a name nor a make")
    return Label(index, name, make, model, body, year)


def _text(found: dict[Any, Any], key: str, index: int, where: str) -> str | None:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise FolderError(f"{where}: entry {index} has the {key} {shown(value)}; a text is read")
    return value or None
