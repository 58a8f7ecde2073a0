from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


def test_serves_the_page_with_the_prefix_as_its_base(client: Client) -> None:
    toy = client()
    for path in ("/", "/toy", "/toy/"):
        answer = toy.get(path, follow_redirects=False)
        assert answer.status_code == 200
        assert '<base href="/toy/">' in answer.text
    assert '<base href="/">' in client(path_prefix="").get("/").text


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/ui/style.css", "/toy/docs"])
def test_is_asked_each_time_and_sends_what_has_changed_only(client: Client, path: str) -> None:
    first = client().get(path)
    assert first.headers["cache-control"] == "no-cache"
    for etag in (first.headers["etag"], f'"other", {first.headers["etag"]}'):
        again = client().get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
    assert client().get(path, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", ["/static/../../conftest.py", "/static/%2e%2e/secret", "/static//etc/passwd", "/ui/"])
def test_serves_nothing_outside_its_folders(client: Client, page_folder: Path, path: str) -> None:
    (page_folder.parent / "secret").write_text("secret", encoding="utf-8")
    refusal = client().get(path)
    assert (refusal.status_code, refusal.headers["content-type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_documentation_needs_files_that_are_served_from_here(client: Client, path: str) -> None:
    toy = client()
    html = toy.get(path).text
    wanted = [part.split('"')[1] for part in html.replace("href=", "src=").split("src=")[1:]]
    assert len(wanted) > 1
    for url in wanted:
        assert url.startswith("/toy/")
        assert toy.get(url).status_code == 200
    assert "<script>" not in html
