"""The frame of the page, its models and its examples: real Chromium against the real service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import httpx2
import hub
import pytest
from cars.backends.hub_breaker import FAILURES
from photographs import BLUE, MAGENTA, RED, YELLOW, drawn, kept
from playwright.sync_api import Page, expect
from servicekit import auth

TABS = ("upload", "gallery", "file", "statistics", "models", "api")
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")
HERE = str(Path(__file__).parent)


@pytest.fixture
def filled(page: Page, base: str) -> Page:
    """The page of a service that has a picture of every kind, with the last one in the tab of pictures."""
    page.goto(f"{base}/")
    for name, colour in (("a.png", RED), ("b.png", YELLOW), ("c.png", MAGENTA), ("d.png", (0, 200, 0))):
        kept(page, name, drawn(colour))
    number = kept(page, "e.png", drawn(BLUE))
    page.goto(f"{base}/#file/{number}")
    expect(page.locator("#file h2")).to_have_text("e.png")
    return page


def test_answers_with_and_without_the_slash_and_without_the_prefix(page: Page, base: str) -> None:
    for address in (base, f"{base}/", base.removesuffix("cars")):
        page.goto(address)
        expect(page.locator("#health [data-state=healthy]")).to_be_visible()
        assert page.url == f"{base}/"


def test_offers_every_section_to_the_keyboard_and_to_links(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("tab", name="Upload").focus()
    for tab in TABS[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        assert f"#{tab}" in page.url
    page.go_back()
    expect(page.locator("#models")).to_be_visible()
    page.goto(f"{base}/#%E0%A4%A")
    expect(page.locator("#upload")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_keeps_its_contrast_and_fits_the_screen(filled: Page, scheme: Literal["light", "dark"], width: int) -> None:
    filled.emulate_media(color_scheme=scheme)
    filled.set_viewport_size({"width": width, "height": 800})
    for tab in TABS:
        filled.locator(f"#tab-{tab}").click()
        expect(filled.locator(f"#{tab}")).to_be_visible()
        expect(filled.locator(f"#{tab} .loading")).to_have_count(0)
        assert filled.evaluate(FAINT) == [], tab
        assert filled.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab


def test_gives_every_control_a_name(filled: Page) -> None:
    for tab in TABS:
        filled.locator(f"#tab-{tab}").click()
        expect(filled.locator(f"#{tab} .loading")).to_have_count(0)
        roles = "button|textbox|searchbox|combobox|checkbox|radio|slider|spinbutton|link|tab|dialog|option|progressbar"
        assert re.findall(f"- ({roles})( \\[|:|$)", filled.locator("body").aria_snapshot(), re.MULTILINE) == [], tab


def test_shows_the_model_the_limits_and_the_cars_that_can_be_searched(page: Page, base: str) -> None:
    page.goto(f"{base}/#models")
    expect(page.locator("#models-list h3")).to_have_text("painted")
    expect(page.locator("#models-limits")).to_contain_text("Largest file10.0 MiB")
    expect(page.locator("#models-service")).to_contain_text("sqlite")
    labels = httpx2.get(f"{base}/labels").json()["items"]
    expect(page.locator("#models-labels tbody tr")).to_have_count(len(labels))
    page.get_by_label("Search").fill("tesla s")
    expect(page.locator("#models-labels tbody tr")).to_have_count(1)
    expect(page.locator("#models-labels")).to_contain_text("Tesla Model S Sedan 2012")


def test_shows_calls_in_three_languages_with_the_right_address(page: Page, base: str) -> None:
    page.goto(f"{base}/#api")
    code = page.locator("#api code")
    expect(code.first).to_have_text(f"curl -X POST '{base}/upload/' \\\n  -F \"file=@car.jpg\"")
    page.get_by_role("radio", name="Python").check()
    expect(page.get_by_role("radio", name="Python")).to_be_focused()
    for text in code.all_inner_texts():
        compile(text, "example.py", "exec")
    expect(code.first).to_contain_text(f'url = "{base}/upload/"')
    page.get_by_role("radio", name="JavaScript").check()
    expect(code.first).to_contain_text(f'fetch("{base}/upload/"')


def test_asks_for_a_key_and_sends_it_along_with_pictures_too(
    open_page: Callable[[str], Page], refused: set[int], serve: Callable[..., str]
) -> None:
    secret, line = auth.generate("shift", "admin")
    base = serve("painted_serve", "serve", PYTHONPATH=HERE, CARS_API_KEYS=line) + "/cars"
    refused.add(401)
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#key-bar")).to_contain_text("This call needs an API key.")
    page.get_by_label("API key").fill("not it")
    page.keyboard.press("Enter")
    page.locator("#tab-gallery").click()
    expect(page.locator("#key-bar")).to_contain_text("the API key is not known")
    page.get_by_label("API key").fill(secret)
    page.keyboard.press("Enter")
    expect(page.locator("#gallery-end .empty")).to_be_visible()
    number = kept(page, "a.png", drawn(RED, 640, 480))
    image = page.locator("#upload-list img")
    expect(image).to_have_attribute("src", re.compile("^blob:"))
    expect(image).to_have_js_property("naturalWidth", 320)
    page.goto(f"{base}/#file/{number}")
    expect(page.locator("#file img")).to_have_js_property("naturalWidth", 640)
    page.goto(f"{base}/#api")
    expect(page.locator("#api code").first).to_contain_text("X-API-Key: $LINESIDE_KEY")


def test_tells_that_the_remote_recogniser_is_left_alone_for_a_while(
    open_page: Callable[[str], Page], serve: Callable[..., str], refused: set[int]
) -> None:
    refused.add(503)
    with hub.Hub([hub.html(502)]) as remote:
        base = (
            serve(
                "cars",
                "serve",
                CARS_BACKEND="huggingface",
                CARS_HF_API_TOKEN="hf_test",
                CARS_HF_ENDPOINT=remote.url,
                CARS_HF_RETRIES="0",
            )
            + "/cars"
        )
        for _ in range(FAILURES):
            httpx2.post(f"{base}/recognize", files={"file": ("a.png", drawn(RED))})
        page = open_page(base)
        page.goto(f"{base}/#models")
        expect(page.locator("#models-list [data-state=failed]")).to_have_text("open: no calls go out")
        expect(page.locator("#models-list")).to_contain_text("huggingface")
        expect(page.locator("body")).not_to_contain_text("hf_test")
