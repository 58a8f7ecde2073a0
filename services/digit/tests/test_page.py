"""The frame of the page: real Chromium against the real service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import httpx2
import pytest
from playwright.sync_api import Page, expect
from servicekit import auth

TABS = ("draw", "files", "models", "api")
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("digit", "serve") + "/digit"


def test_answers_with_and_without_the_slash_and_without_the_prefix(page: Page, base: str) -> None:
    for address in (base, f"{base}/", base.removesuffix("digit")):
        page.goto(address)
        expect(page.locator("#health [data-state=healthy]")).to_be_visible()
        assert page.url == f"{base}/"


def test_offers_every_section_to_the_keyboard_and_to_links(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("tab", name="Draw").focus()
    for tab in TABS[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        assert f"#{tab}" in page.url
    page.go_back()
    expect(page.locator("#models")).to_be_visible()
    page.goto(f"{base}/#draw/number")
    expect(page.get_by_role("radio", name="A number")).to_be_checked()
    expect(page.locator("#number-pad")).to_be_visible()
    page.goto(f"{base}/#%E0%A4%A")
    expect(page.locator("#draw")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_keeps_its_contrast_and_fits_the_screen(
    page: Page, base: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{base}/")
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#{tab} .loading")).to_have_count(0)
        assert page.evaluate(FAINT) == [], tab
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), tab


def test_gives_every_control_a_name(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    for tab in TABS:
        page.locator(f"#tab-{tab}").click()
        expect(page.locator(f"#{tab} .loading")).to_have_count(0)
        roles = "button|textbox|searchbox|combobox|checkbox|radio|slider|link|tab|dialog|application|progressbar"
        assert re.findall(f"- ({roles})( \\[|:|$)", page.locator("body").aria_snapshot(), re.MULTILINE) == [], tab


def test_shows_each_model_with_its_digest_and_its_accuracies(page: Page, base: str) -> None:
    models = httpx2.get(f"{base}/models").json()["items"]
    page.goto(f"{base}/#models")
    for model in models:
        region = page.get_by_role("region", name=model["name"], exact=True)
        expect(region).to_contain_text(f"{model['parameters']:,}")
        expect(region.locator("code")).to_have_text(model["sha256"])
    default = next(model for model in models if model["default"])
    row = page.locator("#models-accuracy tbody tr").first
    name, value = next(iter(models[0]["accuracy"].items()))
    expect(row).to_contain_text(name.replace("_", " "))
    expect(row).to_contain_text(f"{100 * value:.2f} %")
    expect(page.locator("#model")).to_contain_text(f"{default['name']} (default)")


def test_shows_calls_with_the_right_address_and_the_chosen_model(page: Page, base: str) -> None:
    page.goto(f"{base}/#api")
    code = page.locator("#api code")
    expect(code.first).to_have_text(f"curl '{base}/predict' \\\n  -F file=@seven.png")
    expect(code.last).to_contain_text(f'connect("ws{base.removeprefix("http")}/ws")')
    page.get_by_label("Model", exact=True).select_option("cnn")
    expect(code.first).to_contain_text(f"curl '{base}/predict?model=cnn'")
    expect(code.last).to_contain_text('"model": "cnn"')


def test_asks_for_a_key_and_opens_the_socket_with_it(
    open_page: Callable[[str], Page], refused: set[int], serve: Callable[..., str]
) -> None:
    secret, line = auth.generate("shift", "read")
    base = serve("digit", "serve", DIGIT_API_KEYS=line) + "/digit"
    refused.add(401)
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#key-bar")).to_contain_text("This call needs an API key.")
    expect(page.locator("#draw-line")).to_have_text("")
    page.get_by_label("API key").fill("not it")
    page.keyboard.press("Enter")
    expect(page.locator("#key-bar")).to_contain_text("the API key is not known")
    with page.expect_websocket() as opened:
        page.get_by_label("API key").fill(secret)
        page.keyboard.press("Enter")
    assert opened.value.url == f"ws{base.removeprefix('http')}/ws"
    expect(page.locator("#key-bar")).to_be_hidden()
    expect(page.locator("#draw-line")).to_have_text("live")
    page.goto(f"{base}/#api")
    expect(page.locator("#api code").first).to_contain_text("X-API-Key: $LINESIDE_KEY")
