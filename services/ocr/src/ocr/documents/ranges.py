"""Which pages of a document are wanted: `1-3,7,10-`."""

import re
from collections.abc import Iterator

from servicekit.problems import quote

from ocr.problems import DocumentTooLong, PagesInvalid

PART = re.compile(r"\s*(?P<first>[0-9]{1,9})\s*(?P<to>-\s*(?P<last>[0-9]{1,9})?)?\s*")
EXPECTED = "expected numbers and ranges as in 1-3,7,10-"
MAX_CHARS = 10_000


def parse(text: str | None, n_pages: int, most: int | None = None) -> list[int]:
    """Returns the numbers of the pages, from 1, ascending and each once; all of them for None or an empty text.

    Raises PagesInvalid, and DocumentTooLong where more than `most` pages are wanted.
    """
    spans = list(_spans(text, n_pages)) if text and text.strip() else [(1, n_pages)]
    n_wanted = _count(spans)
    if most is not None and n_wanted > most:
        raise DocumentTooLong(f"{n_wanted} pages are asked for, at most {most} are read in one call")
    return sorted({number for first, last in spans for number in range(first, last + 1)})


def _spans(text: str, n_pages: int) -> Iterator[tuple[int, int]]:
    if len(text) > MAX_CHARS:
        raise PagesInvalid(f"pages has {len(text)} characters, at most {MAX_CHARS} are read")
    for part in text.split(","):
        match = PART.fullmatch(part)
        if not match:
            raise PagesInvalid(f"pages: {quote(part)} is no range of pages, {EXPECTED}")
        first = int(match["first"])
        last = int(match["last"] or n_pages) if match["to"] else first
        if not 1 <= first <= last <= n_pages:
            raise PagesInvalid(f"pages: {quote(part.strip())} is not within the document's pages 1-{n_pages}")
        yield first, last


def _count(spans: list[tuple[int, int]]) -> int:
    """Counts each page once, without listing them: a document can pretend to have a thousand million."""
    count, done = 0, 0
    for first, last in sorted(spans):
        count += max(0, last - max(first - 1, done))
        done = max(done, last)
    return count
