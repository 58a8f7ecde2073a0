"""Pictures in a bucket of S3, which several replicas may share.

A put is one request, answered when the picture is stored; where it lies there already, because the answer to an
earlier attempt was lost or another replica made the same thumbnail, nothing is written. What the server says of an
error can hold an access key, and goes nowhere but for its code.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO

import obstore
from obstore import store
from obstore.exceptions import AlreadyExistsError, BaseError
from servicekit.problems import UploadStorageFull

from cars.problems import PicturesUnavailable, UnknownFile
from cars.storage import bucket, keys
from cars.storage.access import Access
from cars.storage.stored import StoredFile

if TYPE_CHECKING:
    from collections.abc import Callable

    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential

RETRY_AFTER = {"Retry-After": "5"}
CONNECT_S = 3
REQUEST_S = 20  # 10 MiB at 4 Mbit/s
RETRIES = 3
RETRY_S = 10  # after that no further attempt begins
LISTED_AT_ONCE = 1000

_CODE = re.compile(r"<Code>(\w{1,64})</Code>")
_STATUS = re.compile(r"status code: (\d{3})")
_MISSING = ("NoSuchKey", "")  # the answer to HEAD has no text
_FULL = ("XMinioStorageFull", "QuotaExceeded", "InsufficientStorage")
_CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


class S3Storage:
    """A bucket, or the part of one under a prefix."""

    kind = "s3"

    def __init__(self, url: str, access: Access) -> None:
        """Connects to nothing; raises ValueError for a URL that says too little or too much."""
        self.bucket = bucket.parse(url)
        if (access.access_key is None) != (access.secret_key is None):
            raise ValueError("of a bucket's access key and secret key only one is set")
        self._store = store.S3Store(
            self.bucket.name,
            prefix=self.bucket.prefix or None,
            config=_config(self.bucket, access.region),
            credential_provider=_credentials(access),
            client_options=_client(self.bucket),
            retry_config=_retry(),
        )

    def start(self) -> None:
        """Lists the bucket; raises ValueError where it refuses. One that is away may come back: it is no error."""
        try:
            self._list_some()
        except (BaseError, OSError) as error:
            failure = _Failure(error)
            if failure.is_refusal:
                raise ValueError(f"the bucket {self.bucket.name} refuses: {failure.said}") from None

    def put(self, key: str, data: bytes) -> None:
        with self._problems(), suppress(AlreadyExistsError):
            obstore.put(
                self._store,
                keys.checked(key),
                data,
                attributes={"Content-Type": _CONTENT_TYPES[key[-3:]]},
                mode="create" if self.bucket.conditional else "overwrite",
                use_multipart=False,
            )

    def get(self, key: str) -> bytes:
        with self._problems():
            return bytes(obstore.get(self._store, keys.checked(key)).bytes())

    def open(self, key: str) -> BinaryIO:
        """Returns the content in memory: it is at most one upload's."""
        return io.BytesIO(self.get(key))

    def has(self, key: str) -> bool:
        try:
            with self._problems():
                obstore.head(self._store, keys.checked(key))
        except UnknownFile:
            return False
        return True

    def delete(self, key: str) -> None:
        with suppress(UnknownFile), self._problems():
            obstore.delete(self._store, keys.checked(key))

    def keys(self) -> Iterator[StoredFile]:
        for folder in keys.FOLDERS:
            chunks = obstore.list(self._store, prefix=folder, chunk_size=LISTED_AT_ONCE)
            while True:
                with self._problems():
                    chunk = next(chunks, None)
                if chunk is None:
                    break
                yield from (
                    StoredFile(found["path"], found["size"], found["last_modified"])
                    for found in chunk
                    if keys.is_key(found["path"])
                )

    def check(self) -> None:
        with self._problems():
            self._list_some()

    def _list_some(self) -> None:
        next(obstore.list(self._store, prefix=keys.FOLDERS[0], chunk_size=1), None)

    @contextmanager
    def _problems(self) -> Iterator[None]:
        """Turns the library's errors into what a client sees."""
        try:
            yield
        except AlreadyExistsError:
            raise
        except (BaseError, OSError) as error:
            raise _Failure(error).problem() from None


class _Failure:
    """What an error of the library says, as far as it may be repeated."""

    def __init__(self, error: Exception) -> None:
        text = str(error)
        code, status = _CODE.search(text), _STATUS.search(text)
        self.code = code[1] if code else ""
        self.status = int(status[1]) if status else 0
        self.is_missing = isinstance(error, FileNotFoundError) and self.code in _MISSING

    @property
    def is_refusal(self) -> bool:
        """Whether the server has answered, and asking again will not help."""
        return 400 <= self.status < 500 and self.status not in (408, 429)

    @property
    def said(self) -> str:
        """The status and the code, as `403 AccessDenied`; empty where nothing was answered."""
        return " ".join(filter(None, (str(self.status or ""), self.code)))

    def problem(self) -> Exception:
        if self.is_missing:
            return UnknownFile("the picture is not in the storage")
        if self.status == 507 or self.code in _FULL:
            return UploadStorageFull("there is no room for the picture in the storage, nothing was stored")
        fate = "refuses" if self.is_refusal else "does not answer"
        why = f" ({self.said})" if self.said else ""
        return PicturesUnavailable(f"the bucket of the pictures {fate}{why}, try again", headers=RETRY_AFTER)


def _config(of: bucket.Bucket, region: str) -> "S3Config":
    config: S3Config = {
        "region": of.region or region,
        "virtual_hosted_style_request": not of.path_style,
        "conditional_put": "etag",
    }
    if of.endpoint:  # the more specific of two names: the environment's would win over the other
        config["aws_endpoint_url_s3"] = of.endpoint if of.path_style else _with_bucket(of.endpoint, of.name)
    return config


def _credentials(access: Access) -> "Callable[[], S3Credential] | None":
    """Returns what the library asks for our keys, so that it mixes them with none of the environment's."""
    if not access.access_key or not access.secret_key:
        return None
    credential: S3Credential = {
        "access_key_id": access.access_key,
        "secret_access_key": access.secret_key,
        "token": None,
        "expires_at": None,
    }
    return lambda: credential


def _with_bucket(endpoint: str, name: str) -> str:
    """Returns `https://bucket.host`, as the library wants it where the bucket is part of the host."""
    scheme, _, host = endpoint.partition("://")
    return f"{scheme}://{name}.{host}"


def _client(of: bucket.Bucket) -> "ClientConfig":
    return {
        "allow_http": (of.endpoint or "").startswith("http://"),
        "connect_timeout": timedelta(seconds=CONNECT_S),
        "timeout": timedelta(seconds=REQUEST_S),
    }


def _retry() -> "RetryConfig":
    return {
        "max_retries": RETRIES,
        "retry_timeout": timedelta(seconds=RETRY_S),
        "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=2), "base": 2},
    }
