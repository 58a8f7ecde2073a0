from collections.abc import Callable

from servicekit.headers import DOCS_POLICY, POLICY, page_headers
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


def test_forbids_guessing_the_type_of_anything(client: Client) -> None:
    toy = client()
    for path in ("/", "/items/7", "/nothing", "/static/page.js", "/metrics"):
        assert toy.get(path).headers["x-content-type-options"] == "nosniff"


def test_gives_pages_a_policy_without_inline_script_and_lets_nobody_frame_them(client: Client) -> None:
    headers = client().get("/").headers
    assert headers["content-security-policy"] == POLICY
    assert "unsafe-inline" not in POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"


def test_allows_inline_style_for_the_documentation_only(client: Client) -> None:
    toy = client()
    for path in ("/docs", "/toy/redoc"):
        assert toy.get(path).headers["content-security-policy"] == DOCS_POLICY
    assert "script-src 'self';" in DOCS_POLICY


def test_spares_an_api_client_what_only_a_page_needs(client: Client) -> None:
    assert "content-security-policy" not in client().get("/items/7").headers


def test_leaves_a_page_its_own_policy_and_adds_the_rest() -> None:
    own = (b"content-security-policy", b"default-src 'none'; style-src 'sha256-abc'")
    added = dict(page_headers([(b"content-type", b"text/html; charset=utf-8"), own], "/report"))
    assert b"content-security-policy" not in added
    assert added[b"x-frame-options"] == b"DENY"
