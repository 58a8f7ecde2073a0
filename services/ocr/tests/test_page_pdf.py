"""PDFs on the page: pages as they come, their text in its place, progress, passwords, page ranges."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pdfs
import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import FilePayload, Locator, Page, expect

GATE = (Path(__file__).parent / "gate.js").read_text(encoding="utf-8")
PASSWORD = "screw driver"


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


@pytest.fixture
def reading(page: Page, base: str) -> Page:
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    return page


def document(pages: int) -> bytes:
    """Returns a PDF with a text layer: two lines on each page of 400 by 300 points."""
    text = "BT /F1 20 Tf 40 220 Td (Inspection report {}) Tj 0 -60 Td (All screws were counted twice) Tj ET"
    return pdfs.document(*(text.format(number).encode() for number in range(1, pages + 1)), size=(400, 300))


def scan(text: str) -> bytes:
    """Returns a PDF of one page that is a picture."""
    picture = Image.new("RGB", (800, 500), "white")
    ImageDraw.Draw(picture).text((60, 120), text, fill="black", font=ImageFont.load_default(48))
    stream = io.BytesIO()
    picture.save(stream, "PDF", resolution=150)
    return stream.getvalue()


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payloads: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.locator("#read-input").set_input_files(payloads)


def card(page: Page, name: str) -> Locator:
    return page.get_by_role("article", name=name, exact=True)


def expect_read(page: Page, name: str) -> Locator:
    expect(card(page, name).get_by_role("group", name="Download as")).to_be_visible()
    return card(page, name)


def test_sets_the_text_of_a_digital_page_where_it_stands(reading: Page) -> None:
    give(reading, ("report.pdf", document(3)))
    shown = expect_read(reading, "report.pdf")
    expect(shown.locator(".about")).to_contain_text("text layer of the PDF")
    expect(shown.locator(".summary")).to_contain_text("3, all by text layer")
    shown.get_by_role("radio", name="Text").check()
    texts = shown.locator(".set-text text")
    expect(texts).to_have_text(["Inspection report 1", "All screws were counted twice"])
    page_box, text_box = shown.locator(".sheet").bounding_box(), texts.first.bounding_box()
    assert page_box is not None
    assert text_box is not None
    scale = page_box["width"] / 400
    assert abs(text_box["x"] - page_box["x"] - 40 * scale) < 4 * scale
    assert abs(text_box["y"] + text_box["height"] / 2 - page_box["y"] - 74 * scale) < 8 * scale
    assert abs(text_box["width"] - 175 * scale) < 12 * scale


def test_turns_to_a_page_by_its_number(reading: Page) -> None:
    give(reading, ("report.pdf", document(5)))
    shown = expect_read(reading, "report.pdf")
    shown.get_by_label("Page", exact=True).fill("4")
    reading.keyboard.press("Enter")
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 4")
    shown.get_by_role("button", name="Previous page").click()
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 3")
    shown.get_by_label("Page", exact=True).fill("999")
    reading.keyboard.press("Enter")
    expect(shown.get_by_label("Page", exact=True)).to_have_value("5")
    expect(shown.get_by_role("button", name="Next page")).to_be_disabled()


def test_reads_a_scan_and_says_why(reading: Page) -> None:
    with reading.expect_response("**/upload_pdf") as answer:
        give(reading, ("scan.pdf", scan("Pallet 12 arrived")))
    shown = expect_read(reading, "scan.pdf")
    expect(shown.locator(".line-text")).to_have_text(["Pallet 12 arrived"])
    reason = json.loads(answer.value.text().splitlines()[0])["reason"]
    expect(shown.locator(".about")).to_contain_text(f"OCR: {reason}")


def test_shows_pages_as_they_come_and_can_be_cancelled(page: Page, base: str) -> None:
    page.add_init_script(GATE)
    page.goto(f"{base}/")
    give(page, ("report.pdf", document(6)))
    shown = card(page, "report.pdf")
    bar = shown.get_by_role("progressbar", name="2 of 6 pages read")
    expect(bar).to_have_js_property("value", 2)
    expect(bar).to_have_js_property("max", 6)
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 1")
    expect(shown.locator(".summary")).to_contain_text("2 of 6")
    shown.get_by_role("button", name="Cancel").click()
    expect(shown).to_contain_text("Cancelled after 2 of 6 pages.")
    expect(shown.get_by_role("group", name="Download as").get_by_role("button")).to_have_text(["JSON"])
    page.evaluate("openGate()")
    shown.get_by_role("button", name="Read again").click()
    expect_read(page, "report.pdf")
    expect(shown.locator(".summary")).to_contain_text("6, all by text layer")


def test_shows_the_rest_once_it_comes_and_stays_on_the_page_that_is_looked_at(page: Page, base: str) -> None:
    page.add_init_script(GATE)
    page.goto(f"{base}/")
    give(page, ("report.pdf", document(4)))
    shown = card(page, "report.pdf")
    shown.get_by_role("button", name="Next page").click()
    page.evaluate("openGate()")
    expect_read(page, "report.pdf")
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 2")
    expect(shown.get_by_label("Page", exact=True)).to_have_value("2")


def test_says_that_an_answer_broke_off_and_keeps_what_came(page: Page, base: str) -> None:
    page.route(
        "**/upload_pdf",
        lambda route: route.fulfill(
            headers={"content-type": "application/x-ndjson", "x-page-count": "3"},
            body=json.dumps(
                {
                    "page": 1,
                    "index": 0,
                    "result": [{"text": "kept", "confidence": 1, "bbox": [[0, 0], [9, 0], [9, 5], [0, 5]]}],
                    "bbox_image": [0, 0, 9, 5],
                    "processing_time": 0.1,
                    "image_size": {"width": 90, "height": 50},
                    "source": "ocr",
                }
            )
            + "\n",
        ),
    )
    page.goto(f"{base}/")
    give(page, ("report.pdf", document(3)))
    expect(page.get_by_role("alert")).to_contain_text("The answer broke off")
    expect(card(page, "report.pdf").locator(".line-text")).to_have_text(["kept"])


def test_asks_for_the_password_of_an_encrypted_document(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    give(reading, ("locked.pdf", pdfs.encrypted(PASSWORD, document(1))))
    expect(reading.get_by_role("alert")).to_contain_text("locked.pdf")
    reading.get_by_role("button", name="Enter the password").click()
    dialog = reading.get_by_role("dialog", name="locked.pdf is encrypted")
    dialog.get_by_label("Password").fill(PASSWORD)
    dialog.get_by_role("button", name="Read it").click()
    expect(expect_read(reading, "locked.pdf").locator(".line-text").first).to_have_text("Inspection report 1")


def test_reads_only_the_pages_that_are_asked_for(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    reading.locator("#read-options summary").click()
    reading.get_by_label("Pages", exact=True).fill("2,4-")
    give(reading, ("report.pdf", document(5)))
    shown = expect_read(reading, "report.pdf")
    expect(shown.get_by_label("Page", exact=True)).to_have_value("2")
    shown.get_by_role("button", name="Next page").click()
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 4")
    reading.get_by_label("Pages", exact=True).fill("7-9")
    shown.get_by_role("button", name="Read again").click()
    expect(reading.get_by_role("alert")).to_contain_text("7-9")


def test_saves_a_searchable_pdf_of_a_scan(reading: Page) -> None:
    give(reading, ("scan.pdf", scan("Pallet 12 arrived")))
    shown = expect_read(reading, "scan.pdf")
    with reading.expect_download() as download:
        shown.get_by_role("button", name="Searchable PDF").click()
    assert download.value.suggested_filename == "scan.searchable.pdf"
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(b"%PDF-")
    with pikepdf.open(io.BytesIO(data)) as pdf:
        assert len(pdf.pages) == 1
        assert "/Font" in pdf.pages[0].obj.Resources


def test_says_that_a_file_is_no_pdf_though_it_is_called_one(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    give(reading, ("letter.pdf", b"PK\x03\x04 a document of a word processor"))
    expect(reading.get_by_role("alert")).to_contain_text("letter.pdf")
    expect(reading.get_by_role("alert")).to_contain_text("Request id")
