"""What every output is made of: numbered pages, as they are done."""

from typing import Protocol

from ocr.pages import Page


class Result(Protocol):
    """A page that was read; `number` counts from 1 through the document or the frames of the picture."""

    @property
    def number(self) -> int: ...

    @property
    def page(self) -> Page: ...

    @property
    def dpi(self) -> float | None:
        """Pixels per inch at which the page was drawn or scanned; None where nothing says so."""
