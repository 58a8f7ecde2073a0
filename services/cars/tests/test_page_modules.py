"""The page's modules below its sections, and those of all pages that it uses, in real Chromium."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page


@pytest.fixture
def run(page: Page, base: str) -> Callable[..., Any]:
    """Runs `(module, argument) => …` with a module of the page, or of `ui/`."""
    page.goto(f"{base}/")

    def run(module: str, function: str, argument: Any = None) -> Any:
        call = f"async ([address, argument]) => ({function})(await import(address), argument)"
        return page.evaluate(call, [f"{base}/{module}.js", argument])

    return run


def test_keeps_a_part_within_its_picture(run: Callable[..., Any]) -> None:
    size = {"width": 100, "height": 50}
    drawn = run("static/region", "({ between }, size) => between([80.4, 60], [20.6, -5], size)", size)
    assert drawn == {"x": 21, "y": 0, "width": 59, "height": 50}
    point = run("static/region", "({ between }, size) => between([200, 200], [200, 200], size)", size)
    assert point == {"x": 99, "y": 49, "width": 1, "height": 1}
    typed = {"x": -4, "y": 10, "width": 999, "height": 0}
    fitted = run("static/region", "({ fitted }, [part, size]) => fitted(part, size)", [typed, size])
    assert fitted == {"x": 0, "y": 10, "width": 100, "height": 1}


def test_never_rounds_a_confidence_up(run: Callable[..., Any]) -> None:
    texts = run("static/answer", "({ percent }, all) => all.map(percent)", [1, 0.99999, 0.95, 0, None])
    assert texts == ["100 %", "99.9 %", "95 %", "0 %", "–"]


def test_runs_a_few_at_a_time_and_all_of_them(run: Callable[..., Any]) -> None:
    seen = run(
        "static/parallel",
        """async ({ eachOf }) => {
          let now = 0, most = 0;
          const work = async (item) => {
            most = Math.max(most, (now += 1));
            await new Promise((done) => setTimeout(done));
            now -= 1;
            if (item % 4 === 0) throw new Error(item);
          };
          const failures = await eachOf([1, 2, 3, 4, 5, 6, 7, 8, 9], 3, work);
          return [most, now, failures.map(([item]) => item)];
        }""",
    )
    assert seen == [3, 0, [4, 8]]


def test_comes_back_only_when_it_is_asked_to_and_not_for_ever(run: Callable[..., Any]) -> None:
    counts = run(
        "static/send",
        """async ({ patiently }) => {
          const wait = 0.001;
          const tried = async (error) => {
            let times = 0;
            await patiently(() => { times += 1; throw error; }).catch(() => {});
            return times;
          };
          return Promise.all([
            tried({ status: 503, retryAfter: wait }), tried({ status: 429, retryAfter: wait }),
            tried({ status: 503, retryAfter: null }), tried({ status: 503, retryAfter: 3600 }),
            tried({ status: 422, retryAfter: wait }),
          ]);
        }""",
    )
    assert counts == [4, 4, 1, 1, 1]


def test_knows_what_operating_systems_leave_in_folders(run: Callable[..., Any]) -> None:
    paths = ["a.jpg", "in/.DS_Store", "Thumbs.db", "__MACOSX/a.jpg", "in/._a.jpg", "in/desktop.ini", "my._a.jpg"]
    left = run("ui/intake", "({ isLeftover }, paths) => paths.filter(isLeftover)", paths)
    assert left == ["in/.DS_Store", "Thumbs.db", "__MACOSX/a.jpg", "in/._a.jpg", "in/desktop.ini"]


def test_reads_lines_that_are_cut_anywhere_and_tells_a_stream_that_breaks(run: Callable[..., Any]) -> None:
    read = """async ({ StreamBroken, readLines }, [text, breaks]) => {
      const bytes = new TextEncoder().encode(text);
      let at = 0;
      const stream = new ReadableStream({
        pull(controller) {
          if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += 1)));
          else if (breaks) controller.error(new TypeError("network error"));
          else controller.close();
        },
      });
      const found = [];
      try {
        for await (const line of readLines(stream)) found.push(line);
      } catch (error) {
        found.push(error instanceof StreamBroken);
      }
      return found;
    }"""
    text = '{"text":"三百"}\n\n{"a":1}\n{"b":2}'
    assert run("ui/lines", read, [text, False]) == [{"text": "三百"}, {"a": 1}, {"b": 2}]
    assert run("ui/lines", read, [text, True]) == [{"text": "三百"}, {"a": 1}, True]
    assert run("ui/lines", read, ["no json\n", False]) == [True]
