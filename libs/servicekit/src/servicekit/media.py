"""The declared media type of a body, and which one a client would rather have."""

from starlette.requests import Request

from servicekit import context
from servicekit.problems import UnsupportedMediaType, quote


def require(request: Request, *accepted: str) -> str:
    """Returns the body's media type; raises UnsupportedMediaType (415) unless it is one of `accepted`."""
    return check(context.of(request.scope).headers.get(b"content-type", b""), *accepted)


def check(content_type: bytes, *accepted: str) -> str:
    """The same for a header's value, where there is no Request."""
    name, *parameters = (part.strip().lower() for part in content_type.decode("latin-1").split(";"))
    if name not in accepted:
        raise UnsupportedMediaType(f"Content-Type is {quote(name)}, this call takes {' or '.join(accepted)}")
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(f"the charset is {quote(value)}, this call takes utf-8")
    return name


def prefers(request: Request, media_type: str, default: str = "application/json") -> bool:
    """Tells whether `Accept` names `media_type` and gives it at least the weight of `default`."""
    weights = dict(_accepted(request.headers.get("accept", "")))
    return weights.get(media_type, 0.0) > 0 and weights[media_type] >= weights.get(default, 0.0)


def _accepted(header: str) -> list[tuple[str, float]]:
    entries = []
    for part in header.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        try:
            entries.append((name.lower(), float(quality)))
        except ValueError:
            entries.append((name.lower(), 0.0))
    return entries
