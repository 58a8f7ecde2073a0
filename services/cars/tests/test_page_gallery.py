"""Gallery: tiles, filters that can be linked, more of them as one scrolls, and work on several at once."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest
from photographs import BLUE, RED, YELLOW, drawn
from playwright.sync_api import Page, expect

MANY = 65  # more than a page of the gallery
HERE = str(Path(__file__).parent)


def stored(base: str, name: str, data: bytes, *, recognise: bool = True) -> int:
    answer = httpx2.post(f"{base}/upload/", files={"file": (name, data)})
    number: int = answer.raise_for_status().json()["id"]
    if recognise:
        httpx2.post(f"{base}/inference/{number}").raise_for_status()
    return number


@pytest.fixture
def gallery(page: Page, base: str) -> Iterator[Page]:
    """The gallery with a Ferrari, a Tesla, one that is not known, and one that waits; newest first."""
    numbers = [stored(base, f"{name}.png", drawn(colour)) for name, colour in (("red", RED), ("blue", BLUE))]
    numbers.append(stored(base, "yellow.png", drawn(YELLOW)))
    numbers.append(stored(base, "waits.png", drawn(RED), recognise=False))
    page.goto(f"{base}/#gallery")
    expect(page.locator(".tile")).to_have_count(4)
    yield page
    for number in numbers:
        httpx2.delete(f"{base}/files/{number}")


def names(page: Page) -> list[str]:
    return page.locator(".tile-name").all_text_contents()


def test_shows_each_picture_with_its_state_as_icon_and_word(gallery: Page) -> None:
    assert names(gallery) == ["waits.png", "yellow.png", "blue.png", "red.png"]
    states = gallery.locator(".tile-state .mark")
    expect(states).to_have_text(["not recognised yet", "not recognised", "recognised", "recognised"])
    expect(gallery.locator(".tile-state svg")).to_have_count(4)
    expect(gallery.locator(".tile-title").nth(2)).to_have_text("Tesla Model S Sedan 2012 81 %")
    expect(gallery.locator(".tile-title").nth(1)).to_have_text("A car that the model does not know")
    expect(gallery.locator(".tile img").first).to_have_js_property("naturalWidth", 320)


def test_filters_and_keeps_them_in_the_address(gallery: Page, base: str) -> None:
    for choose, expected in (
        (lambda: gallery.get_by_label("Status").select_option("pending"), ["waits.png"]),
        (lambda: gallery.get_by_label("Make", exact=True).fill("Tesla"), ["blue.png"]),
        (lambda: gallery.get_by_label("Model", exact=True).fill("FF"), ["red.png"]),
        (lambda: gallery.get_by_label("Name or label").fill("yell"), ["yellow.png"]),
        (lambda: gallery.get_by_label("From").fill("2100-01-01"), []),
        (lambda: gallery.get_by_label("To").fill("2000-01-01"), []),
        (lambda: gallery.get_by_label("Confidence").select_option("90 % and more"), []),
    ):
        gallery.get_by_role("button", name="Show all").click()
        expect(gallery.locator(".tile")).to_have_count(4)
        choose()
        expect(gallery.locator(".tile-name")).to_have_text(expected)
    expect(gallery.locator("#gallery-end")).to_have_text("No picture is like that.")
    gallery.goto(f"{base}/#gallery/make%3DTesla")
    expect(gallery.get_by_label("Make", exact=True)).to_have_value("Tesla")
    expect(gallery.locator(".tile-name")).to_have_text(["blue.png"])


def test_keeps_a_day_of_the_users_own_clock(gallery: Page) -> None:
    today = gallery.evaluate("new Date().toLocaleDateString('sv')")
    gallery.get_by_label("From").fill(today)
    gallery.get_by_label("To").fill(today)
    expect(gallery).to_have_url(re.compile("from%3D"))
    expect(gallery.locator(".tile")).to_have_count(4)


def test_goes_from_tile_to_tile_and_selects_on_the_keyboard(gallery: Page) -> None:
    links = gallery.locator(".tile > a")
    links.first.focus()
    gallery.keyboard.press("ArrowRight")
    expect(links.nth(1)).to_be_focused()
    gallery.keyboard.press("Space")
    expect(gallery.locator("#gallery-selection")).to_contain_text("1 selected")
    gallery.keyboard.press("End")
    expect(links.nth(3)).to_be_focused()
    gallery.keyboard.press("Control+a")
    expect(gallery.locator("#gallery-selection")).to_contain_text("4 selected")
    gallery.keyboard.press("Escape")
    expect(gallery.locator("#gallery-selection")).to_contain_text("Select pictures")
    gallery.keyboard.press("Enter")
    expect(gallery.locator("#file h2")).to_have_text("red.png")


def test_recognises_and_reprocesses_what_is_selected(gallery: Page) -> None:
    gallery.get_by_label("Select waits.png").check()
    gallery.get_by_role("button", name="Recognise", exact=True).click()
    expect(gallery.locator(".tile-state .mark").first).to_have_text("recognised")
    gallery.get_by_label("Select yellow.png").check()
    expect(gallery.locator("#gallery-selection")).to_contain_text("2 selected")
    with gallery.expect_response("**/reprocess"), gallery.expect_response("**/inference/batch") as answer:
        gallery.get_by_role("button", name="Reprocess").click()
    assert len(answer.value.json()["items"]) == 2
    expect(gallery.locator(".tile-state .mark").nth(1)).to_have_text("not recognised")


def test_deletes_only_what_is_confirmed(gallery: Page) -> None:
    gallery.get_by_label("Select waits.png").check()
    gallery.get_by_label("Select red.png").click(modifiers=["Shift"])
    expect(gallery.locator("#gallery-selection")).to_contain_text("4 selected")
    gallery.get_by_label("Select yellow.png").uncheck()
    gallery.get_by_label("Select red.png").uncheck()
    gallery.get_by_role("button", name="Delete").click()
    expect(gallery.get_by_role("dialog")).to_contain_text("Delete 2 pictures?")
    expect(gallery.get_by_role("button", name="Cancel")).to_be_focused()
    gallery.keyboard.press("Escape")
    expect(gallery.locator(".tile")).to_have_count(4)
    gallery.get_by_role("button", name="Delete").click()
    gallery.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(gallery.locator(".tile-name")).to_have_text(["yellow.png", "red.png"])


def test_says_which_picture_failed(gallery: Page, refused: set[int]) -> None:
    refused.add(404)
    number = gallery.locator(".tile").nth(1).get_attribute("data-id")
    gallery.get_by_label("Select waits.png").check()
    gallery.get_by_label("Select yellow.png").check()
    httpx2.delete(f"{gallery.evaluate('document.baseURI')}files/{number}").raise_for_status()
    gallery.get_by_role("button", name="Delete").click()
    gallery.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(gallery.get_by_role("alert")).to_contain_text("yellow.png")
    expect(gallery.get_by_role("alert")).to_contain_text(f"no file {number}")
    expect(gallery.locator(".tile-name")).to_have_text(["blue.png", "red.png"])


def test_shows_more_as_one_scrolls_and_follows_a_long_batch_as_a_job(
    open_page: Callable[[str], Page], serve: Callable[..., str]
) -> None:
    base = serve("painted_serve", "serve", PYTHONPATH=HERE) + "/cars"
    for number in range(MANY):
        stored(base, f"{number}.png", drawn(BLUE), recognise=False)
    page = open_page(base)
    page.goto(f"{base}/#gallery")
    expect(page.locator(".tile")).to_have_count(MANY - 5)
    page.locator("#gallery-end").scroll_into_view_if_needed()
    expect(page.locator(".tile")).to_have_count(MANY)
    assert names(page) == [f"{number}.png" for number in reversed(range(MANY))]
    expect(page.locator("#gallery-end")).to_have_text("65 pictures in all")
    page.get_by_role("button", name="Select all shown").click()
    with page.expect_response("**/inference/batch") as answer:
        page.get_by_role("button", name="Recognise", exact=True).click()
    assert answer.value.status == 202
    expect(page.locator(".tile-state [data-state=recognized]")).to_have_count(MANY)
