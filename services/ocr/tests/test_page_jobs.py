"""Jobs on the page: made on wish or by length, followed, opened, saved, cancelled, and there again after a reload."""

import json
from collections.abc import Callable
from pathlib import Path

import pdfs
import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

LONG = 51  # pages: one more than are read in the page itself


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


def document(pages: int) -> bytes:
    """Returns a PDF with a text layer: a line on each page."""
    text = "BT /F1 20 Tf 30 120 Td (Inspection report {}) Tj ET"
    return pdfs.document(*(text.format(number).encode() for number in range(1, pages + 1)), size=(300, 200))


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payloads: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.locator("#read-input").set_input_files(payloads)


def row(page: Page, name: str) -> Locator:
    return page.locator("#jobs-list tbody tr").filter(has=page.get_by_text(name, exact=True))


def test_reads_a_long_document_as_a_job_that_is_there_after_a_reload(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    give(page, ("long.pdf", document(LONG)))
    expect(page.locator("#jobs")).to_be_visible()
    expect(page.locator("#jobs-message")).to_contain_text(f"long.pdf has {LONG} pages.")
    expect(row(page, "long.pdf").locator("[data-state=succeeded]")).to_be_visible()
    expect(row(page, "long.pdf")).to_contain_text(f"{LONG} of {LONG} pages")
    page.reload()
    page.get_by_role("button", name="Open long.pdf").click()
    shown = page.get_by_role("article", name="long.pdf")
    expect(shown.locator(".line-text")).to_have_text(["Inspection report 1"])
    address = page.url
    assert "#jobs/" in address
    page.goto(f"{base}/#models")
    page.goto(address)
    expect(shown.locator(".summary")).to_contain_text(f"{LONG}, all by text layer")
    with page.expect_download() as download:
        shown.get_by_role("button", name="Text", exact=True).click()
    assert download.value.suggested_filename == "long.txt"
    text = Path(download.value.path()).read_text(encoding="utf-8")
    assert f"Inspection report {LONG}" in text


def test_makes_a_job_on_wish_with_the_options_and_deletes_it(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_label("Read as a job").check()
    page.get_by_label("Pages", exact=True).fill("2-3")
    give(page, ("short.pdf", document(4)))
    expect(row(page, "short.pdf")).to_contain_text("2 of 2 pages")
    page.get_by_role("button", name="Open short.pdf").click()
    shown = page.get_by_role("article", name="short.pdf")
    expect(shown.locator(".line-text")).to_have_text(["Inspection report 2"])
    with page.expect_download() as download:
        shown.get_by_role("button", name="JSON").click()
    assert [item["page"] for item in json.loads(Path(download.value.path()).read_bytes())["results"]] == [2, 3]
    page.get_by_role("button", name="Delete short.pdf").click()
    dialog = page.get_by_role("dialog", name="Delete the job of short.pdf?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete").click()
    expect(row(page, "short.pdf")).to_have_count(0)
    expect(shown).to_have_count(0)


def test_cancels_a_job_and_shows_the_pages_that_were_done(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_label("Read as a job").check()
    page.get_by_label("Text from").select_option("ocr")
    give(page, ("slow.pdf", document(400)))
    expect(row(page, "slow.pdf").get_by_role("progressbar")).to_be_visible()
    expect(row(page, "slow.pdf").get_by_role("button", name="Open slow.pdf")).to_be_visible()
    page.get_by_role("button", name="Cancel slow.pdf").click()
    expect(row(page, "slow.pdf").locator("[data-state=cancelled]")).to_be_visible()
    page.get_by_role("button", name="Open slow.pdf").click()
    shown = page.get_by_role("article", name="slow.pdf")
    expect(shown.locator(".line-text").first).to_have_text("Inspection report 1")
    expect(shown.get_by_role("group", name="Download as").get_by_role("button")).to_have_text(["JSON"])


def test_says_why_a_job_failed(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_label("Read as a job").check()
    give(page, ("broken.pdf", document(1)[:300]))
    failed = row(page, "broken.pdf")
    expect(failed.locator("[data-state=failed]")).to_be_visible()
    expect(failed.locator(".reason")).not_to_be_empty()


def test_says_why_a_file_is_refused_as_a_job(page: Page, base: str, refused: set[int]) -> None:
    refused.add(422)
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_label("Read as a job").check()
    give(page, ("notes.txt", b"plain text"))
    expect(page.locator("#read")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("notes.txt")


def test_makes_a_job_of_a_file_that_is_too_large_for_a_call(
    open_page: Callable[[str], Page], serve: Callable[..., str]
) -> None:
    data = document(3)
    base = serve("ocr", "serve", OCR_MAX_FILE_SIZE="1024") + "/ocr"
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#read-limits")).to_contain_text("At most 1.0 KiB")
    give(page, ("large.pdf", data))
    expect(page.locator("#jobs-message")).to_contain_text("more than the 1.0 KiB of one call: it is read as a job.")
    expect(row(page, "large.pdf").locator("[data-state=succeeded]")).to_be_visible()
