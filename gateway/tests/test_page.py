"""The landing page in real Chromium: the services that exist, their health as it is, and the way to each."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from gateway.routes import ROUTES, Route
from playwright.sync_api import Page, expect

FAINT = Path(__file__).parents[2] / "tests/faint_text.js"
TABS = {"digit": "Draw", "ocr": "Read", "cars": "Upload", "anomaly": "Score"}  # the first one of each page


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("gateway")


def test_shows_each_service_with_its_health_and_an_example(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    for route in ROUTES:
        card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=route.title))
        expect(card.locator("[data-state=healthy]")).to_be_visible()
        expect(card.locator("pre")).to_contain_text(f"{base}{route.prefix}")
    expect(page.locator("#health")).to_have_text("healthy")
    expect(page.locator("#checked")).to_contain_text("Checked at")
    assert page.get_by_role("listitem").count() == len(ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_leads_to_the_page_of_a_service_and_back(page: Page, base: str, route: Route) -> None:
    page.goto(f"{base}/")
    page.get_by_role("link", name=f"Open the page of {route.title}").press("Enter")
    expect(page).to_have_url(re.compile(f"^{base}{route.prefix}/(#.*)?$"))
    expect(page.get_by_role("tab", name=TABS[route.name])).to_be_visible()
    page.get_by_role("link", name="All services").click()
    expect(page).to_have_url(f"{base}/")


@pytest.mark.parametrize("path", ["docs", *(f"{route.name}/docs" for route in ROUTES)])
def test_leads_to_documentation_that_loads_from_here_alone(page: Page, base: str, path: str) -> None:
    page.goto(f"{base}/{path}")
    expect(page.locator(".opblock").first).to_be_visible()


def test_copies_the_example_by_keyboard(page: Page, base: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{base}/")
    button = page.get_by_role("button", name="Copy the example of Anomaly detection")
    button.press("Enter")
    expect(button).to_have_text("Copied")
    assert "curl" in page.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keeps_its_contrast_and_fits_a_phone(page: Page, base: str, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{base}/")
    expect(page.locator("#checked")).to_contain_text("Checked at")
    assert page.evaluate(FAINT.read_text(encoding="utf-8")) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_notices_that_the_gateway_is_gone_and_back(page: Page, base: str, refused: set[int]) -> None:
    refused.add(0)
    page.clock.install()
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    page.context.set_offline(True)
    page.clock.run_for(6000)
    expect(page.locator("#offline-bar")).to_be_visible()
    page.context.set_offline(False)
    page.clock.run_for(11_000)
    expect(page.locator("#offline-bar")).to_be_hidden()
