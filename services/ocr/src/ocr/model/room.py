"""Bounds what several threads compute at once, where each run takes memory in proportion to its pixels."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """Holds at most `pixels` at once; one that is larger than all of it is let in alone. First come, first served."""

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._used = 0
        self._turn = threading.Lock()  # held by the first of those that wait, so that none overtakes it
        self._changed = threading.Condition()

    @contextmanager
    def for_pixels(self, pixels: int) -> Iterator[None]:
        """Waits until there is room."""
        asked = min(pixels, self._pixels)
        with self._turn, self._changed:
            self._changed.wait_for(lambda: self._used + asked <= self._pixels)
            self._used += asked
        try:
            yield
        finally:
            with self._changed:
                self._used -= asked
                self._changed.notify_all()
