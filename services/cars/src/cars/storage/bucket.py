"""The URL of a bucket: `s3://bucket/prefix?endpoint=https://host:port&region=…&style=path&conditional=true`."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

OPTIONS = ("endpoint", "region", "style", "conditional")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_PREFIX = re.compile(r"[\w!.*'() -]+(/[\w!.*'() -]+)*", re.ASCII)


@dataclass(frozen=True)
class Bucket:
    """`endpoint` is that of a server other than Amazon's. `conditional` is whether it knows `If-None-Match: *`."""

    name: str
    prefix: str = ""
    endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    conditional: bool = True


def parse(url: str) -> Bucket:
    """Returns what the URL says; raises ValueError, whose text repeats nothing that may be a secret."""
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise ValueError("keys do not go into the URL; expected CARS_S3_ACCESS_KEY and CARS_S3_SECRET_KEY_FILE")
    if not _NAME.fullmatch(parts.netloc):
        raise ValueError("expected s3://bucket/prefix, the bucket of 3 to 63 letters, digits, dots and hyphens")
    options = _options(parts)
    endpoint = _endpoint(options["endpoint"]) if "endpoint" in options else None
    style = _one_of(options, "style", ("path", "virtual"), "path" if endpoint else "virtual")
    conditional = _one_of(options, "conditional", ("true", "false"), "true")
    return Bucket(parts.netloc, _prefix(parts), endpoint, options.get("region"), style == "path", conditional == "true")


def _options(parts: SplitResult) -> dict[str, str]:
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(pairs)
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown or len(options) < len(pairs) or parts.fragment:
        raise ValueError(f"after the question mark of an s3:// URL go {', '.join(OPTIONS)}, each once")
    return options


def _prefix(parts: SplitResult) -> str:
    prefix = unquote(parts.path).strip("/")
    if prefix and (not _PREFIX.fullmatch(prefix) or {".", ".."} & set(prefix.split("/"))):
        raise ValueError("the prefix of an s3:// URL has parts of letters, digits and !.*'()_-, between single slashes")
    return prefix


def _endpoint(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("the endpoint of an s3:// URL is expected as https://host or http://host:port")
    if parts.path not in ("", "/") or parts.query:
        raise ValueError("the endpoint of an s3:// URL ends after its host and port")
    return f"{parts.scheme}://{parts.netloc}"


def _one_of(options: dict[str, str], name: str, values: tuple[str, str], default: str) -> str:
    value = options.get(name, default)
    if value not in values:
        raise ValueError(f"{name} of an s3:// URL is {values[0]} or {values[1]}")
    return value
