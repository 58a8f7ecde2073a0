"""The forms in which a text can be asked for: by `format` in the query or the form, else by `Accept`."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote as percent_encoded

from fastapi import Request
from servicekit import media
from servicekit.problems import InvalidInput, quote


@dataclass(frozen=True)
class Form:
    """A form of the answer: its name, media type, and the ending of a file of it."""

    name: str
    media_type: str
    suffix: str

    def headers(self, file_name: str) -> dict[str, str]:
        """Returns headers that propose a name to who saves the answer (RFC 6266)."""
        stem = file_name.rpartition(".")[0] or file_name
        return {"Content-Disposition": f"inline; filename*=UTF-8''{percent_encoded(stem + self.suffix)}"}


JSON = Form("json", "application/json", ".json")
TEXT = Form("text", "text/plain", ".txt")
MARKDOWN = Form("markdown", "text/markdown", ".md")
HOCR = Form("hocr", "text/html", ".hocr.html")
ALTO = Form("alto", "application/xml", ".alto.xml")
PDF = Form("pdf", "application/pdf", ".pdf")
NDJSON = Form("ndjson", "application/x-ndjson", ".ndjson")
FORMS = {form.name: form for form in (JSON, TEXT, MARKDOWN, HOCR, ALTO, PDF, NDJSON)}

PARAMETER = "format"
DESCRIPTION = f"One of {', '.join(FORMS)}; without it `Accept` decides. Default: json."


def chosen(request: Request, query: Mapping[str, str], fields: Mapping[str, str]) -> Form:
    """Returns the form that is asked for; raises InvalidInput for one that there is not, or for two."""
    named = {values[PARAMETER] for values in (query, fields) if PARAMETER in values}
    if len(named) > 1:
        raise InvalidInput(f"format is {' and '.join(map(quote, sorted(named)))}, it can be one")
    if not named:
        return _accepted(request)
    (name,) = named
    if name not in FORMS:
        raise InvalidInput(f"format is {quote(name)}, it can be {', '.join(FORMS)}")
    return FORMS[name]


def _accepted(request: Request) -> Form:
    others = (form for form in FORMS.values() if form is not JSON)
    return next((form for form in others if media.prefers(request, form.media_type)), JSON)
