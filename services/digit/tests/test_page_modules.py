"""The page's modules below its sections, in real Chromium: archives, streams, names, and a table of many rows."""

import base64
import io
import zipfile
from collections.abc import Callable

import pytest
from playwright.sync_api import Page


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("digit", "serve") + "/digit"


def test_keeps_five_thousand_rows_in_pages(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    shown = page.evaluate(
        """async (base) => {
          const { Grid } = await import(`${base}/static/grid.js`);
          const { makeRow, select } = await import(`${base}/static/rows.js`);
          const line = { prediction: 7, confidence: 0.99, is_digit: true };
          const source = { load: async () => new Blob() };
          const make = (_, at) => makeRow(at + 1, `${at}.png`, line, { source, model: "cnn" });
          const rows = Array.from({ length: 5000 }, make);
          const [place, pager] = [document.createElement("div"), document.createElement("nav")];
          document.body.append(place, pager);
          const order = { by: "number", descending: true };
          const grid = new Grid(place, pager, { sorted() {}, corrected() {}, opened() {} });
          grid.show(select(rows, { kind: "all", digit: null, text: "" }, order), order);
          const first = place.querySelector("tbody .name").textContent;
          pager.querySelector("[aria-label='Last page']").click();
          const last = [...place.querySelectorAll("tbody .name")].at(-1).textContent;
          return [place.querySelectorAll("tbody tr").length, first, last, pager.textContent];
        }""",
        base,
    )
    assert shown[:3] == [50, "4999.png", "0.png"]
    assert "4,951 to 5,000 of 5,000 pictures" in shown[3]


def test_reads_the_directory_of_a_zip_as_python_wrote_it(page: Page, base: str) -> None:
    entries = {"a/b.txt": b"deflated " * 500, "測試.txt": b"unicode", "plain.txt": b"stored", "empty.txt": b""}
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("folder/", b"")
        for name, data in entries.items():
            archive.writestr(name, data, zipfile.ZIP_STORED if "plain" in name else zipfile.ZIP_DEFLATED)
        archive.comment = b"a comment PK\x05\x06 with a signature in it"
    page.goto(f"{base}/")
    read = page.evaluate(
        """async ([url, data]) => {
          const { isZip, readDirectory, readEntry } = await import(url);
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          const blob = new Blob([bytes]);
          const found = {};
          for (const entry of await readDirectory(blob)) {
            found[entry.name] = await (await readEntry(blob, entry)).text();
          }
          return [await isZip(blob), found];
        }""",
        [f"{base}/static/zip.js", base64.b64encode(stream.getvalue()).decode()],
    )
    assert read == [True, {name: data.decode() for name, data in entries.items()}]


@pytest.mark.parametrize("kind", ["bomb", "encrypted", "unknown method", "no zip", "cut off"])
def test_makes_no_thumbnail_of_what_is_dangerous_or_broken(page: Page, base: str, kind: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(40_000_000 if kind == "bomb" else 400))
    data = bytearray(stream.getvalue())
    directory = data.rfind(b"PK\x01\x02")
    if kind == "encrypted":
        data[directory + 8] |= 1
    elif kind == "unknown method":
        data[directory + 10] = 93
    elif kind == "no zip":
        data = bytearray(b"PK\x03\x04 but nothing else")
    elif kind == "cut off":
        del data[-10:]
    page.goto(f"{base}/")
    failure = page.evaluate(
        """async ([url, data]) => {
          const { readDirectory, readEntry } = await import(url);
          const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
          const blob = new Blob([bytes]);
          try {
            for (const entry of await readDirectory(blob)) await readEntry(blob, entry);
          } catch (error) {
            return error.message;
          }
        }""",
        [f"{base}/static/zip.js", base64.b64encode(data).decode()],
    )
    assert failure


@pytest.mark.parametrize(
    ("chunks", "lines"),
    [
        (['{"a":1}\n{"b"', ":2}\n"], [{"a": 1}, {"b": 2}]),
        (['{"a":1}\r\n\r\n{"b":2}'], [{"a": 1}, {"b": 2}]),
        (["", "\n"], []),
    ],
)
def test_cuts_a_stream_into_lines(page: Page, base: str, chunks: list[str], lines: list[dict[str, int]]) -> None:
    page.goto(f"{base}/")
    read = page.evaluate(
        """async ([url, chunks]) => {
          const { readLines } = await import(url);
          const encoder = new TextEncoder();
          const stream = new ReadableStream({
            start(controller) {
              for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
              controller.close();
            },
          });
          const lines = [];
          for await (const line of readLines(stream)) lines.push(line);
          return lines;
        }""",
        [f"{base}/ui/lines.js", chunks],
    )
    assert read == lines


@pytest.mark.parametrize("end", ["controller.error(new TypeError('network error'))", "controller.close()"])
def test_tells_a_stream_that_breaks_off(page: Page, base: str, end: str) -> None:
    page.goto(f"{base}/")
    read = page.evaluate(
        f"""async (url) => {{
          const {{ StreamBroken, readLines }} = await import(url);
          const chunk = new TextEncoder().encode('{{"a":1}}\\n{{"b"');
          const stream = new ReadableStream({{
            start: (controller) => controller.enqueue(chunk),
            pull: (controller) => {end},
          }});
          const seen = [];
          try {{
            for await (const line of readLines(stream)) seen.push(line);
          }} catch (error) {{
            seen.push(error instanceof StreamBroken);
          }}
          return seen;
        }}""",
        f"{base}/ui/lines.js",
    )
    assert read == [{"a": 1}, True]


def test_keeps_names_apart_as_the_service_does(page: Page, base: str) -> None:
    page.goto(f"{base}/")
    names = page.evaluate(
        """async (url) => {
          const { keepApart } = await import(url);
          const taken = new Set(["z.png"]);
          const source = (path, archive = null) => ({ base: path.split("/").at(-1), path, archive });
          const sources = [source("a/1.png"), source("b/1.png"), source("2.png", "m.zip"), source("3.png", "m.zip"),
            source("3.png", "n.zip"), source("4.png"), source("4.png"), source("z.png")];
          keepApart(sources, taken);
          return sources.map((each) => each.name);
        }""",
        f"{base}/static/sources.js",
    )
    assert names == ["a/1.png", "b/1.png", "2.png", "m.zip/3.png", "n.zip/3.png", "4.png", "4.png (2)", "z.png (2)"]
