"""Takes invisible text away that another program laid over a scan, so that a page read anew is not copied twice.

Only pages that have such text are touched, in their own content and in the forms among their resources (not in forms
within forms); all else of the content is kept instruction by instruction.
"""

import copy
import re
from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import ContentStreamInlineImage, ContentStreamInstruction, Dictionary, Name, Object, Operator, Pdf, Stream

from ocr.outputs.glyphless import packed

INVISIBLE = 3  # text render mode (ISO 32000-1, 9.3.6)
_SETS_INVISIBLE = re.compile(rb"(?<![\d.])3\s+Tr\b")
_SHOWS = frozenset({"Tj", "TJ", "'", '"'})
_OF_THE_DATA = frozenset({"/Length", "/Filter", "/DecodeParms"})
_NEXT_LINE = ContentStreamInstruction([], Operator("T*"))

Instruction = ContentStreamInstruction | ContentStreamInlineImage


def erase_invisible(pdf: Pdf, page: Object, resources: Dictionary) -> None:
    """Rewrites what shows invisible text; `resources` are the page's own and are changed. Raises pikepdf.PdfError."""
    contents = _streams(page.get("/Contents"))
    if any(_SETS_INVISIBLE.search(stream.read_bytes()) for stream in contents):
        page.Contents = packed(pdf, _visible(page))
    forms = resources.get("/XObject")
    if not isinstance(forms, Dictionary):
        return
    kept = copy.copy(forms)
    for name, form in forms.items():
        if isinstance(form, Stream) and form.get("/Subtype") == Name.Form and _SETS_INVISIBLE.search(form.read_bytes()):
            kept[name] = _rewritten(pdf, form)
    resources[Name.XObject] = kept


def _rewritten(pdf: Pdf, form: Stream) -> Stream:
    """Returns a form of its own: others may draw the one that is there."""
    members = {
        key: value for key, value in form.stream_dict.items() if key not in ("/Length", "/Filter", "/DecodeParms")
    }
    rewritten = packed(pdf, _visible(form))
    for key, value in members.items():
        rewritten[key] = value
    return rewritten


def _visible(drawn: Object) -> bytes:
    return pikepdf.unparse_content_stream(list(_kept(pikepdf.parse_content_stream(drawn))))


def _kept(instructions: Iterable[Instruction]) -> Iterator[Instruction]:
    mode, outer = 0, list[int]()
    for instruction in instructions:
        operator = str(instruction.operator)
        if operator == "q":
            outer.append(mode)
        elif operator == "Q" and outer:
            mode = outer.pop()
        elif operator == "Tr":
            mode = _mode(instruction)
        if mode != INVISIBLE or operator not in _SHOWS:
            yield instruction
        elif operator in ("'", '"'):
            yield _NEXT_LINE  # these two begin with one


def _mode(instruction: Instruction) -> int:
    operands = instruction.operands
    return int(operands[0]) if len(operands) == 1 and isinstance(operands[0], int) else 0


def _streams(contents: Object | None) -> list[Stream]:
    """Returns the streams of a page's content."""
    if isinstance(contents, Stream):
        return [contents]
    return [part for part in contents if isinstance(part, Stream)] if isinstance(contents, pikepdf.Array) else []
