"""A circuit breaker: a remote that keeps failing is left alone for a while, then tried with one request.

After M. Nygard, Release It! (2007), chapter 5.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from cars.backends.hub_fate import RemoteError
from cars.problems import BackendUnavailable

State = Literal["closed", "open", "half-open"]

FAILURES = 5  # in a row
OPEN_S = 30.0
TRIAL_S = 1.0  # Retry-After while the one trial is under way


class Breaker:
    """Closed: all pass. Open: none does. Half-open, when the time is over: one, whose outcome decides."""

    def __init__(
        self, failures: int = FAILURES, open_s: float = OPEN_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.failures = failures
        self.open_s = open_s
        self.opened = 0  # how often
        self._clock = clock
        self._in_a_row = 0
        self._until: float | None = None  # None: closed
        self._trying = False
        self._reason = ""

    @property
    def state(self) -> State:
        if self._until is None:
            return "closed"
        return "half-open" if self._trying or self._clock() >= self._until else "open"

    @property
    def retry_after_s(self) -> float:
        """Returns the seconds after which a request may pass, 0 where one may pass now."""
        if self._trying:
            return TRIAL_S
        return 0.0 if self._until is None else max(0.0, self._until - self._clock())

    def check(self) -> None:
        """Raises RemoteError at once where no request may pass."""
        if wait_s := self.retry_after_s:
            raise RemoteError(BackendUnavailable, f"it is left alone for a while, because {self._reason}", wait_s)

    @contextmanager
    def passing(self) -> Iterator[None]:
        """Lets one request through and learns from how it ends; raises RemoteError where none may pass."""
        self.check()
        trial = self._until is not None
        self._trying = trial
        try:
            yield
        except RemoteError as failure:
            if failure.counts:
                self._fail(failure, trial=trial)
            else:
                self._close(trial=trial)
            raise
        else:
            self._close(trial=trial)
        finally:
            if trial:
                self._trying = False

    def _fail(self, failure: RemoteError, *, trial: bool) -> None:
        self._in_a_row += 1
        if trial or (self._until is None and self._in_a_row >= self.failures):
            self.opened += 1
            self._until = self._clock() + max(self.open_s, failure.retry_after_s)
            self._reason = f"{self._in_a_row} attempts in a row failed, the last one so: {failure.reason}"

    def _close(self, *, trial: bool) -> None:
        """An answer to a request that began before the breaker opened says nothing of the remote now."""
        if trial or self._until is None:
            self._in_a_row, self._until = 0, None
