"""Plots as SVG, without scripts and styles of their own: classes of report.css and attributes, all text escaped.

Sizes are in the units of each plot's own view, one of which is a CSS pixel at full width.
"""

from collections.abc import Sequence
from html import escape
from itertools import count
from typing import NamedTuple

from servicekit import names

WIDTH = 640
MARGIN = 8
BAR = 22  # height of a horizontal bar with its gap
NAME = 180  # width left of horizontal bars
NUMBER = 64  # width right of them
TALL = 200  # height of columns
FOOT = 24  # height below them
HEAD = 18  # height above them, for their numbers
NAME_CHARS = 26
WIDEST = 64.0  # column
MOST_TICKS = 10  # names below columns
MOST_NUMBERS = 16  # columns that have room for their numbers


class Bar(NamedTuple):
    name: str
    value: int


class Plot:
    """Draws plots of one page, whose ids differ."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def bars(self, title: str, about: str, bars: Sequence[Bar]) -> str:
        """Returns horizontal bars with names at the left and numbers at the right."""
        top = max((bar.value for bar in bars), default=0) or 1
        room = WIDTH - NAME - NUMBER - MARGIN
        shapes = [_row(at, bar, room * bar.value / top) for at, bar in enumerate(bars)]
        return self._svg(title, about, 2 * MARGIN + BAR * len(bars), shapes)

    def columns(self, title: str, about: str, bars: Sequence[Bar]) -> str:
        """Returns upright bars with names below, as many of them as there is room for."""
        top = max((bar.value for bar in bars), default=0) or 1
        width = min(WIDEST, (WIDTH - 2 * MARGIN) / max(1, len(bars)))
        every = -(-len(bars) // MOST_TICKS)
        shapes = [
            _column(at, bar, width, (TALL - HEAD - FOOT) * bar.value / top, named=at % every == 0, numbered=_few(bars))
            for at, bar in enumerate(bars)
        ]
        line = f'<line class="axis" x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="{TALL - FOOT}" y2="{TALL - FOOT}"/>'
        return self._svg(title, about, TALL, [*shapes, line])

    def _svg(self, title: str, about: str, height: int, shapes: Sequence[str]) -> str:
        number = next(self._numbers)
        names = f'aria-labelledby="plot-{number} about-{number}"'
        return (
            f'<svg class="plot" role="img" {names} viewBox="0 0 {WIDTH} {height}">'
            f'<title id="plot-{number}">{_words(title)}</title><desc id="about-{number}">{_words(about)}</desc>'
            f"{''.join(shapes)}</svg>"
        )


def _few(bars: Sequence[Bar]) -> bool:
    return len(bars) <= MOST_NUMBERS


def _row(at: int, bar: Bar, width: float) -> str:
    y = MARGIN + at * BAR
    middle = y + BAR / 2 + 4
    return (
        f"<g>{_tip(bar)}"
        f'<text class="name" x="{NAME - 8}" y="{middle:g}" text-anchor="end">{_words(_short(bar.name))}</text>'
        f'<rect class="bar" x="{NAME}" y="{y + 3}" width="{max(1, width):.1f}" height="{BAR - 6}" rx="2"/>'
        f'<text x="{NAME + max(1, width) + 6:.1f}" y="{middle:g}">{bar.value:,}</text></g>'
    )


def _column(at: int, bar: Bar, width: float, height: float, *, named: bool, numbered: bool) -> str:
    x, base = MARGIN + at * width, TALL - FOOT
    centre = x + width / 2
    number = f'<text x="{centre:.1f}" y="{base - height - 4:.1f}" text-anchor="middle">{bar.value:,}</text>'
    name = f'<text class="name" x="{centre:.1f}" y="{TALL - 6}" text-anchor="middle">{_words(_short(bar.name))}</text>'
    gap = min(3.0, width / 5)
    return (
        f"<g>{_tip(bar)}"
        f'<rect class="bar" x="{x + gap / 2:.1f}" y="{base - height:.1f}" '
        f'width="{width - gap:.1f}" height="{height:.1f}" rx="1"/>'
        f"{number if numbered and bar.value else ''}{name if named else ''}</g>"
    )


def _tip(bar: Bar) -> str:
    return f"<title>{_words(bar.name)}: {bar.value:,}</title>"


def _short(name: str) -> str:
    return name if len(name) <= NAME_CHARS else f"{name[: NAME_CHARS - 1]}…"


def _words(words: str) -> str:
    return escape(names.clean(words))
