"""The frame of the page, and scoring on it: real Chromium against the real service."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect
from servicekit import auth

TABS = ("score", "csv", "live", "threshold", "training", "models", "alerts")
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("anomaly", "serve") + "/anomaly"


def test_answers_with_and_without_the_slash_and_without_the_prefix(page: Page, base: str) -> None:
    for address in (base, f"{base}/", base.removesuffix("anomaly")):
        page.goto(address)
        expect(page.locator("#health [data-state=healthy]")).to_be_visible()
        assert page.url == f"{base}/"


def test_scores_typed_values_by_keyboard_alone(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.locator("#values").focus()
    page.keyboard.type("1.2 0.9 1.1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#score-result [data-state=normal]")).to_be_visible()
    page.locator("#values").fill("9; 0,9; 1,1")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#score-result [data-state=anomaly]")).to_be_visible()
    expect(page.locator("#score-result .bars li")).to_have_count(3)
    expect(page.locator("#score-curl code")).to_contain_text(f"curl -X POST '{base}?detail=true'")


@pytest.mark.parametrize(
    ("text", "wanted", "values"),
    [
        ("1.2, 0.9, 1.1", 3, [1.2, 0.9, 1.1]),
        ("1,2; 0,9; 1,1", 3, [1.2, 0.9, 1.1]),
        ("1,2\t0,9\t1,1", 3, [1.2, 0.9, 1.1]),
        ("1,2\r\n0,9\r\n1,1\r\n", 3, [1.2, 0.9, 1.1]),
        ("1,2 0,9 1,1", 3, [1.2, 0.9, 1.1]),
        ("1,2", 2, [1, 2]),
        ("1,2", 1, [1.2]),
        ("1,2,3\n4,5,6", 6, [1, 2, 3, 4, 5, 6]),
        ("[1.2, -3e-4]", 2, [1.2, -3e-4]),
        ('{"values": [7]}', 1, [7]),
        ("1_000; 2", 2, None),
        ("1.234,5; 2", 2, None),
        ("NaN, 2", 2, None),
        ("1e400, 2", 2, None),
        ("[true]", 1, None),
    ],
)
def test_reads_values_as_people_write_them(
    page: Page, base: str, text: str, wanted: int, values: list[float] | None
) -> None:
    page.goto(f"{base}/")
    call = "async ([url, text, wanted]) => (await import(url)).parseValues(text, wanted)"
    read = page.evaluate(call, [f"{base}/static/values.js", text, wanted])
    assert read.get("values") == values
    assert values or read["error"]


def test_says_what_is_wrong_with_values_and_with_the_call(page: Page, base: str, refused: set[int]) -> None:
    refused.add(422)
    page.goto(f"{base}/")
    page.locator("#values").fill("1.2; abc; 1")
    expect(page.locator("#values-read")).to_have_text('Value 2, "abc", is not a number.')
    page.locator("#values").fill("1 2 3 4")
    page.keyboard.press("Control+Enter")
    problem = page.locator("#score-result [role=alert]")
    expect(problem).to_contain_text("4 values came, the model takes 3")
    expect(problem.locator("code")).not_to_be_empty()


def test_scores_a_csv_and_gives_the_result_back(page: Page, base: str) -> None:
    page.goto(f"{base}/#csv")
    text = "current;temperature;vibration\n" + "1.1;0.9;1.2\n" * 30 + "1.1;-0.9;9.5\n"
    page.locator("#csv-file").set_input_files({"name": "shift.csv", "mimeType": "text/csv", "buffer": text.encode()})
    expect(page.locator("#csv-result tbody tr").first).to_contain_text("anomaly")
    expect(page.locator("#csv-result .chart-anomaly")).to_have_attribute("d", re.compile("^M"))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the result").click()
    assert download.value.suggested_filename == "shift-scored.csv"
    lines = Path(download.value.path()).read_text().splitlines()
    assert lines[0] == "current;temperature;vibration;score;threshold;status"
    assert lines[-1].startswith("1.1;-0.9;9.5;")
    assert lines[-1].endswith(";anomaly")
    page.get_by_role("button", name="Explain line 32").click()
    expect(page.locator("#values")).to_have_value("9.5, -0.9, 1.1")
    expect(page.locator("#score-result [data-state=anomaly]")).to_be_visible()


def test_reads_and_writes_tables_without_running_a_formula(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    source = '\ufeffa;"b ""x"";";=c\r\n1,5;"two\nlines";=cmd()|x\r\n\r\n-1;@y;-1+2'
    call = """async ([base, source]) => {
      const { readTable } = await import(`${base}/static/table.js`);
      const { writeTable } = await import(`${base}/ui/csvtext.js`);
      const table = readTable(source);
      const rows = table.rows.map((row) => row.cells);
      return [table.header, rows, table.rows.map((row) => row.line), writeTable(rows, ";")];
    }"""
    header, rows, lines, written = page.evaluate(call, [base, source])
    assert header == ["a", 'b "x";', "=c"]
    assert rows == [["1,5", "two\nlines", "=cmd()|x"], ["-1", "@y", "-1+2"]]
    assert lines == [2, 5]
    assert written == "1,5;\"two\nlines\";'=cmd()|x\r\n-1;'@y;'-1+2\r\n"


def test_shows_the_row_that_a_csv_is_refused_for(page: Page, base: str, refused: set[int]) -> None:
    refused.add(422)
    page.goto(f"{base}/#csv")
    page.locator("#csv-file").set_input_files({"name": "bad.csv", "mimeType": "text/csv", "buffer": b"1,2,3\n1,x,3\n"})
    expect(page.locator("#csv-result [role=alert]")).to_contain_text("row 2")


def test_offers_every_section_to_the_keyboard_and_to_links(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    page.get_by_role("tab", name="Score").focus()
    for tab in TABS[1:]:
        page.keyboard.press("ArrowRight")
        expect(page.locator(f"#{tab}")).to_be_visible()
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        assert f"#{tab}" in page.url
    page.go_back()
    expect(page.locator("#models")).to_be_visible()
    page.goto(f"{base}/#threshold/default")
    expect(page.get_by_role("slider")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_keeps_its_contrast_and_fits_a_phone(page: Page, base: str, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 844})
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
        nameless = "- (button|textbox|combobox|checkbox|radio|slider|spinbutton|link|tab|dialog)( \\[|:|$)"
        assert re.findall(nameless, page.locator("body").aria_snapshot(), re.MULTILINE) == [], tab


def test_asks_for_a_key_where_the_service_wants_one(
    open_page: Callable[[str], Page], refused: set[int], serve: Callable[..., str]
) -> None:
    secret, line = auth.generate("shift", "read")
    base = serve("anomaly", "serve", ANOMALY_API_KEYS=line) + "/anomaly"
    refused.update({401, 403})
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#key-bar")).to_contain_text("This call needs an API key.")
    page.get_by_label("API key").fill(secret)
    page.keyboard.press("Enter")
    expect(page.locator("#key-bar")).to_be_hidden()
    page.locator("#values").fill("1.2, 0.9, 1.1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#score-result [data-state=normal]")).to_be_visible()
    expect(page.locator("#score-curl code")).to_contain_text("X-API-Key: $LINESIDE_KEY")
    page.goto(f"{base}/#models")
    page.get_by_role("button", name="New asset").click()
    page.get_by_label("Name").fill("lathe")
    page.keyboard.press("Enter")
    expect(page.locator("#key-bar")).to_contain_text("This key may not do that")


def test_says_so_while_the_service_is_out_of_reach(page: Page, base: str, refused: set[int]) -> None:
    refused.add(0)
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    page.context.set_offline(True)
    page.locator("#values").fill("1.2, 0.9, 1.1")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#offline-bar")).to_be_visible()
    expect(page.locator("#score-result [role=alert]")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#offline-bar")).to_be_hidden()


def test_reads_event_streams_as_the_standard_says(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    events = page.evaluate(
        """async ([base, chunks]) => {
          const { eventParser } = await import(`${base}/ui/stream.js`);
          const events = [];
          const feed = eventParser((event) => events.push([event.type, event.data, event.id ?? null]));
          chunks.forEach(feed);
          return events;
        }""",
        [base, [": ping\n\nid: 7\nevent: rea", "ding\ndata: a\r", "\ndata: b\r\n\r\n", "data:c\n\ndata: half"]],
    )
    assert events == [["reading", "a\nb", "7"], ["message", "c", "7"]]
