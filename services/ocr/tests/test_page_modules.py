"""The page's modules below its sections, in real Chromium."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


@pytest.fixture
def run(page: Page, base: str) -> Callable[..., Any]:
    """Runs `(module, argument) => …` with a module of the page."""
    page.goto(f"{base}/")

    def run(module: str, function: str, argument: Any = None) -> Any:
        call = f"async ([address, argument]) => ({function})(await import(address), argument)"
        return page.evaluate(call, [f"{base}/static/{module}.js", argument])

    return run


def test_lays_text_along_a_turned_box(run: Callable[..., Any]) -> None:
    upwards = [[10, 110], [10, 10], [30, 10], [30, 110]]  # reads from the bottom to the top
    place = run("shapes", "(module, box) => module.placeOf(box)", upwards)
    assert place == {"length": 100, "height": 20, "transform": "translate(10 110) rotate(-90)"}
    assert run("shapes", "(module, box) => module.boundsOf(box)", upwards) == {
        "x": 10,
        "y": 10,
        "width": 20,
        "height": 100,
    }


def test_never_rounds_a_confidence_up(run: Callable[..., Any]) -> None:
    texts = run("confidence", "({ percent }, all) => all.map(percent)", [1, 0.9999, 0.95, 0, None])
    assert texts == ["100 %", "99.9 %", "95 %", "0 %", "–"]
    names = run("confidence", "({ bandOf }, all) => all.map((each) => bandOf(each).name)", [1, 0.9, 0.89, 0.7, 0.69, 0])
    assert names == ["sure", "sure", "fair", "fair", "weak", "weak"]


def test_reads_lines_that_are_cut_anywhere(run: Callable[..., Any]) -> None:
    read = run(
        "../ui/lines",
        """async ({ readLines }, text) => {
          const bytes = new TextEncoder().encode(text);
          const stream = new ReadableStream({
            start(controller) {
              for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
              controller.close();
            },
          });
          const found = [];
          for await (const line of readLines(stream)) found.push(line);
          return found;
        }""",
        '{"text":"三百"}\n\n{"a":1}\n{"b":2}',
    )
    assert read == [{"text": "三百"}, {"a": 1}, {"b": 2}]


def test_tells_a_stream_that_breaks_from_one_that_ends(run: Callable[..., Any]) -> None:
    seen = run(
        "../ui/lines",
        """async ({ StreamBroken, readLines }) => {
          const stream = new ReadableStream({
            start(controller) { controller.enqueue(new TextEncoder().encode('{"a":1}\\n{"b"')); },
            pull(controller) { controller.error(new TypeError("network error")); },
          }, { highWaterMark: 0 });
          const seen = [];
          try {
            for await (const line of readLines(stream)) seen.push(line);
          } catch (error) {
            seen.push(error instanceof StreamBroken);
          }
          return seen;
        }""",
    )
    assert seen[-1] is True


def test_sorts_the_lines_of_a_tiff_to_their_pages(run: Callable[..., Any]) -> None:
    answer = {
        "results": [{"text": "a", "page": 1}, {"text": "b", "page": 3}],
        "processing_time": 1,
        "image_size": {"width": 10, "height": 20},
        "pages": [{"page": n, "image_size": {"width": 10 * n, "height": 20}} for n in (1, 2, 3)],
    }
    pages = run("answers", "({ pagesOf }, answer) => pagesOf(answer)", answer)
    assert [(page["number"], page["width"], [line["text"] for line in page["lines"]]) for page in pages] == [
        (1, 10, ["a"]),
        (2, 20, []),
        (3, 30, ["b"]),
    ]


def test_asks_less_often_while_nothing_moves(run: Callable[..., Any]) -> None:
    delays = run(
        "pace",
        """({ Pace }) => {
          let now = 0;
          const pace = new Pace(() => now);
          const delays = [];
          const see = (...seen) => { pace.saw(...seen); delays.push(pace.delay); };
          for (let turn = 0; turn < 4; turn += 1) see(false, true);
          for (let turn = 0; turn < 4; turn += 1) see(false, false);
          see(true, true);
          const early = pace.isDue();
          now = pace.delay;
          return [delays, early, pace.isDue()];
        }""",
    )
    assert delays == [[2000, 4000, 8000, 8000, 16000, 32000, 60000, 60000, 1000], False, True]


def test_names_outputs_after_their_file(run: Callable[..., Any]) -> None:
    names = run(
        "outputs",
        """({ outputName }, files) => files.map((file) => outputName(file, { suffix: ".txt" }))""",
        ["a.b.pdf", "scan", "no. 7 of 2026", ".pdf"],
    )
    assert names == ["a.b.txt", "scan.txt", "no. 7 of 2026.txt", ".txt"]


def test_copies_without_the_clipboard_of_a_secure_page(page: Page, run: Callable[..., Any]) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = run(
        "clipboard",
        """async ({ copyText }) => {
          const { clipboard } = navigator;
          const read = () => clipboard.readText();
          Object.defineProperty(navigator, "clipboard", { value: undefined });
          return [await copyText("line one\\nline two"), await read()];
        }""",
    )
    assert copied == [True, "line one\nline two"]
