from collections.abc import Callable

import pytest
from servicekit import media
from starlette.requests import Request
from starlette.testclient import TestClient


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8";x=y'],
)
def test_takes_a_media_type_with_parameters(client: Callable[..., TestClient], content_type: str) -> None:
    answer = client().post("/sum", content='{"numbers":[1]}', headers={"Content-Type": content_type})
    assert answer.json() == {"total": 1}


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-16", "x" * 5000, "\xff"])
def test_refuses_another_media_type_and_names_what_it_takes(
    client: Callable[..., TestClient], content_type: str
) -> None:
    headers = {b"Content-Type": content_type.encode("latin-1")}
    refusal = client().post("/sum", content='{"numbers":[1]}', headers=headers)
    assert (refusal.status_code, refusal.headers["content-type"]) == (415, "application/problem+json")
    assert refusal.json()["type"] == "urn:lineside:problem:unsupported-media-type"
    assert "application/json" in refusal.json()["detail"] or "utf-8" in refusal.json()["detail"]
    assert len(refusal.content) < 1000


@pytest.mark.parametrize(
    ("accept", "preferred"),
    [
        ("text/csv", True),
        ("application/json, text/csv", True),
        ("text/csv;q=0.5, application/json", False),
        ("text/csv;q=0", False),
        ("text/csv;q=nonsense", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_weighs_what_a_client_accepts(accept: str, preferred: bool) -> None:
    request = Request({"type": "http", "headers": [(b"accept", accept.encode())]})
    assert media.prefers(request, "text/csv") is preferred
