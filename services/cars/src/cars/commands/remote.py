"""A running service as the place that an import stores to.

What has been sent stands in a state file, by the SHA-256 of the file: an import that is run again sends the rest. A
line that is lost costs one upload more, which the service finds to be there.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx2
from servicekit import names

from cars.commands.refused import RefusedError
from cars.commands.sent import Sent

UPLOAD = "/upload/"
TIMEOUT_S = 60.0
TRIES = 6
LONGEST_WAIT_S = 30.0
PASSING = (429, 502, 503, 504)  # a limit, a restart, a gateway that waits for the service
REFUSED = (413, 422)  # what concerns this one file
GONE = 404  # likewise, of a file that was deleted since
OK, CREATED = 200, 201

Sleep = Callable[[float], Awaitable[None]]


@asynccontextmanager
async def opened(url: str, key: str | None, state: Path, *, recognize: bool) -> AsyncIterator["Remote"]:
    """Gives the service at an address; raises ValueError where that is none, OSError for files that cannot be had."""
    base = _address(url)
    headers = {"Accept": "application/json", **({"X-API-Key": _key(key)} if key else {})}
    with Sent(state, base) as sent:
        async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_S, follow_redirects=False) as client:
            yield Remote(client, base, sent, recognize=recognize)


class Remote:
    """Sends files; what passes is waited for, what does not raises ValueError, and the import can be run again."""

    def __init__(
        self, client: httpx2.AsyncClient, base: str, sent: Sent, *, recognize: bool, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._client, self._base, self._sent, self._recognize, self._sleep = client, base, sent, recognize, sleep

    async def put(self, path: Path) -> Literal["stored", "known"]:
        """Stores a file and, where that is wanted, has it recognised; raises RefusedError and ValueError."""
        try:
            data = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            raise RefusedError(error.strerror or str(error)) from None
        sha256 = hashlib.sha256(data).hexdigest()
        known = self._sent.get(sha256)
        image_id, outcome = (known, "known") if known else await self._upload(path, data, sha256)
        if self._recognize:
            await self._ask(f"/inference/{image_id}")
        return "stored" if outcome == "stored" else "known"

    async def _upload(self, path: Path, data: bytes, sha256: str) -> tuple[int, str]:
        answer = await self._ask(UPLOAD, files={"file": (names.base(path.name), data)})
        try:
            document = answer.json()
            image_id, duplicate = int(document["id"]), bool(document["duplicate"])
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{self._base}{UPLOAD} does not answer as this service does: is the path right?") from None
        self._sent.add(sha256, image_id, path.name)
        return image_id, "known" if duplicate else "stored"

    async def _ask(self, path: str, **body: Any) -> httpx2.Response:
        """Returns a good answer; raises RefusedError for what concerns this file, ValueError for all else."""
        answer = await self._answer(path, body)
        if answer.status_code in (OK, CREATED):
            return answer
        detail = _detail(answer)
        refused = REFUSED if path == UPLOAD else (*REFUSED, GONE)
        if answer.status_code in refused and _is_problem(answer):
            raise RefusedError(detail)
        raise ValueError(f"{self._base}{path} answered {answer.status_code}: {detail}")

    async def _answer(self, path: str, body: dict[str, Any]) -> httpx2.Response:
        for tried in range(1, TRIES):
            try:
                answer = await self._client.post(self._base + path, **body)
            except httpx2.TransportError:
                wait_s = float(2 ** (tried - 1))
            else:
                if answer.status_code not in PASSING:
                    return answer
                wait_s = _wait_s(answer, tried)
            await self._sleep(min(wait_s, LONGEST_WAIT_S))
        try:
            return await self._client.post(self._base + path, **body)
        except httpx2.TransportError as error:
            raise ValueError(f"{self._base} does not answer: {error or type(error).__name__}") from None


def _wait_s(answer: httpx2.Response, tried: int) -> float:
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isdecimal() and len(asked) < 6 else float(2 ** (tried - 1))


def _is_problem(answer: httpx2.Response) -> bool:
    """Tells this service's own refusal from that of something else at the address."""
    return str(answer.headers.get("content-type", "")).startswith("application/problem+json")


def _detail(answer: httpx2.Response) -> str:
    try:
        return names.clean(str(answer.json()["detail"]))
    except (ValueError, KeyError, TypeError):
        return names.clean(answer.text[:200])


def _address(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL:
        parsed = httpx2.URL("")
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.query or parsed.fragment or parsed.userinfo:
        raise ValueError(f"--url is {url!r}, expected something like http://127.0.0.1:8080/cars")
    return str(parsed).rstrip("/")


def _key(given: str) -> str:
    key = Path(given[1:]).read_text(encoding="utf-8").strip() if given.startswith("@") else given
    if not (key.isascii() and key.isprintable()):
        raise ValueError("the API key has characters that no key has")
    return key
