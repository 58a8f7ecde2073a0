"""`X-Request-ID`: taken over from the client where it is well-formed, else made."""

import itertools
import re
import secrets

WELL_FORMED = re.compile(rb"[A-Za-z0-9._-]{1,128}")


class RequestIds:
    """Makes ids of 32 hexadecimal digits: random for the process, then counted, which costs no system call."""

    def __init__(self) -> None:
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    def choose(self, given: bytes | None) -> str:
        if given and WELL_FORMED.fullmatch(given):
            return given.decode("ascii")
        return f"{self._process}{next(self._numbers):016x}"
