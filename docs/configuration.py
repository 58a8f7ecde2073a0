"""`python docs/configuration.py` writes the tables of configuration.md anew from the settings' own descriptions."""

import importlib
import re
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from gateway.routes import ROUTES
from gateway.settings import Settings as GatewaySettings
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings
from servicekit.settings import SHARED_PREFIX, ServiceSettings

DOCUMENT = Path(__file__).with_name("configuration.md")
TABLES: dict[str, type[BaseSettings]] = {
    "every": ServiceSettings,
    "gateway": GatewaySettings,
    **{route.name: importlib.import_module(f"{route.name}.settings").Settings for route in ROUTES},
}
KINDS = {
    bool: "`true` or `false`",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "secret text",
}


def table(settings: type[BaseSettings]) -> str:
    """Returns the rows of what a service adds to, or changes of, the settings that every service has."""
    prefix = SHARED_PREFIX if settings is ServiceSettings else str(settings.model_config["env_prefix"])
    inherited = {} if settings is ServiceSettings else ServiceSettings.model_fields
    rows = [
        f"| `{prefix}{name.upper()}` | {shown_default(field)} | {accepted(field)} | {field.description} |"
        for name, field in settings.model_fields.items()
        if name not in inherited or described(field) != described(inherited[name])
    ]
    return "\n".join(["| variable | default | accepted | meaning |", "|---|---|---|---|", *rows])


def described(field: FieldInfo) -> tuple[str, str, str | None]:
    return shown_default(field), accepted(field), field.description


def shown_default(field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True)
    if default is None or default == []:
        return "none"
    if default == "":
        return "empty"
    if isinstance(default, Path) and default.is_absolute():
        return "what is shipped"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    if isinstance(default, list):
        return f"`{','.join(default)}`"
    return f"`{default:g}`" if isinstance(default, float) and default < 1e6 else f"`{default}`"


def accepted(field: FieldInfo) -> str:
    """Returns the kind of value and its bounds in words."""
    kinds = [kind for kind in _members(field.annotation) if kind is not type(None)]
    if get_origin(kinds[0]) is list:
        return "list, separated by commas"
    if get_origin(kinds[0]) is Literal:
        return " or ".join(f"`{choice}`" for choice in get_args(kinds[0]))
    bounds = {type(item).__name__.lower(): item for item in field.metadata}
    words = [KINDS[kinds[0]]]
    if "ge" in bounds and "le" in bounds:
        words.append(f"{bounds['ge'].ge} to {bounds['le'].le}")
    elif "ge" in bounds:
        words.append(f"{bounds['ge'].ge} or more")
    elif "gt" in bounds:
        words.append(f"over {bounds['gt'].gt}" + (f", at most {bounds['le'].le}" if "le" in bounds else ""))
    pattern = next((item.pattern for item in field.metadata if getattr(item, "pattern", None)), None)
    if pattern:
        choices = re.fullmatch(r"\^\(([a-z|]+)\)\$", pattern)
        return " or ".join(f"`{c}`" for c in choices[1].split("|")) if choices else f"`{pattern}`".replace("|", "\\|")
    return ", ".join(words)


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def written(document: str) -> str:
    """Returns the document with each table between its two marks replaced."""
    for name, settings in TABLES.items():
        marks = rf"(<!-- table: {name} -->\n).*?(\n<!-- end -->)"
        document = re.sub(marks, lambda m, s=settings: m[1] + table(s) + m[2], document, flags=re.DOTALL)  # type: ignore[misc]
    return document


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
