"""Lines out of the words of a text layer, in the order in which the document has them."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

from ocr.pages import Line, Page, Quad, Word
from ocr.pdf import quads
from ocr.pdf.engine import Token

WIDE_GAP = 1.5  # heights of the line between two words of one line: more is two columns, or two cells of a table
SURE = 1.0


def page(tokens: Iterable[Token], width: int, height: int, scale: tuple[float, float]) -> Page:
    """Returns the lines in pixels; the scale is pixels for a point, across and down."""
    groups = _downwards(list(_groups(tokens)))
    return Page(width, height, tuple(_line(group, *scale) for group in groups), "text", 0)


def _downwards(groups: list[list[Token]]) -> list[list[Token]]:
    """Sorts lines that were written from the bottom up; the order of all others is the document's own."""
    tops = [_top(group[0]) for group in groups]
    steps = [after - before for (turn, before), (following, after) in pairwise(tops) if turn == following]
    if sum(step < 0 for step in steps) <= sum(step > 0 for step in steps):
        return groups
    return [group for _, group in sorted(zip(tops, groups, strict=True), key=lambda pair: pair[0])]


def _top(token: Token) -> tuple[float, float]:
    """Returns the direction, and how far below the page's edge the text begins as it reads."""
    left, top, right, bottom = token.box
    if token.angle % 180 == 0:
        return token.angle, top if token.angle == 0 else -bottom
    return token.angle, -right if token.angle < 180 else left


def _groups(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Yields the words of each line; a line is cut where its direction changes and at wide gaps."""
    group: list[Token] = []
    for token in tokens:
        if group and not _follows(group[-1], token):
            yield group
            group = []
        group.append(token)
    if group:
        yield group


def _follows(before: Token, token: Token) -> bool:
    if token.line != before.line or token.angle != before.angle:
        return False
    if token.quad:
        return True  # slanted text is a watermark or a label: no table is written so
    left, top, right, bottom = before.box
    if token.angle % 180 == 0:
        gap = token.box[0] - right if token.angle == 0 else left - token.box[2]
        depth = bottom - top
    else:
        gap = token.box[1] - bottom if token.angle < 180 else top - token.box[3]
        depth = right - left
    return abs(gap) <= WIDE_GAP * depth


def _line(group: list[Token], x: float, y: float) -> Line:
    words = tuple(Word(token.text, SURE, _quad(token, x, y)) for token in group)
    if len(words) == 1:
        return Line(words[0].text, SURE, words[0].quad, words)
    text = "".join(f" {token.text}" if token.spaced else token.text for token in group)
    return Line(text.lstrip(), SURE, _quad(_whole(group), x, y), words)


def _whole(group: list[Token]) -> Token:
    """Returns all of a line's words as one."""
    boxes = [token.box for token in group]
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    angle = group[0].angle
    slanted = [token.quad for token in group if token.quad]
    quad = quads.of_line(slanted, angle) if slanted else None
    return Token("", (min(lefts), min(tops), max(rights), max(bottoms)), 0, False, angle, quad)


def _quad(token: Token, x: float, y: float) -> Quad:
    if token.quad is None:
        left, top, right, bottom = token.box
        left, top, right, bottom = left * x, top * y, right * x, bottom * y
        if token.angle == 0:  # nearly every word there is
            return (left, top), (right, top), (right, bottom), (left, bottom)
        return quads.of_box((left, top, right, bottom), token.angle)
    a, b, c, d = token.quad
    return (a[0] * x, a[1] * y), (b[0] * x, b[1] * y), (c[0] * x, c[1] * y), (d[0] * x, d[1] * y)
