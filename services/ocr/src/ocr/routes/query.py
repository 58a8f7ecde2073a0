"""Query parameters, read strictly: an unknown name is refused, not ignored."""

from collections.abc import Collection

from fastapi import Request
from servicekit.problems import InvalidInput, quote


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


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
