"""An operator's own models, named by a YAML file: ours, or the `config.yaml` of RapidOCR as it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # ships no types

from ocr.model.errors import ModelError
from ocr.model.files import ROLES, Role

MAX_BYTES = 262_144
PLAIN_KEYS = {"det", "cls", "rec", "dictionary"}
RAPIDOCR_KEYS = {"Global", "EngineConfig", "Det", "Cls", "Rec"}
SECTIONS: Mapping[Role, str] = {"det": "Det", "cls": "Cls", "rec": "Rec"}
DICTIONARY_KEYS = ("rec_keys_path", "keys_path")


@dataclass(frozen=True, slots=True)
class Config:
    """The files of the three networks, and that of the characters where the recogniser does not carry them."""

    models: Mapping[Role, Path]
    dictionary: Path | None


def load(path: Path) -> Config:
    """Reads the file; paths in it are relative to its folder. Raises ModelError with file, key and value."""
    document = _mapping(path, "the file", _parsed(path))
    rapidocr = bool(RAPIDOCR_KEYS & document.keys())
    known = RAPIDOCR_KEYS if rapidocr else PLAIN_KEYS
    unknown = sorted(str(key) for key in document.keys() - known)
    if unknown:
        raise ModelError(f"{path}: the key {unknown[0]!r} is not known, known are {', '.join(sorted(known))}")
    return _of_rapidocr(path, document) if rapidocr else _plain(path, document)


def characters(path: Path) -> list[str]:
    """Returns the characters of a dictionary, one a line; raises ModelError."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"the dictionary {path} cannot be read: {error}") from error
    return split(text)


def split(text: str) -> list[str]:
    """Splits at line feeds only: some of the characters are line ends of their own to Python."""
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def _plain(path: Path, document: Mapping[object, object]) -> Config:
    models = {role: _file(path, role, document.get(role)) for role in ROLES}
    dictionary = document.get("dictionary")
    return Config(models, None if dictionary is None else _file(path, "dictionary", dictionary))


def _of_rapidocr(path: Path, document: Mapping[object, object]) -> Config:
    """Takes the paths of RapidOCR's layout; what else it says is said by settings here and by options of a call."""
    sections = {role: _mapping(path, name, document.get(name)) for role, name in SECTIONS.items()}
    models = {
        role: _file(path, f"{SECTIONS[role]}.model_path", section.get("model_path"))
        for role, section in sections.items()
    }
    for key in DICTIONARY_KEYS:
        if sections["rec"].get(key) is not None:
            return Config(models, _file(path, f"Rec.{key}", sections["rec"][key]))
    return Config(models, None)


def _parsed(path: Path) -> object:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"OCR_MODEL_CONFIG_PATH={path} cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ModelError(f"{path} has {len(data)} bytes, the limit is {MAX_BYTES}")
    try:
        return yaml.safe_load(data)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def _mapping(path: Path, name: str, value: object) -> Mapping[object, object]:
    if not isinstance(value, dict):
        raise ModelError(f"{path}: {name} is {value!r}, expected is a mapping")
    return value


def _file(path: Path, key: str, value: object) -> Path:
    if not isinstance(value, str) or not value:
        raise ModelError(f"{path}: {key} is {value!r}, expected is the path of a file")
    file = path.parent / value
    if not file.is_file():
        raise ModelError(f"{path}: {key} is {value!r}, but there is no file {file}")
    return file
