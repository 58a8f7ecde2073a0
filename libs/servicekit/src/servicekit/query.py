"""Query parameters, read strictly: an unknown name is refused, not ignored."""

from urllib.parse import parse_qsl

from starlette.types import Scope

from servicekit.problems import InvalidInput, quote

MAX_FIELDS = 32
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


def parse(scope: Scope, *names: str) -> dict[str, str]:
    """Returns the parameters by name; raises InvalidInput for one that the call does not take, or takes once."""
    query: bytes = scope["query_string"]
    if not query:
        return {}
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise InvalidInput(f"the query {quote(query.decode('latin-1'))} cannot be read") from None
    values: dict[str, str] = {}
    for name, value in pairs:
        if name not in names:
            raise InvalidInput(f"there is no parameter {quote(name)}, this call takes {', '.join(names) or 'none'}")
        if name in values:
            raise InvalidInput(f"the parameter {quote(name)} is repeated")
        values[name] = value
    return values


def truth(values: dict[str, str], name: str) -> bool:
    """Returns whether a parameter is true; it is false where it is not given."""
    value = values.get(name, "false")
    if value not in TRUTHS:
        raise InvalidInput(f"{name} is {quote(value)}, it can be true or false")
    return TRUTHS[value]


def choice(values: dict[str, str], name: str, *choices: str) -> str:
    """Returns a parameter that is one of several words; the first where it is not given."""
    value = values.get(name, choices[0])
    if value not in choices:
        raise InvalidInput(f"{name} is {quote(value)}, it can be {' or '.join(choices)}")
    return value
