"""What a page paints, by pdfium: its pictures, its shapes, and which words are seen."""

import ctypes
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pypdfium2_raw as raw

from ocr.pdf.engine import MAX_OBJECTS, Box, Content, Upright, share
from ocr.pdf.pdfium_text import Words

MAX_DEPTH = 8  # forms within forms that are looked into
SAMPLES = 64  # words, and letters, that stand for all
Matrix = tuple[float, float, float, float, float, float]
IDENTITY: Matrix = (1, 0, 0, 1, 0, 0)
UNSEEN = (raw.FPDF_TEXTRENDERMODE_INVISIBLE, raw.FPDF_TEXTRENDERMODE_CLIP)


class _Picture(NamedTuple):
    place: int  # in the order of painting
    box: Box
    opaque: bool


@dataclass(slots=True)
class _Painted:
    """What the page paints, counted and in its order."""

    upright: Upright
    n_objects: int = 0
    paths: int = 0
    texts: list[tuple[int, Any]] = field(default_factory=list)  # place in the order, text object
    pictures: list[_Picture] = field(default_factory=list)

    def add(self, items: list[Any], matrix: Matrix, depth: int) -> None:
        """Adds what a page or a form paints, and what is in the forms within."""
        kinds = [raw.FPDFPageObj_GetType(item) for item in items[: MAX_OBJECTS - self.n_objects]]
        self.paths += kinds.count(raw.FPDF_PAGEOBJ_PATH)
        for item, kind in zip(items, kinds, strict=False):
            self.n_objects += 1
            if kind == raw.FPDF_PAGEOBJ_IMAGE:
                box = self.upright.area(*_bounds(item, matrix))
                self.pictures.append(_Picture(self.n_objects, box, not raw.FPDFPageObj_HasTransparency(item)))
            elif kind == raw.FPDF_PAGEOBJ_TEXT:
                self.texts.append((self.n_objects, item))
            elif kind == raw.FPDF_PAGEOBJ_FORM and depth < MAX_DEPTH:
                self.add(_within(item), _times(_matrix(item), matrix), depth + 1)

    def covers(self) -> list[_Picture]:
        """Returns the pictures that hide what was painted before."""
        first = self.texts[0][0] if self.texts else self.n_objects
        return [picture for picture in self.pictures if picture.opaque and picture.place > first]


def look(page: object, text: object, words: Words, size: tuple[float, float], upright: Upright) -> Content:
    """Returns what a page of a `size` in points paints, and how much of a sample of its text can be seen."""
    painted = _Painted(upright)
    count = min(MAX_OBJECTS, raw.FPDFPage_CountObjects(page))
    painted.add([raw.FPDFPage_GetObject(page, index) for index in range(count)], IDENTITY, 0)
    chosen = range(0, len(words.tokens), max(1, len(words.tokens) // SAMPLES))
    objects = {index: item for index in chosen if (item := raw.FPDFText_GetTextObject(text, words.starts[index]))}
    seen = {index: item for index, item in objects.items() if not _is_unseen(item)}
    unmapped = sum(raw.FPDFText_HasUnicodeMapError(text, words.starts[index]) == 1 for index in chosen)
    return Content(
        letters=sum(len(token.text) for token in words.tokens),
        unmapped=unmapped / max(1, len(chosen)),
        invisible=(len(objects) - len(seen)) / max(1, len(objects)),
        covered=_covered(painted, words, seen) / max(1, len(objects)),
        picture=max((share(picture.box, size) for picture in painted.pictures), default=0.0),
        paths=painted.paths,
    )


def _covered(painted: _Painted, words: Words, seen: dict[int, Any]) -> int:
    """Counts the words, given with their objects, over whose middle a picture was painted later."""
    covers = painted.covers()
    if not covers:
        return 0
    places = {_address(item): place for place, item in painted.texts}
    count = 0
    for index, item in seen.items():
        left, top, right, bottom = words.tokens[index].box
        x, y, place = (left + right) / 2, (top + bottom) / 2, places.get(_address(item), painted.n_objects)
        count += any(cover.place > place and _holds(cover.box, x, y) for cover in covers)
    return count


def _holds(box: Box, x: float, y: float) -> bool:
    return box[0] <= x <= box[2] and box[1] <= y <= box[3]


def _address(item: Any) -> int:
    """Returns the same number for the same object; `ctypes.cast` would leave cycles behind."""
    return ctypes.addressof(item.contents)


def _within(form: object) -> list[Any]:
    count = min(MAX_OBJECTS, raw.FPDFFormObj_CountObjects(form))
    return [raw.FPDFFormObj_GetObject(form, index) for index in range(count)]


def _is_unseen(item: object) -> bool:
    if raw.FPDFTextObj_GetTextRenderMode(item) in UNSEEN:
        return True
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    return bool(raw.FPDFPageObj_GetFillColor(item, red, green, blue, alpha)) and alpha.value == 0


def _matrix(form: object) -> Matrix:
    matrix = raw.FS_MATRIX()
    if not raw.FPDFPageObj_GetMatrix(form, matrix):
        return IDENTITY
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _times(first: Matrix, then: Matrix) -> Matrix:
    a, b, c, d, e, f = first
    g, h, i, j, k, m = then
    return a * g + b * i, a * h + b * j, c * g + d * i, c * h + d * j, e * g + f * i + k, e * h + f * j + m


def _bounds(item: object, matrix: Matrix) -> Box:
    """Returns left, bottom, right, top on the page of what lies within forms."""
    edges = [ctypes.c_float() for _ in range(4)]
    raw.FPDFPageObj_GetBounds(item, *edges)
    left, bottom, right, top = (edge.value for edge in edges)
    a, b, c, d, e, f = matrix
    corners = [(x * a + y * c + e, x * b + y * d + f) for x in (left, right) for y in (bottom, top)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
