"""Sends what the outbox holds: one loop per receiver, so that a receiver that hangs delays nobody else's alerts.

At least once: a notice whose receiver answered but whose success was not written down is sent again under the same
id (`webhook-id`, `Message-ID`). Nothing is lost by a restart, and a lease keeps replicas from sending side by side.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import sqlalchemy as sa
from servicekit.database.store import Store
from servicekit.problems import Problem

from anomaly.alerting import outbox, receivers
from anomaly.alerting.outbox import Claim
from anomaly.alerting.receivers import Receiver
from anomaly.alerting.webhook import Outcome
from anomaly.storage.ledger import Ledger
from anomaly.storage.reply import Reply

logger = logging.getLogger(__name__)

POLL_S = 2.0  # another replica's alerts are seen this late, and a wake that was lost
CONCURRENT = 8  # notices on their way to one receiver
FIRST_DELAY_S = 5.0
MAX_DELAY_S = 3600.0
OUTCOMES = ("delivered", "retried", "failed")


class Settings(receivers.Settings, Protocol):
    """The part of the service's settings that delivery needs."""

    delivery_max_attempts: int


def check(settings: receivers.Settings) -> None:
    """Refuses bad settings at start: raises ValueError that names variable, value (never a secret), expectation."""
    receivers.of(settings)


def backoff_s(attempt: int, retry_after_s: float = 0.0, spread: Callable[[], float] = random.random) -> float:
    """Returns the wait after attempt 1, 2, …: doubled each time up to an hour, half of it drawn by chance."""
    delay = min(FIRST_DELAY_S * 2.0 ** (attempt - 1), MAX_DELAY_S)
    return max(delay / 2 + spread() * delay / 2, retry_after_s)


class Delivery:
    """The worker; `outcomes` counts attempts by (receiver kind, `delivered` | `retried` | `failed`)."""

    def __init__(
        self, store: Store, ledger: Ledger, settings: Settings, made: Sequence[Receiver] | None = None
    ) -> None:
        self.receivers = receivers.of(settings) if made is None else tuple(made)
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._store = store
        self._ledger = ledger
        self._max_attempts = settings.delivery_max_attempts
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: dict[str, asyncio.Event] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(receiver.name for receiver in self.receivers)

    def wake(self) -> None:
        """Says that something was queued; callable from any thread, and before or after the worker runs."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop has just closed
                loop.call_soon_threadsafe(self._wake_all)

    async def run(self) -> None:
        """Delivers until cancelled."""
        self._woken = {name: asyncio.Event() for name in self.names}
        self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._give_up_on_strangers())
                for receiver in self.receivers:
                    group.create_task(self._serve(receiver))
        finally:
            self._loop = None

    def _wake_all(self) -> None:
        for event in self._woken.values():
            event.set()

    async def _give_up_on_strangers(self) -> None:
        def operation(connection: sa.Connection) -> Reply:
            count = outbox.give_up_on_strangers(connection, self.names)
            if count:
                logger.warning("notices to unknown receivers are given up", extra=_fields(count=count))
            return Reply(204)

        while True:
            try:
                await self._ledger.write(operation)
                return
            except Problem:  # the database is away; the loops below say so
                await asyncio.sleep(POLL_S)

    async def _serve(self, receiver: Receiver) -> None:
        away = False
        while True:
            try:
                wait_s = await self._pass(receiver)
                away = False
            except (Problem, sa.exc.SQLAlchemyError) as error:
                if not away:
                    logger.warning("the delivery queue cannot be read", extra=_fields(error=type(error).__name__))
                away, wait_s = True, POLL_S
            await self._sleep(receiver, wait_s)

    async def _pass(self, receiver: Receiver) -> float:
        """Sends what is due and returns the seconds until there may be more."""
        due_ms = await self._store.read(lambda connection: outbox.next_due_ms(connection, receiver.name))
        now_ms = self._ledger.clock()
        if due_ms is None or due_ms > now_ms:
            return POLL_S if due_ms is None else min(POLL_S, (due_ms - now_ms) / 1000)
        claims = await self._claim(receiver)
        await asyncio.gather(*(self._attempt(receiver, claimed) for claimed in claims))
        return 0.0 if claims else POLL_S

    async def _claim(self, receiver: Receiver) -> list[Claim]:
        claims: list[Claim] = []

        def operation(connection: sa.Connection) -> Reply:
            claims[:] = outbox.claim(connection, receiver.name, self._ledger.clock(), CONCURRENT)
            return Reply(204)

        await self._ledger.write(operation)
        return claims

    async def _attempt(self, receiver: Receiver, claimed: Claim) -> None:
        outcome = await receiver.send(claimed.notice, claimed.attempt)
        now_ms = self._ledger.clock()
        retry_ms = self._retry_ms(claimed, outcome, now_ms)

        def operation(connection: sa.Connection) -> Reply:
            if outcome.error is None:
                outbox.delivered(connection, claimed, now_ms)
            else:
                outbox.failed(connection, claimed, outcome.error, retry_ms)
            return Reply(204)

        self._count(receiver, claimed, outcome, retry_ms)
        await self._ledger.write(operation)

    def _retry_ms(self, claimed: Claim, outcome: Outcome, now_ms: int) -> int | None:
        if outcome.final or claimed.attempt >= self._max_attempts:
            return None
        return now_ms + round(1000 * backoff_s(claimed.attempt, outcome.retry_after_s))

    def _count(self, receiver: Receiver, claimed: Claim, outcome: Outcome, retry_ms: int | None) -> None:
        result = "delivered" if outcome.error is None else "failed" if retry_ms is None else "retried"
        self.outcomes[receiver.kind, result] += 1
        if outcome.error is not None:
            level = logging.ERROR if result == "failed" else logging.WARNING
            what = {"receiver": receiver.name, "delivery_id": claimed.id, "attempt": claimed.attempt}
            logger.log(level, "a notice was not delivered", extra=_fields(**what, outcome=result, error=outcome.error))

    async def _sleep(self, receiver: Receiver, wait_s: float) -> None:
        event = self._woken[receiver.name]
        with suppress(TimeoutError):
            async with asyncio.timeout(max(wait_s, 0.0)):
                await event.wait()
        event.clear()


def _fields(**fields: object) -> dict[str, dict[str, object]]:
    return {"fields": fields}
