"""Where a load goes to, and the form that is sent there."""

import http.client
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

BOUNDARY = "lineside-8f1d1f6c5a2e4b7d"
# As browsers write a file's name into a form.
ESCAPED = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


@dataclass(frozen=True)
class Target:
    """`POST /predict` of one service."""

    url: str
    secure: bool
    host: str
    port: int | None  # None: the scheme's own
    path: str
    headers: dict[str, str]

    def connect(self, timeout_s: float) -> http.client.HTTPConnection:
        """Returns an open connection; raises ConnectionError where nobody answers."""
        kind = http.client.HTTPSConnection if self.secure else http.client.HTTPConnection
        connection = kind(self.host, self.port, timeout=timeout_s)
        try:
            connection.connect()
        except OSError as error:
            raise ConnectionError(f"{self.url}: {error.strerror or error}") from error
        return connection


def target_of(url: str, model: str | None, key: str | None) -> Target:
    """Returns the call below the address of a service; a key of the form `@FILE` is that file's text.

    Raises ValueError where the address is none, OSError where the key's file cannot be read.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"--url is {url!r}, expected something like http://127.0.0.1:8080/digit")
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Accept": "application/json"}
    if key:
        headers["X-API-Key"] = _key(key)
    path = f"{quote(parts.path.rstrip('/'), safe='/%')}/predict" + (f"?model={quote(model)}" if model else "")
    whole = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
    return Target(whole, parts.scheme == "https", parts.hostname, parts.port, path, headers)


def _key(given: str) -> str:
    key = Path(given[1:]).read_text().strip() if given.startswith("@") else given
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key has characters that no key has")
    return key


def form(name: str, data: bytes) -> bytes:
    """Returns the body of a form with one file in the field `file`."""
    kind = "image/png" if name.casefold().endswith(".png") else "image/jpeg"
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name.translate(ESCAPED)}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    return head.encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
