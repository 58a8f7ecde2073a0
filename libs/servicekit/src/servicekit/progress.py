"""Progress on stderr: a moving line on a terminal, a line every few seconds elsewhere, nothing for short work."""

import sys
import time
from collections.abc import Callable
from typing import TextIO

QUIET_S = 1.0  # work shorter than this says nothing
LINE_EVERY_S = 5.0  # where stderr is a file
MOVE_EVERY_S = 0.1
BAR = 30


class Progress:
    """Call it with the share done and a word; `close` ends the moving line."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self.stream = stream if stream is not None else sys.stderr
        self.clock = clock
        self.moving = self.stream.isatty()
        self.started = clock()
        self.shown_at: float | None = None

    def __call__(self, share: float, message: str) -> None:
        now = self.clock()
        due = self.started + QUIET_S if self.shown_at is None else self.shown_at + self._every()
        if now < due:
            return
        self.shown_at = now
        if self.moving:
            filled = round(share * BAR)
            self.stream.write(f"\r[{'#' * filled}{'.' * (BAR - filled)}] {share:4.0%} {message}\x1b[K")
        else:
            self.stream.write(f"{share:4.0%} {message}\n")
        self.stream.flush()

    def close(self) -> None:
        if self.moving and self.shown_at is not None:
            self.stream.write("\r\x1b[K")
            self.stream.flush()

    def _every(self) -> float:
        return MOVE_EVERY_S if self.moving else LINE_EVERY_S
