"""The pictures of pages that the service draws, on the page: behind the boxes, in time, and what is shown without."""

import json
from collections.abc import Callable
from typing import Any

import pdfs
import pytest
from playwright.sync_api import FilePayload, Locator, Page, Route, expect

PASSWORD = "screw driver"
TURNED = pytest.mark.parametrize("turn", [0, 90, 180])
# Counts the addresses of pictures that were made and not given back.
COUNTING = """
  window.addresses = new Set();
  const { createObjectURL, revokeObjectURL } = URL;
  URL.createObjectURL = (blob) => { const made = createObjectURL(blob); addresses.add(made); return made; };
  URL.revokeObjectURL = (address) => { addresses.delete(address); revokeObjectURL(address); };
"""
# For each box how many dark pixels the picture has in it, and at last how many it has outside of all.
INK = """(sheet) => {
  const { width, height } = sheet.querySelector("svg").viewBox.baseVal;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(sheet.querySelector("img"), 0, 0, width, height);
  const inked = (x, y, w, h) => context.getImageData(x, y, w, h).data.filter((v, at) => at % 4 === 0 && v < 128).length;
  const counts = [...sheet.querySelectorAll(".edge")].map((edge) => {
    const { x, y, width: w, height: h } = edge.getBBox();
    const count = inked(x, y, w, h);
    context.clearRect(x - 6, y - 6, w + 12, h + 12);
    context.fillStyle = "white";
    context.fillRect(x - 6, y - 6, w + 12, h + 12);
    return count;
  });
  return [...counts, inked(0, 0, width, height)];
}"""


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


@pytest.fixture
def reading(page: Page, base: str) -> Page:
    page.add_init_script(COUNTING)
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    return page


@pytest.fixture
def asked(reading: Page) -> list[str]:
    """The numbers of the pages whose pictures were asked for."""
    numbers: list[str] = []

    def pass_on(route: Route) -> None:
        body = (route.request.post_data_buffer or b"").decode("latin-1")
        numbers.append(body.partition('name="page"\r\n\r\n')[2].partition("\r\n")[0])
        route.continue_()

    reading.route("**/render", pass_on)
    return numbers


def document(pages: int, **options: Any) -> bytes:
    """Returns a PDF with a text layer: two lines on each page."""
    text = "BT /F1 20 Tf 40 220 Td (Inspection report {}) Tj 0 -60 Td (All screws were counted twice) Tj ET"
    contents = (text.format(number).encode() for number in range(1, pages + 1))
    return pdfs.document(*contents, **{"size": (400, 300), **options})


def give(page: Page, name: str, data: bytes) -> Locator:
    """Has a file read, and returns what is shown of it."""
    payload: FilePayload = {"name": name, "mimeType": "", "buffer": data}
    page.locator("#read-input").set_input_files(payload)
    return page.get_by_role("article", name=name, exact=True)


def expect_picture(card: Locator) -> Locator:
    """Waits until the page's picture is seen, and its text in place is not."""
    image = card.locator(".sheet img")
    expect(image).to_be_visible()
    assert image.evaluate("(image) => image.complete && image.naturalWidth > 0")
    expect(card.locator(".set-text")).not_to_be_visible()
    return image


def expect_text(card: Locator) -> None:
    expect(card.locator(".set-text text").first).to_be_visible()
    expect(card.locator(".sheet img")).not_to_be_visible()


def problem(slug: str, detail: str) -> dict[str, Any]:
    body = {"type": f"urn:lineside:problem:{slug}", "title": "No", "status": 422, "detail": detail, "success": False}
    return {"status": 422, "content_type": "application/problem+json", "body": json.dumps(body)}


@TURNED
def test_lays_the_boxes_of_a_digital_page_over_its_picture(reading: Page, turn: int) -> None:
    card = give(reading, "report.pdf", document(1, page=b"/Rotate %d" % turn))
    expect_picture(card)
    *boxes, outside = card.locator(".sheet").evaluate(INK)
    assert len(boxes) == 2
    assert min(boxes) > 100
    assert outside == 0


def test_lays_the_boxes_of_a_scan_over_it(reading: Page) -> None:
    card = give(reading, "scan.pdf", pdfs.scanned())
    expect_picture(card)
    *boxes, outside = card.locator(".sheet").evaluate(INK)
    assert len(boxes) == 1
    assert boxes[0] > 100
    assert outside == 0


def test_fetches_the_page_that_is_looked_at_and_the_next_one(reading: Page, asked: list[str]) -> None:
    card = give(reading, "report.pdf", document(6))
    first = expect_picture(card)
    expect(first).to_have_attribute("alt", "Page 1")
    expect(card.get_by_role("group", name="Download as")).to_be_visible()
    with reading.expect_response("**/render"):
        card.get_by_role("button", name="Next page").click()
    expect(expect_picture(card)).to_have_attribute("alt", "Page 2")
    expect(card.locator(".line-text").first).to_have_text("Inspection report 2")
    assert sorted(asked) == ["1", "2", "3"]
    card.get_by_label("Page", exact=True).fill("6")
    reading.keyboard.press("Enter")
    expect(card.locator(".sheet img")).to_have_attribute("alt", "Page 6")
    expect_picture(card)
    assert sorted(asked) == ["1", "2", "3", "6"]
    assert reading.evaluate("addresses.size") == 0


def test_shows_the_text_in_place_until_the_picture_is_there(reading: Page) -> None:
    held: list[Route] = []
    reading.route("**/render", lambda route: held.append(route))
    with reading.expect_request("**/render"):
        card = give(reading, "report.pdf", document(1))
    expect(card.get_by_role("group", name="Download as")).to_be_visible()
    expect_text(card)
    expect(card.get_by_role("group", name="What is shown of the page")).to_be_hidden()
    held[0].continue_()
    expect_picture(card)


def test_what_is_shown_can_be_chosen_and_stays_so_on_the_next_page(reading: Page) -> None:
    card = give(reading, "report.pdf", document(2))
    expect_picture(card)
    card.get_by_role("radio", name="Text").check()
    expect_text(card)
    card.get_by_role("button", name="Next page").click()
    expect(card.get_by_role("radio", name="Text")).to_be_checked()
    expect(card.locator(".sheet img")).to_have_count(1)
    expect_text(card)
    card.get_by_role("radio", name="Picture").check()
    expect_picture(card)


def test_keeps_the_text_and_says_why_where_no_picture_is_drawn(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    reading.route("**/render", lambda route: route.fulfill(**problem("pdf-too-slow", "page 1 takes more than 20 s")))
    card = give(reading, "report.pdf", document(2))
    expect(card.locator(".about")).to_contain_text("there is no picture: page 1 takes more than 20 s")
    expect_text(card)
    expect(card.get_by_role("group", name="What is shown of the page")).to_be_hidden()
    reading.unroute("**/render")
    card.get_by_role("button", name="Next page").click()
    expect_picture(card)
    expect(card.locator(".about")).not_to_contain_text("no picture")
    card.get_by_role("button", name="Previous page").click()
    expect_picture(card)


def test_forgets_pictures_that_nobody_waits_for(reading: Page) -> None:
    held: list[Route] = []
    reading.route("**/render", lambda route: held.append(route))
    with reading.expect_request("**/render"):
        card = give(reading, "report.pdf", document(5))
    expect(card.get_by_role("group", name="Download as")).to_be_visible()
    with reading.expect_event("requestfailed"), reading.expect_request("**/render"):
        card.get_by_label("Page", exact=True).fill("4")
        reading.keyboard.press("Enter")
    with reading.expect_event("requestfailed"):
        card.get_by_role("button", name="Remove report.pdf").click()
    expect(card).to_have_count(0)
    assert reading.evaluate("addresses.size") == 0


def test_draws_an_encrypted_document_with_its_password(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    card = give(reading, "locked.pdf", pdfs.encrypted(PASSWORD, document(1)))
    reading.get_by_role("button", name="Enter the password").click()
    dialog = reading.get_by_role("dialog", name="locked.pdf is encrypted")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Read it").click()
    expect_picture(card)


def test_a_picture_can_be_shown_as_text_too(reading: Page, png: Callable[..., bytes], asked: list[str]) -> None:
    card = give(reading, "note.png", png("Valve 17", "Pump 4"))
    expect_picture(card)
    card.get_by_role("radio", name="Text").check()
    expect_text(card)
    expect(card.locator(".set-text text")).to_have_text(["Valve 17", "Pump 4"])
    assert asked == []
    assert reading.evaluate("addresses.size") == 0


def job_of(page: Page, base: str, name: str, data: bytes, password: str = "") -> Locator:
    """Has a file read as a job, opens its result, and returns that."""
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_label("Read as a job").check()
    page.locator("#option-password").fill(password)
    card = give(page, name, data)
    row = page.locator("#jobs-list tbody tr").filter(has=page.get_by_text(name, exact=True))
    expect(row.locator("[data-state=succeeded]")).to_be_visible()
    page.get_by_role("button", name=f"Open {name}").click()
    return card


def test_shows_the_pages_of_a_job(reading: Page, base: str) -> None:
    card = job_of(reading, base, "book.pdf", document(3))
    expect_picture(card)
    *boxes, outside = card.locator(".sheet").evaluate(INK)
    assert len(boxes) == 2
    assert min(boxes) > 100
    assert outside == 0
    card.get_by_role("button", name="Next page").click()
    expect(expect_picture(card)).to_have_attribute("alt", "Page 2")
    reading.get_by_role("button", name="Close").first.click()
    expect(card).to_have_count(0)
    assert reading.evaluate("addresses.size") == 0


def test_shows_the_picture_of_a_jobs_image(reading: Page, base: str, png: Callable[..., bytes]) -> None:
    expect_picture(job_of(reading, base, "plate.png", png("Valve 17")))


def test_keeps_the_text_of_a_job_whose_password_is_gone(reading: Page, base: str, refused: set[int]) -> None:
    refused.add(422)
    card = job_of(reading, base, "secret.pdf", pdfs.encrypted(PASSWORD, document(2)), PASSWORD)
    expect(card.locator(".about")).to_contain_text("there is no picture: the document is encrypted")
    expect_text(card)
