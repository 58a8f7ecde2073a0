"""The report as a saved file in a browser: how it looks, and that nothing runs even where the escaping fails."""

import asyncio
import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cars.archive import FileRecord, Stats
from cars.reports import html
from PIL import Image
from playwright.sync_api import Browser, Page
from reported import FILE, NOW
from servicekit import names

FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")
HOSTILE = (
    '<img src="{evil}/x" onerror="window.ran = 1"><script>window.ran = 1</script>'
    '<svg onload="window.ran = 1"></svg><iframe src="{evil}/z"></iframe>'
    '<link rel="stylesheet" href="{evil}/y"><style>body {{ display: none }}</style><base href="{evil}/">'
)
STATS = Stats(
    files=3,
    size_bytes=1_234_567,
    predictions=3,
    corrections=0,
    by_status={"pending": 0, "processing": 0, "recognized": 3, "unrecognized": 0, "failed": 0},
    by_make={"Tesla": 2, "Audi": 1},
    by_model=(),
    by_confidence=(0, 0, 0, 0, 0, 0, 0, 1, 1, 1),
    by_reason={"no_car": 2},
    by_backend={"local": 3},
    by_day={"2026-03-12": 3, "2026-03-14": 1},
)


def a_file(name: str) -> FileRecord:
    return replace(FILE, filename=name)


async def _red(_file: FileRecord) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 0, 0)).save(stream, "JPEG")
    return stream.getvalue()


class Evil(ThreadingHTTPServer):
    """A server elsewhere, which remembers what it was asked for."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Evil

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.send_error(404)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def evil() -> Iterator[Evil]:
    with Evil() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def opened(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    yield context.new_page()
    context.close()


def save(folder: Path, *files: FileRecord, stats: Stats = STATS) -> str:
    async def read() -> str:
        return "".join([piece async for piece in html.pieces(stats, files, _red, NOW)])

    path = folder / "report.html"
    with ThreadPoolExecutor(1) as thread:  # Playwright has an event loop in this one
        path.write_text(thread.submit(lambda: asyncio.run(read())).result(), encoding="utf-8")
    return path.as_uri()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_it_can_be_read_in_both_themes_and_on_a_phone(opened: Page, tmp_path: Path, scheme: Any, width: int) -> None:
    opened.emulate_media(color_scheme=scheme)
    opened.set_viewport_size({"width": width, "height": 800})
    opened.goto(save(tmp_path, a_file("car.jpg")))
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(24, 32, 40)"}[scheme]
    assert opened.evaluate("document.images[0].naturalWidth") == 40
    assert opened.evaluate(FAINT) == []
    assert opened.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_it_prints_on_white_with_the_heads_of_its_tables_repeated(opened: Page, tmp_path: Path) -> None:
    opened.emulate_media(color_scheme="dark", media="print")
    opened.goto(save(tmp_path, a_file("car.jpg")))
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    head = "getComputedStyle(document.querySelector('.files thead')).display"
    assert opened.evaluate(head) == "table-header-group"


def test_a_screen_reader_is_told_of_every_plot_and_picture(opened: Page, tmp_path: Path) -> None:
    opened.goto(save(tmp_path, a_file("car.jpg")))
    snapshot = opened.locator("body").aria_snapshot()
    for name in ("Files by make", "Files by confidence", "Files by reason", "Uploads by day", "Picture 1"):
        assert f'img "{name}' in snapshot


@pytest.mark.parametrize("guarded", [True, False])
def test_nothing_runs_and_nothing_is_asked_for_even_where_the_escaping_fails(
    opened: Page, tmp_path: Path, evil: Evil, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(html, "text", lambda words: words)
    if not guarded:  # the same without the policy, to see that the words are hostile
        monkeypatch.setattr(html, "HEAD", html.HEAD.replace("http-equiv", "data-off"))
    opened.goto(save(tmp_path, a_file(HOSTILE.format(evil=evil.url))))
    assert opened.evaluate("document.scripts.length") == 1
    if guarded:
        assert opened.evaluate("window.ran") is None
        assert opened.evaluate("getComputedStyle(document.body).display") == "block"
        assert opened.evaluate("document.baseURI").startswith("file:")
        assert evil.asked == []
    else:
        assert opened.evaluate("window.ran") == 1
        assert {"/x", "/y", "/z"} <= set(evil.asked)


def test_hostile_names_are_read_as_they_are(opened: Page, tmp_path: Path, evil: Evil) -> None:
    name = names.clean(HOSTILE.format(evil=evil.url))
    opened.goto(save(tmp_path, a_file(name)))
    assert opened.evaluate("document.scripts.length") == 0
    assert name in opened.locator(".files").inner_text()
    assert evil.asked == []
