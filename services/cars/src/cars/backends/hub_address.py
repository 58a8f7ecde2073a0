"""Where the remote model is asked: Hugging Face's router, or an operator's own address."""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from servicekit.settings import is_loopback

ROUTER = "https://router.huggingface.co/hf-inference"
OPEN_TO_ALL = "huggingface.co"  # its inference wants a token; an address elsewhere may do without
MAX_URL_CHARS = 2000
EXPECTED = "CARS_HF_ENDPOINT (not shown here): expected https://host/path, or http:// on loopback"


@dataclass(frozen=True)
class Address:
    """`url` is asked; of it only `origin` is told, because the rest may hold a secret."""

    url: str
    origin: str
    needs_token: bool


def address(endpoint: str | None, model: str) -> Address:
    """Returns the model's address: `{model}` is replaced, a base (`…/models`, `…/hf-inference`) completed.

    Any other address is that of the model itself. Raises ValueError, which does not repeat it.
    """
    parts = _checked(endpoint or ROUTER)
    full = parts._replace(path=_path(parts.path, model))
    host = (parts.hostname or "").rstrip(".")
    return Address(
        full.geturl(),
        f"{parts.scheme}://{parts.netloc}",
        needs_token=host == OPEN_TO_ALL or host.endswith(f".{OPEN_TO_ALL}"),
    )


def _path(path: str, model: str) -> str:
    if "{model}" in path:
        return path.replace("{model}", model)
    base = path.rstrip("/")
    if base.endswith("/hf-inference"):
        return f"{base}/models/{model}"
    return f"{base}/{model}" if base.endswith("/models") else path


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(EXPECTED) from None
    if not (url.isascii() and url.isprintable()) or " " in url or len(url) > MAX_URL_CHARS:
        raise ValueError(f"{EXPECTED}, in ASCII and at most {MAX_URL_CHARS} characters")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError(f"{EXPECTED}, without a user and a fragment")
    if not parts.hostname or not _may_be_asked(parts.scheme, parts.hostname):
        raise ValueError(EXPECTED)
    return parts


def _may_be_asked(scheme: str, host: str) -> bool:
    return scheme == "https" or (scheme == "http" and is_loopback(host))
