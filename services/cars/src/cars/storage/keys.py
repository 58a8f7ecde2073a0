"""Where a picture lies in a storage: in 256 folders by its content, the same in a folder and in a bucket.

A key belongs to one upload: what is deleted under it was nobody else's, though the same picture comes again meanwhile.
"""

import re
import secrets
from typing import Literal

Kind = Literal["jpg", "png"]

FOLDERS = (ORIGINALS, THUMBNAILS) = ("originals", "thumbnails")
SHARDS = tuple(f"{number:02x}" for number in range(256))

_KEY = re.compile(r"(?:originals|thumbnails)/([0-9a-f]{2})/\1[0-9a-f]{62}-[0-9a-f]{8}\.(?:jpg|png)")


def original(sha256: str, kind: Kind) -> str:
    """Returns a new key for a picture; raises ValueError for what is no SHA-256 in lower case."""
    return checked(f"{ORIGINALS}/{sha256[:2]}/{sha256}-{secrets.token_hex(4)}.{kind}")


def thumbnail(original_key: str) -> str:
    """Returns the key of a stored picture's thumbnail; raises ValueError."""
    stem = checked(original_key).removeprefix(f"{ORIGINALS}/").rpartition(".")[0]
    return checked(f"{THUMBNAILS}/{stem}.jpg")


def is_key(text: str) -> bool:
    return _KEY.fullmatch(text) is not None


def checked(key: str) -> str:
    """Returns the key; raises ValueError for any other text, so that none leads elsewhere."""
    if not is_key(key):
        raise ValueError(f"{key[:100]!r} is not the key of a picture")
    return key
