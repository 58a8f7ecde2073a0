"""Statistics: what the plots and tables count, where they lead, and what can be saved."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from photographs import BLUE, RED, YELLOW, drawn
from playwright.sync_api import Page, expect


@pytest.fixture(scope="module")
def filled(base: str) -> str:
    """The address of a service with two Ferraris, a Tesla, and one that is not known."""
    for name, colour in (("a", RED), ("b", RED), ("c", BLUE), ("=cmd", YELLOW)):
        answer = httpx2.post(f"{base}/upload/", files={"file": (f"{name}.png", drawn(colour))}).raise_for_status()
        httpx2.post(f"{base}/inference/{answer.json()['id']}").raise_for_status()
    return base


@pytest.fixture
def statistics(page: Page, filled: str) -> Page:
    page.goto(f"{filled}/#statistics")
    expect(page.get_by_role("group", name="By make")).to_be_visible()
    return page


def test_counts_what_is_stored_in_plots_and_tables(statistics: Page) -> None:
    expect(statistics.locator("#statistics-facts")).to_contain_text("Pictures4Recognised3Not recognised1")
    makes = statistics.get_by_role("group", name="By make")
    expect(makes.locator("tbody tr")).to_have_text(["Ferrari2", "Tesla1"])
    expect(makes.locator("svg .plot-value")).to_have_text(["2", "1"])
    widths = makes.locator("svg rect").evaluate_all("(all) => all.map((bar) => bar.width.baseVal.value)")
    assert widths[0] == pytest.approx(2 * widths[1], abs=0.1)
    expect(statistics.get_by_role("group", name="By model").locator("tbody tr")).to_have_text(
        ["Ferrari FF2", "Tesla Model S1"]
    )
    confidence = statistics.get_by_role("group", name="By confidence of the first answer")
    expect(confidence.locator("tbody tr").nth(8)).to_have_text("80–90 %4")
    expect(confidence.locator("svg rect")).to_have_count(10)
    why = statistics.get_by_role("group", name="Why pictures are not recognised")
    expect(why.locator("tbody tr")).to_have_text(["A car that the model does not know1"])


def test_leads_to_the_pictures_that_were_counted(statistics: Page) -> None:
    statistics.get_by_role("group", name="By make").get_by_role("link", name="Ferrari").click()
    expect(statistics.locator(".tile-name")).to_have_text(["b.png", "a.png"])
    statistics.go_back()
    statistics.get_by_role("group", name="By status").get_by_role("link", name="not recognised").click()
    expect(statistics.locator(".tile-name")).to_have_text(["=cmd.png"])


def test_draws_the_plots_anew_for_another_width(statistics: Page) -> None:
    plot = statistics.get_by_role("group", name="By make").locator(".plot svg")
    wide = plot.get_attribute("width")
    statistics.set_viewport_size({"width": 320, "height": 800})
    expect(plot).not_to_have_attribute("width", str(wide))
    assert statistics.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_saves_all_results_as_csv_and_as_a_spreadsheet(statistics: Page) -> None:
    with statistics.expect_download() as download:
        statistics.get_by_role("button", name="CSV: save").click()
    assert download.value.suggested_filename == "cars.csv"
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text(encoding="utf-8-sig"))))
    assert len(rows) == 5
    assert "'=cmd.png" in rows[1] + rows[-1]
    with statistics.expect_download() as download:
        statistics.get_by_role("button", name="XLSX: save").click()
    assert Path(download.value.path()).read_bytes().startswith(b"PK")


def test_opens_the_report(statistics: Page, filled: str) -> None:
    with statistics.expect_popup() as popup:
        statistics.get_by_role("link", name="Report").click()
    assert popup.value.url == f"{filled}/visualization/report"
    expect(popup.value.locator("body")).to_contain_text("Ferrari")


def test_says_that_there_is_nothing_yet(open_page: Callable[[str], Page], serve: Callable[..., str]) -> None:
    base = serve("painted_serve", "serve", PYTHONPATH=str(Path(__file__).parent)) + "/cars"
    page = open_page(base)
    page.goto(f"{base}/#statistics")
    expect(page.locator("#statistics-plots")).to_contain_text("There are no pictures yet.")
    expect(page.get_by_role("link", name="Upload some").first).to_be_visible()
