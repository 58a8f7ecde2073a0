import pytest
from fastapi import Request
from ocr.routes import forms
from ocr.routes.forms import ALTO, FORMS, HOCR, JSON, MARKDOWN, NDJSON, PDF, TEXT, Form
from servicekit.problems import InvalidInput


def request(accept: str = "", search: str = "") -> Request:
    headers = [(b"accept", accept.encode())] if accept else []
    return Request({"type": "http", "headers": headers, "query_string": search.encode()})


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/json", JSON),
        ("text/plain", TEXT),
        ("text/markdown", MARKDOWN),
        ("text/html", HOCR),
        ("application/xml", ALTO),
        ("application/pdf", PDF),
        ("application/x-ndjson", NDJSON),
        ("application/json, text/plain;q=0.5", JSON),
        ("image/png", JSON),
    ],
)
def test_the_form_is_what_accept_prefers(accept: str, form: Form) -> None:
    assert forms.chosen(request(accept), {}, {}) is form


@pytest.mark.parametrize("name", FORMS)
def test_the_format_of_query_or_form_goes_before_accept(name: str) -> None:
    asked = {"format": name}
    for query_, fields in ((asked, {}), ({}, asked), (asked, asked)):
        assert forms.chosen(request("text/plain"), query_, fields) is FORMS[name]


def test_an_unknown_format_and_two_are_refused_with_what_there_is() -> None:
    with pytest.raises(InvalidInput, match=r"format is 'docx', it can be json, text"):
        forms.chosen(request(), {"format": "docx"}, {})
    with pytest.raises(InvalidInput, match="format is 'pdf' and 'text'"):
        forms.chosen(request(), {"format": "text"}, {"format": "pdf"})


def test_a_file_name_is_proposed_whatever_letters_it_has() -> None:
    assert TEXT.headers('счёт "1".pdf')["Content-Disposition"] == (
        "inline; filename*=UTF-8''%D1%81%D1%87%D1%91%D1%82%20%221%22.txt"
    )
