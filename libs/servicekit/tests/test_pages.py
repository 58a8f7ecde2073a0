from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from servicekit.app import Service
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


@pytest.fixture
def base(make: Callable[..., Service], served: Callable[[Service], AbstractContextManager[int]]) -> Iterator[str]:
    with served(make()) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("prefix", ["", "/toy"])
def test_swagger_ui_works_under_its_policy_and_can_call_the_service(page: Page, base: str, prefix: str) -> None:
    page.goto(f"{base}{prefix}/docs")
    operation = page.locator(".opblock", has_text="/items/{number}").first
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Try it out").click()
    operation.get_by_placeholder("number").fill("7")
    operation.get_by_role("button", name="Execute").click()
    expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(operation.locator(".live-responses-table")).to_contain_text('"number": 7')


@pytest.mark.parametrize("prefix", ["", "/toy"])
def test_redoc_works_under_its_policy(browser: Browser, base: str, prefix: str) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.goto(f"{base}{prefix}/redoc")
    expect(page.get_by_role("heading", name="Toy (1.2.3)")).to_be_visible()
    page.get_by_role("textbox").first.fill("item")
    expect(page.get_by_role("search").get_by_text("Put Item").first).to_be_visible()
    expect(page.locator("img[src*='cdn.redoc']").first).to_be_hidden()
    page.close()
    assert [text for text in complaints if "logo-mini.svg" not in text] == []
