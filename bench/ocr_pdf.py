"""PDFs: what a digital page costs by its text layer, against bare pypdfium2; how well a searchable PDF fits its text.

A word of a searchable PDF is as far from the JSON's as their sides are at most, in pixels of the picture that was read,
measured with pdfium over all words that occur once on the page.
"""

import http.client
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pypdfium2
from ocr.documents import Documents
from ocr.settings import Settings

from bench import pictures_ocr, servers
from bench.report import Row

NEEDS_DATA = True
DPI = 200
ROUNDS = 20
PAGE_MS, MOST_PX, MOST_SIZE = 5.0, 3.0, 1.1
DIGITAL = ("digital_latex4.pdf", "digital_cn67.pdf")
SHOWN = ("receipt_000", "scan_8071", "label_shampoo")

Box = tuple[float, float, float, float]  # left, top, right, bottom in pixels


def measure(data: str) -> Iterator[Row]:
    folder = pictures_ocr.folder_of(data)
    for name in DIGITAL:
        yield from _digital(folder / "pdf" / name)
    paths = {sample.id: sample.path for sample in pictures_ocr.samples(data)}
    with tempfile.TemporaryDirectory() as jobs, servers.ocr(Path(jobs)) as server:
        for name in SHOWN:
            yield from _searchable(server, paths[name])


def _digital(path: Path) -> Iterator[Row]:
    documents = Documents(Settings(), 1)
    try:
        with documents.open(path) as document, pypdfium2.PdfDocument(path) as peer:
            pages = range(min(3, document.n_pages))
            ours = statistics.median(_ms(lambda page: document.page(page, "auto", DPI), pages))
            bare = statistics.median(_ms(lambda page: peer[page].get_textpage().get_text_range(), pages))
    finally:
        documents.close()
    yield Row(f"ms of a page by its text layer, {path.name}", ours, f"at most {PAGE_MS:g}", ours <= PAGE_MS)
    yield Row("the same / bare pypdfium2's text", ours / bare, "for comparison", None)


def _ms(call: Callable[[int], object], pages: range) -> Iterator[float]:
    for page in pages:
        call(page)
        for _ in range(ROUNDS):
            started = time.perf_counter()
            call(page)
            yield 1000 * (time.perf_counter() - started)


def _searchable(server: servers.Server, path: Path) -> Iterator[Row]:
    answer = json.loads(_post(server, path, return_word_box="true"))
    pdf = _post(server, path, format="pdf")
    wanted = [(word["text"], _around(word["bbox"])) for line in answer["results"] for word in line["words"]]
    size = answer["image_size"]["width"], answer["image_size"]["height"]
    distances = [_distance(box, found) for box, found in _pairs(wanted, _words(pdf, *size))]
    what = f"farthest word of the searchable PDF in px, {path.stem}, {len(distances)} words"
    yield Row(what, max(distances), f"at most {MOST_PX:g}", max(distances) <= MOST_PX)
    ratio = len(pdf) / path.stat().st_size
    yield Row(f"its size / the picture's, {path.stem}", ratio, f"at most {MOST_SIZE}", ratio <= MOST_SIZE)


def _post(server: servers.Server, path: Path, **fields: str) -> bytes:
    body, media_type = pictures_ocr.form("file", path, **fields)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("POST", "/upload", body, {"Content-Type": media_type})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"{path.name} was answered with {response.status}: {content[:200]!r}")
    return content


def _words(pdf: bytes, width: int, height: int) -> list[tuple[str, Box]]:
    """Returns the words of the first page, between spaces, and where pdfium finds their letters."""
    with pypdfium2.PdfDocument(pdf) as document:
        page = document[0]
        wide, high = page.get_size()
        text = page.get_textpage()
        letters = text.get_text_range()
        boxes = [text.get_charbox(index) for index in range(text.count_chars())]
    words, start = [], 0
    for word in letters.split():
        start = letters.index(word, start)
        edges = list(zip(*boxes[start : start + len(word)], strict=True))
        left, right = min(edges[0]) * width / wide, max(edges[2]) * width / wide
        words.append(
            (word, (left, (high - max(edges[3])) * height / high, right, (high - min(edges[1])) * height / high))
        )
        start += len(word)
    return words


def _pairs(wanted: list[tuple[str, Box]], found: list[tuple[str, Box]]) -> Iterator[tuple[Box, Box]]:
    """Yields the boxes of each word that there is once on both sides."""
    once = [{text for text, n in Counter(text for text, _ in side).items() if n == 1} for side in (wanted, found)]
    places = dict(found)
    return ((box, places[text]) for text, box in wanted if text in once[0] & once[1])


def _around(corners: list[Any]) -> Box:
    across, down = zip(*corners, strict=True)
    return min(across), min(down), max(across), max(down)


def _distance(one: Box, other: Box) -> float:
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
