"""The frame of the page: real Chromium against the real service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Page, expect
from servicekit import auth

TABS = ("read", "jobs", "models", "api")
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


def test_answers_with_and_without_the_slash_and_without_the_prefix(page: Page, base: str) -> None:
    for address in (base, f"{base}/", base.removesuffix("ocr")):
        page.goto(address)
        expect(page.locator("#health [data-state=healthy]")).to_be_visible()
        assert page.url == f"{base}/"


def test_offers_every_section_to_the_keyboard_and_to_links(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("tab", name="Read").focus()
    for tab in TABS[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        assert f"#{tab}" in page.url
    page.go_back()
    expect(page.locator("#models")).to_be_visible()
    page.goto(f"{base}/#%E0%A4%A")
    expect(page.locator("#read")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_keeps_its_contrast_and_fits_the_screen(
    page: Page, base: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#{tab} .loading")).to_have_count(0)
        assert page.evaluate(FAINT) == [], tab
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab


def test_gives_every_control_a_name(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#{tab} .loading")).to_have_count(0)
        roles = "button|textbox|searchbox|combobox|checkbox|radio|slider|spinbutton|link|tab|dialog|option|progressbar"
        assert re.findall(f"- ({roles})( \\[|:|$)", page.locator("body").aria_snapshot(), re.MULTILINE) == [], tab


def test_shows_each_model_with_its_digest_and_the_limits(page: Page, base: str) -> None:
    models = httpx2.get(f"{base}/models").json()["items"]
    health = httpx2.get(f"{base}/health").json()
    page.goto(f"{base}/#models")
    assert models
    for model in models:
        region = page.get_by_role("region", name=model["name"], exact=True)
        expect(region.locator("code")).to_have_text(model["sha256"])
        expect(region).to_contain_text(model["provider"])
    expect(page.locator("#models-service")).to_contain_text(health["model_version"])
    expect(page.locator("#models-service")).to_contain_text(", ".join(health["supported_languages"]))
    expect(page.locator("#models-limits")).to_contain_text(f"{health['limits']['max_image_width']:,}")


def test_shows_calls_in_three_languages_with_the_right_address(page: Page, base: str) -> None:
    page.goto(f"{base}/#api")
    code = page.locator("#api code")
    expect(code.first).to_have_text(f"curl '{base}/upload' \\\n  -F file=@label.jpg")
    page.get_by_role("radio", name="Python").check()
    expect(page.get_by_role("radio", name="Python")).to_be_focused()
    for text in code.all_inner_texts():
        compile(text, "example.py", "exec")
    expect(code.first).to_contain_text(f'url = "{base}/upload"')
    page.get_by_role("radio", name="JavaScript").check()
    expect(code.first).to_contain_text(f'fetch("{base}/upload"')


def test_asks_for_a_key_and_sends_it_along(
    open_page: Callable[[str], Page], refused: set[int], serve: Callable[..., str]
) -> None:
    secret, line = auth.generate("shift", "read")
    base = serve("ocr", "serve", OCR_API_KEYS=line) + "/ocr"
    refused.add(401)
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#key-bar")).to_contain_text("This call needs an API key.")
    page.get_by_label("API key").fill("not it")
    page.keyboard.press("Enter")
    page.locator("#tab-jobs").click()
    expect(page.locator("#key-bar")).to_contain_text("the API key is not known")
    page.get_by_label("API key").fill(secret)
    page.keyboard.press("Enter")
    expect(page.locator("#key-bar")).to_be_hidden()
    expect(page.locator("#jobs-list .empty")).to_be_visible()
    page.goto(f"{base}/#api")
    expect(page.locator("#api code").first).to_contain_text("X-API-Key: $LINESIDE_KEY")
