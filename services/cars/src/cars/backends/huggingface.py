"""The backend that asks a model at Hugging Face, or at an address of the operator's, one picture a request."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from PIL import Image
from servicekit.problems import Problem
from servicekit.threads import Pool

from cars.backends import hub_answer, hub_picture
from cars.backends.hub_address import address
from cars.backends.hub_breaker import Breaker
from cars.backends.hub_client import AT_ONCE, Client, bottom
from cars.backends.hub_counts import HubCounts
from cars.backends.hub_fate import RemoteError
from cars.backends.hub_retry import Retries
from cars.backends.hub_token import Token
from cars.backends.hub_turns import Turns
from cars.problems import BackendMisconfigured
from cars.recognition import BackendName, Box, Candidate, Recognition
from cars.region import checked
from cars.settings import Settings

logger = logging.getLogger(__name__)

THRESHOLD = 0.5  # where CARS_THRESHOLD names none: the remote model says of itself no better one
UNVERSIONED = "unversioned"  # an answer does not tell which revision of the model made it
MAX_PREDICTIONS = 5
MAX_CAUSE_CHARS = 300
HOW_TO_START = (
    "HF_API_TOKEN is not set: CARS_BACKEND=huggingface needs a token of Hugging Face, in HF_API_TOKEN or in the file "
    "CARS_HF_TOKEN_FILE; it is optional where CARS_HF_ENDPOINT points elsewhere"
)


class Trouble(NamedTuple):
    """What went wrong last, until something goes right; `lasting`: an operator must do something."""

    at: datetime
    reason: str
    lasting: bool


class HuggingFace:
    """A Backend; raises ValueError for settings that cannot be used. Nothing is asked of the remote at the start."""

    def __init__(
        self, settings: Settings, retries: Retries | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.model_name = settings.hf_model
        self.threshold = THRESHOLD if settings.threshold is None else settings.threshold
        self.retries = retries or Retries(settings.hf_retries, settings.hf_timeout_s)
        self.breaker = Breaker(clock=clock)
        self.counts = HubCounts()
        self.turns = Turns(AT_ONCE)
        where = address(settings.hf_endpoint, settings.hf_model)
        token = Token(settings.hf_api_token.get_secret_value() if settings.hf_api_token else "", settings.hf_token_file)
        if where.needs_token and not token:
            raise ValueError(HOW_TO_START)
        self.client = Client(where, token, self.retries.within_s, self.counts)
        self._pool = Pool("hub", 1)
        self._trouble: Trouble | None = None

    @property
    def name(self) -> BackendName:
        return "huggingface"

    async def open(self) -> None:
        self.client.open()

    async def close(self) -> None:
        await self.client.close()
        self._pool.close()

    async def recognise(
        self,
        image: Image.Image,
        data: bytes,  # noqa: ARG002 - the Protocol's; what is sent is encoded anew, small and without metadata
        content_type: str,  # noqa: ARG002 - likewise
        bbox: Box | None,
    ) -> Recognition:
        """Recognises an upright RGB picture, or the box of it; raises BoxError, and the Problem that the remote is."""
        if bbox:
            checked(bbox, image.size)
        outcome = await self._ask(image, bbox)
        if isinstance(outcome, Problem):
            raise outcome  # here, so that it drags along no error of the HTTP client
        return self._recognition(outcome, bbox)

    async def probe(self) -> None:
        """Raises NotReady where it is not open; the remote is asked for clients' pictures alone, which cost money."""
        _ = self.client.http

    def details(self) -> dict[str, Any]:
        """Returns what `/health` tells; `degraded` says why the remote may fail, and is empty while all is well."""
        breaker = self.breaker
        return {
            "backend": self.name,
            "model": self.model_name,
            "model_version": UNVERSIONED,
            "endpoint": self.client.address.origin,
            "token": bool(self.client.token),
            "threshold": self.threshold,
            "breaker": {
                "state": breaker.state,
                "opened": breaker.opened,
                "retry_after_s": round(breaker.retry_after_s, 3),
            },
            "in_flight": self.counts.in_flight,
            "waiting": self.turns.waiting,
            "limits": {
                "hf_timeout_s": self.retries.within_s,
                "hf_retries": self.retries.times,
                "hf_at_once": self.turns.at_once,
            },
            "degraded": self._degraded(),
        }

    def _degraded(self) -> list[str]:
        trouble = self._trouble
        if trouble is None or not (trouble.lasting or self.breaker.state != "closed"):
            return []
        return [f"the remote model: {trouble.reason} ({trouble.at.isoformat(timespec='seconds')})"]

    async def _ask(self, image: Image.Image, box: Box | None) -> tuple[Candidate, ...] | Problem:
        try:
            self.breaker.check()  # before any work is done
            picture = await self._pool.run(hub_picture.encoded, image, box)
            found = await self.retries.run(lambda ends: self._attempt(picture, ends))
        except RemoteError as failure:
            return self._told(failure)
        self.counts.pictures["ok"] += 1
        self._trouble = None
        return found

    async def _attempt(self, picture: bytes, ends: float) -> tuple[Candidate, ...]:
        self.breaker.check()  # before it waits
        async with self.turns.taken(ends):
            with self.breaker.passing():
                return hub_answer.candidates(await self.client.ask(picture, ends))

    def _told(self, failure: RemoteError) -> Problem:
        """Counts and logs a failure; returns what the client is told of it."""
        problem = failure.told(self.model_name)
        self.counts.pictures[problem.slug] += 1
        self._trouble = Trouble(datetime.now(UTC), failure.reason, lasting=failure.problem is BackendMisconfigured)
        cause = self.client.token.hide(repr(bottom(failure)).encode("utf-8", "replace")).decode()
        fields = {"problem": problem.slug, "reason": failure.reason, "cause": cause[:MAX_CAUSE_CHARS]}
        logger.warning("the remote recogniser gave no answer", extra={"fields": fields})
        return problem

    def _recognition(self, found: tuple[Candidate, ...], bbox: Box | None) -> Recognition:
        common = hub_answer.shares(found)
        recognized = found[0].confidence >= self.threshold
        return Recognition(
            found[:MAX_PREDICTIONS],
            recognized,
            None if recognized else "low_confidence",
            make=common.make,
            model=common.model,
            body=common.body,
            year=common.year,
            region=bbox,
            backend=self.name,
            model_name=self.model_name,
            model_version=UNVERSIONED,
        )
