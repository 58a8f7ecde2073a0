"""Upload: files come in from everywhere, are sent with progress, recognised, and told of where they fail."""

import base64
from collections.abc import Callable
from pathlib import Path

import pytest
from painted import picture
from photographs import BLUE, MAGENTA, RED, YELLOW, card, drawn, give
from PIL import Image
from playwright.sync_api import Page, Route, expect

HOSTILE = "<img src=x onerror=alert(1)>.png"
REASONS = {YELLOW: "A car that the model does not know", MAGENTA: "Not sure", (0, 200, 0): "No car"}
LARGE_BYTES = 10_485_761


@pytest.fixture
def uploading(page: Page, base: str) -> Page:
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    return page


def test_shows_the_region_over_the_picture_and_every_name_with_its_confidence(uploading: Page) -> None:
    give(uploading, ("car.png", drawn(RED, 640, 480)))
    shown = card(uploading, "car.png")
    expect(shown.locator(".verdict")).to_have_text("Ferrari FF Coupe 2012")
    expect(shown.locator(".names")).to_have_text("MakeFerrari 97 %ModelFF 84 %BodyCoupe 90 %Year2012 99 %")
    expect(shown.locator(".bars li")).to_have_count(5)
    expect(shown.locator(".bars li").first).to_have_text("Ferrari FF Coupe 201281 %")
    expect(shown.locator(".bar-length").first).to_have_attribute("style", "width: 81%;")
    expect(shown.locator("svg[viewBox]").first).to_have_attribute("viewBox", "0 0 640 480")
    edge = shown.locator("rect.edge")
    assert [edge.get_attribute(name) for name in ("x", "y", "width", "height")] == ["160", "120", "320", "240"]
    expect(shown.locator("img")).to_have_js_property("naturalWidth", 320)


@pytest.mark.parametrize("colour", REASONS)
def test_says_in_words_why_a_picture_is_not_recognised(uploading: Page, colour: tuple[int, int, int]) -> None:
    give(uploading, ("car.png", drawn(colour)))
    expect(card(uploading, "car.png").locator(".refusal")).to_contain_text(REASONS[colour])
    expect(card(uploading, "car.png").locator(".bars li")).to_have_count(0 if REASONS[colour] == "No car" else 5)


def test_takes_many_at_once_and_counts_them(uploading: Page) -> None:
    files = [(f"car-{number}.png", drawn(BLUE)) for number in range(12)]
    give(uploading, *files)
    expect(uploading.locator("#upload-said")).to_have_text("12 pictures done")
    expect(uploading.locator("#upload-list .verdict")).to_have_text(["Tesla Model S Sedan 2012"] * 12)
    uploading.get_by_role("button", name="Clear the list").click()
    expect(uploading.locator("#upload-list > li")).to_have_count(0)


def test_tells_of_a_picture_that_was_there_already(uploading: Page) -> None:
    data = drawn(RED)
    give(uploading, ("first.png", data))
    expect(card(uploading, "first.png").locator(".verdict")).to_be_visible()
    give(uploading, ("second.png", data))
    expect(card(uploading, "second.png")).to_contain_text("was here already")
    expect(card(uploading, "first.png")).not_to_contain_text("was here already")


def test_moves_a_bar_while_a_file_is_on_its_way(uploading: Page) -> None:
    uploading.evaluate(
        """() => {
          window.seen = [];
          new MutationObserver(() => {
            const bar = document.querySelector("#upload-list progress");
            if (bar) window.seen.push(bar.getAttribute("aria-label"));
          }).observe(document.querySelector("#upload-list"), { childList: true, subtree: true });
        }"""
    )
    give(uploading, ("car.png", drawn(RED)))
    expect(card(uploading, "car.png").locator(".verdict")).to_be_visible()
    seen = uploading.evaluate("[...new Set(seen)]")
    assert seen == ["car.png: being sent", "car.png: being recognised"]


def test_says_which_file_is_refused_and_why_and_takes_the_others(uploading: Page, refused: set[int]) -> None:
    refused.add(422)
    give(uploading, (HOSTILE, b"no picture"), ("large.jpg", bytes(LARGE_BYTES)), ("car.png", drawn(RED)))
    expect(uploading.locator("#upload-said")).to_contain_text("1 picture done")
    expect(uploading.locator("#upload-said")).to_contain_text("2 not taken")
    hostile = card(uploading, HOSTILE)
    expect(hostile.get_by_role("alert")).to_contain_text("JPEG and PNG")
    expect(hostile.get_by_role("alert")).to_contain_text("Request id")
    expect(hostile.get_by_role("button", name="Try again")).to_have_count(0)
    expect(card(uploading, "large.jpg").get_by_role("alert")).to_contain_text("10.0 MiB")
    expect(card(uploading, "car.png").locator(".verdict")).to_be_visible()


def test_tries_failed_files_again_when_it_is_told_to(uploading: Page, refused: set[int]) -> None:
    refused.update((0, 500))
    uploading.route("**/upload/", lambda route: route.abort(), times=1)
    give(uploading, ("cut.png", drawn(RED)))
    expect(card(uploading, "cut.png").get_by_role("alert")).to_contain_text("could not be reached")
    uploading.route("**/inference/*", lambda route: route.fulfill(status=500, body="<h1>proxy</h1>"), times=1)
    card(uploading, "cut.png").get_by_role("button", name="Try again").click()
    expect(card(uploading, "cut.png").get_by_role("alert")).to_contain_text("500")
    uploading.get_by_role("button", name="Try the failed ones again").click()
    expect(card(uploading, "cut.png").locator(".verdict")).to_be_visible()
    expect(uploading.locator("#upload-said")).to_have_text("1 picture done")


def test_comes_back_when_a_busy_service_says_so(uploading: Page, refused: set[int]) -> None:
    refused.add(503)
    asked: list[str] = []

    def busy(route: Route) -> None:
        asked.append(route.request.url)
        headers = {"Retry-After": "1", "Content-Type": "application/problem+json"}
        route.fulfill(status=503, headers=headers, body='{"title":"Overloaded","status":503,"detail":"too many"}')

    uploading.route("**/inference/*", busy, times=1)
    give(uploading, ("car.png", drawn(RED)))
    expect(card(uploading, "car.png").locator(".verdict")).to_be_visible()
    assert len(asked) == 1


def test_takes_a_picture_that_is_pasted(uploading: Page, base: str) -> None:
    uploading.goto(f"{base}/#api")
    paste = """(data) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
      dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
    }"""
    uploading.evaluate(paste, base64.b64encode(drawn(RED)).decode())
    expect(card(uploading, "pasted-1.png").locator(".verdict")).to_have_text("Ferrari FF Coupe 2012")


def test_takes_a_folder_that_is_dropped_on_any_section(uploading: Page, base: str, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/deep/b.png", "in/.DS_Store"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(drawn(BLUE))
    uploading.goto(f"{base}/#models")
    expect(uploading.locator("#models-limits .facts")).to_be_visible()
    session = uploading.context.new_cdp_session(uploading)
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path / "in")], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})
    expect(uploading.locator("#upload")).to_be_visible()
    expect(uploading.locator("#upload-list h3")).to_have_text(["a.png", "b.png"])
    expect(uploading.locator("#upload-list .verdict")).to_have_count(2)


def test_lays_the_region_over_a_photograph_that_its_camera_has_turned(uploading: Page) -> None:
    turned = picture((0, 200, 0), (300, 400), "JPEG", exif=_turned())
    give(uploading, ("photo.jpg", turned))
    expect(card(uploading, "photo.jpg")).to_contain_text("400 × 300 px")
    expect(card(uploading, "photo.jpg").locator("img")).to_have_js_property("naturalWidth", 320)
    expect(card(uploading, "photo.jpg").locator("img")).to_have_js_property("naturalHeight", 240)


def _turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # what is stored has to be turned by 90 degrees clockwise
    return exif.tobytes()


def test_works_where_the_service_says_nothing_of_its_limits(
    open_page: Callable[[str], Page], base: str, refused: set[int]
) -> None:
    refused.add(503)
    page = open_page(base)
    page.route("**/health", lambda route: route.fulfill(status=503, json={"status": 503, "detail": "draining"}))
    page.goto(f"{base}/")
    give(page, ("car.png", drawn(RED)))
    expect(card(page, "car.png").locator(".verdict")).to_be_visible()
