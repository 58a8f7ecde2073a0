"""The token of Hugging Face: in no log, no answer and no exception's text."""

import re
from pathlib import Path

from cars.backends.hub_fate import RemoteError
from cars.problems import BackendMisconfigured

TOKEN = re.compile(r"[!-~]{1,1000}")  # what an HTTP header can carry; an error about it there would show it
MAX_FILE_BYTES = 4096
HIDDEN = b"[hidden]"
EXPECTED = "expected one line of at most 1000 printable ASCII characters, without spaces"
Stamp = tuple[int, int, int]


class Token:
    """A token out of a setting, or out of a file that is read again when it changes."""

    def __init__(self, value: str, file: Path | None) -> None:
        """Raises ValueError, which shows no token, for one that cannot be used."""
        if value and file:
            raise ValueError("HF_API_TOKEN and CARS_HF_TOKEN_FILE are both set: set one of them")
        self._file = file
        self._stamp: Stamp | None = None
        self._value = value.strip()
        if file:
            self._read_first(file)
        elif self._value and not TOKEN.fullmatch(self._value):
            raise ValueError(f"HF_API_TOKEN (not shown here): {EXPECTED}")

    def __repr__(self) -> str:
        return "Token(set)" if self._value else "Token(none)"

    def __bool__(self) -> bool:
        return bool(self._value)

    def current(self) -> str:
        """Returns the token, empty where there is none; raises RemoteError where its file can no longer be used."""
        if self._file:
            try:
                self._refresh(self._file)
            except (OSError, ValueError) as error:
                reason = "the file CARS_HF_TOKEN_FILE of this service holds no token that can be used"
                raise RemoteError(BackendMisconfigured, reason) from error
        return self._value

    def hide(self, data: bytes) -> bytes:
        """Returns what came from the remote without the token, should it repeat it."""
        return data.replace(self._value.encode(), HIDDEN) if self._value else data

    def _read_first(self, file: Path) -> None:
        try:
            self._refresh(file)
        except OSError as error:
            raise ValueError(f"CARS_HF_TOKEN_FILE={file}: {error.strerror or type(error).__name__}") from None
        except ValueError:
            raise ValueError(f"CARS_HF_TOKEN_FILE={file}: {EXPECTED}") from None

    def _refresh(self, file: Path) -> None:
        found = file.stat()
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        if stamp == self._stamp:
            return
        with file.open("rb") as content:
            value = content.read(MAX_FILE_BYTES).decode("ascii").strip()
        if not TOKEN.fullmatch(value):
            raise ValueError(EXPECTED)
        self._value, self._stamp = value, stamp
