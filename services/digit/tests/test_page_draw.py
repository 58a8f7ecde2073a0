"""Drawing on the page: real Chromium, real mouse, touch and pen events, the real service with the shipped weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

Stroke = list[tuple[float, float]]  # in shares of the drawing area
SEVEN: list[Stroke] = [[(0.28, 0.22), (0.72, 0.22), (0.45, 0.82)]]
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")
ONE: list[Stroke] = [[(0.5, 0.15), (0.49, 0.85)]]
STAR: list[Stroke] = [
    [(0.1, 0.1), (0.9, 0.9)],
    [(0.9, 0.1), (0.1, 0.9)],
    [(0.5, 0.05), (0.5, 0.95)],
    [(0.05, 0.5), (0.95, 0.5)],
]


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("digit", "serve") + "/digit"


@pytest.fixture
def live(page: Page, base: str) -> Page:
    """The page with its socket open."""
    page.goto(f"{base}/")
    expect(page.locator("#draw-line")).to_have_text("live")
    return page


def points(page: Page, stroke: Stroke, pad: str, left: float = 0, share: float = 1) -> list[tuple[float, float]]:
    """The stroke's points on the screen; in a wide area within `share` of its width from `left` on."""
    box = page.locator(pad).bounding_box()
    assert box
    return [(box["x"] + (left + share * x) * box["width"], box["y"] + y * box["height"]) for x, y in stroke]


def press(page: Page, stroke: Stroke, pad: str = "#digit-pad", left: float = 0, share: float = 1) -> None:
    """Draws a stroke by mouse and holds the button."""
    first, *others = points(page, stroke, pad, left, share)
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=12)


def draw(page: Page, strokes: list[Stroke], pad: str = "#digit-pad", left: float = 0, share: float = 1) -> None:
    for stroke in strokes:
        press(page, stroke, pad, left, share)
        page.mouse.up()


def expect_digit(page: Page, digit: str) -> None:
    expect(page.locator("#digit-result")).to_have_attribute("data-state", "digit")
    expect(page.locator(".verdict-digit")).to_have_text(digit)


def expect_blank(page: Page) -> None:
    expect(page.locator("#digit-result")).to_have_attribute("data-state", "blank")
    expect(page.locator(".verdict-text")).to_have_text("Blank")


def ink(page: Page) -> int:
    """How many pixels of the drawing area are dark."""
    count: int = page.evaluate(
        """() => {
          const pad = document.querySelector("#digit-pad");
          const copy = new OffscreenCanvas(pad.width, pad.height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(pad, 0, 0);
          const { data } = copy.getImageData(0, 0, pad.width, pad.height);
          let dark = 0;
          for (let at = 0; at < data.length; at += 4) dark += data[at] < 128;
          return dark;
        }"""
    )
    return count


def test_reads_a_seven_while_it_is_drawn(live: Page) -> None:
    press(live, SEVEN[0])
    expect_digit(live, "7")
    live.mouse.up()
    expect(live.locator(".verdict-text")).to_contain_text("% sure")
    expect(live.locator("#draw-facts")).to_contain_text("over the WebSocket")
    rows = live.get_by_role("table", name="Probability of each digit").get_by_role("row")
    expect(rows).to_have_count(10)
    expect(rows.nth(7)).to_have_class("best")
    expect(live.locator("#announcer")).to_contain_text("7, ")


@pytest.mark.parametrize("paper", ["white", "dark", "ruled", "squared"])
def test_reads_every_colour_on_every_paper(live: Page, paper: str) -> None:
    live.get_by_label("Paper").select_option(paper)
    draw(live, SEVEN)
    expect_digit(live, "7")
    for colour in ("Blue", "Red", "Green"):
        live.get_by_role("button", name="Clear").click()
        expect_blank(live)
        live.get_by_role("radio", name=colour).check(force=True)
        draw(live, SEVEN)
        expect_digit(live, "7")


@pytest.mark.parametrize(("scheme", "paper"), [("light", "white"), ("dark", "dark")])
def test_takes_the_paper_that_suits_the_screen(
    page: Page, base: str, scheme: Literal["light", "dark"], paper: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 700})
    page.goto(f"{base}/")
    expect(page.get_by_label("Paper")).to_have_value(paper)
    draw(page, SEVEN)
    expect_digit(page, "7")
    assert page.evaluate(FAINT) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    draw(page, STAR)
    expect(page.locator("#digit-result")).to_have_attribute("data-state", "none")
    assert page.evaluate(FAINT) == []


def test_undoes_redoes_and_clears_by_keyboard(live: Page) -> None:
    draw(live, SEVEN)
    expect_digit(live, "7")
    live.keyboard.press("Control+z")
    expect_blank(live)
    live.keyboard.press("Control+Shift+Z")
    expect_digit(live, "7")
    live.keyboard.press("Delete")
    expect_blank(live)
    live.get_by_role("button", name="Undo").focus()
    live.keyboard.press("Enter")
    expect_digit(live, "7")
    expect(live.get_by_role("button", name="Undo")).to_be_focused()
    live.get_by_role("button", name="Clear").click()
    expect_blank(live)
    expect(live.get_by_role("button", name="Clear")).to_be_disabled()


def test_draws_by_keyboard_alone(live: Page) -> None:
    live.locator("#digit-pad").focus()
    live.keyboard.press("Space")
    for _ in range(6):
        live.keyboard.press("Shift+ArrowDown")
    live.keyboard.press("Space")
    expect_digit(live, "1")
    live.keyboard.press("ArrowRight")
    drawn = ink(live)
    live.keyboard.press("Shift+ArrowUp")
    assert ink(live) == drawn
    size = live.get_by_label("Pen", exact=True)
    before = int(size.input_value())
    live.keyboard.press("]")
    live.keyboard.press("]")
    live.keyboard.press("[")
    assert int(size.input_value()) == before + 10


def test_draws_with_a_finger_and_ignores_the_resting_hand(live: Page) -> None:
    session = live.context.new_cdp_session(live)

    def touch(kind: str, *fingers: tuple[float, float]) -> None:
        at = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(fingers)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    first, middle, last = points(live, SEVEN[0], "#digit-pad")
    (hand,) = points(live, [(0.95, 0.95)], "#digit-pad")
    touch("touchStart", first)
    for step in range(1, 13):
        touch("touchMove", (first[0] + (middle[0] - first[0]) * step / 12, first[1]))
    touch("touchStart", middle, hand)
    for step in range(1, 13):
        share = step / 12
        at = (middle[0] + (last[0] - middle[0]) * share, middle[1] + (last[1] - middle[1]) * share)
        touch("touchMove", at, (hand[0] - step, hand[1]))
    touch("touchEnd")
    expect_digit(live, "7")
    live.keyboard.press("Control+z")
    expect_blank(live)
    assert live.evaluate("scrollY") == 0


def test_follows_the_pressure_of_a_pen(live: Page) -> None:
    session = live.context.new_cdp_session(live)

    def pen(force: float) -> int:
        for kind, (x, y) in zip(
            ("mousePressed", "mouseMoved", "mouseReleased"),
            points(live, [(0.5, 0.2), (0.5, 0.8), (0.5, 0.8)], "#digit-pad"),
            strict=True,
        ):
            event: dict[str, Any] = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
            session.send("Input.dispatchMouseEvent", {**event, "pointerType": "pen", "force": force})
        expect_digit(live, "1")
        drawn = ink(live)
        live.get_by_role("button", name="Clear").click()
        expect_blank(live)
        return drawn

    assert pen(0.1) < 0.7 * pen(0.9)


def test_says_that_a_star_is_no_digit(live: Page) -> None:
    draw(live, STAR)
    expect(live.locator("#digit-result")).to_have_attribute("data-state", "none")
    expect(live.locator(".verdict-words")).to_contain_text("no digit")
    expect(live.locator("#announcer")).to_contain_text("No digit")


def test_reads_a_number_and_puts_boxes_over_it(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_text("A number", exact=True).click()
    for left, digit in ((0.05, SEVEN), (0.35, ONE), (0.65, SEVEN)):
        draw(page, digit, "#number-pad", left, 0.3)
    expect(page.locator(".number-text")).to_have_text("717")
    expect(page.locator("#number-boxes .box")).to_have_count(3)
    expect(page.get_by_role("list", name="Each digit and how sure it is").get_by_role("listitem")).to_have_count(3)
    box, pad = page.locator(".box").nth(1).bounding_box(), page.locator("#number-pad").bounding_box()
    assert box
    assert pad
    assert 0.45 < (box["x"] + box["width"] / 2 - pad["x"]) / pad["width"] < 0.55
    page.keyboard.press("Control+z")
    expect(page.locator(".number-text")).to_have_text("71")
    page.get_by_text("One digit", exact=True).click()
    expect_blank(page)
    page.get_by_text("A number", exact=True).click()
    expect(page.locator(".number-text")).to_have_text("71")


def test_shows_what_a_number_leaves_out(page: Page, base: str) -> None:
    page.goto(f"{base}/#draw/number")
    draw(page, SEVEN, "#number-pad", 0.1, 0.3)
    draw(page, [[(0.5, 0.86), (0.49, 0.9)]], "#number-pad", 0.3, 0.3)
    draw(page, ONE, "#number-pad", 0.55, 0.3)
    expect(page.locator(".number-text")).to_have_text("71")
    expect(page.locator("#number-boxes .left-out")).to_have_count(1)
    expect(page.locator("#number-result")).to_contain_text("1 mark left out: no digit.")


def test_asks_another_model(live: Page) -> None:
    draw(live, SEVEN)
    expect_digit(live, "7")
    names = live.locator("#model option").all_text_contents()
    for other in (name for name in names if "default" not in name):
        live.get_by_label("Model", exact=True).select_option(other)
        expect(live.locator("#draw-facts")).to_contain_text(other)
        expect_digit(live, "7")


def test_saves_the_drawing(live: Page) -> None:
    expect(live.get_by_role("button", name="Save")).to_be_disabled()
    draw(live, SEVEN)
    with live.expect_download() as download:
        live.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "digit.png"
    assert Path(download.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_draws_as_sharply_as_the_screen_can(
    open_page: Callable[[str], Page], base: str, scheme: Literal["light", "dark"]
) -> None:
    page = open_page(base)
    session = page.context.new_cdp_session(page)
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 3, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    page.emulate_media(color_scheme=scheme)
    page.goto(f"{base}/")
    draw(page, SEVEN)
    expect_digit(page, "7")
    size, shown = page.evaluate(
        "(() => { const c = document.querySelector('#digit-pad'); return [c.width, c.clientWidth]; })()"
    )
    assert size == 3 * shown
    session.send("Emulation.setDeviceMetricsOverride", {**metrics, "width": 700})
    expect(page.locator("#digit-pad")).to_have_js_property(
        "width", 3 * page.evaluate("document.querySelector('#digit-pad').clientWidth")
    )
    page.get_by_label("Paper").select_option("ruled")
    expect_digit(page, "7")
