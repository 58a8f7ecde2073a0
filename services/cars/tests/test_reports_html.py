import asyncio
from collections.abc import Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from cars.archive import FileRecord, Stats
from cars.problems import NotAnImage, PicturesUnavailable
from cars.recognition import Candidate, Share
from cars.reports import html
from cars.reports.thumbnails import Thumbnails
from reported import FILE, NOW
from servicekit import names

HOSTILE = (
    '<img src=x onerror="alert(1)">.jpg',
    "'\"><script>alert(1)</script>",
    "</style><svg onload=alert(1)>",
    "=cmd|' /c calc'!A1",
    "\u202egpj.exe\u2066",
    "<!-- --><!]]>&amp;&#60;",
    "</title></textarea><iframe src=//evil>",
)


def counted(**changed: Any) -> Stats:
    values: dict[str, Any] = {
        "files": 1,
        "size_bytes": 1_234_567,
        "predictions": 1,
        "corrections": 0,
        "by_status": {"pending": 0, "processing": 0, "recognized": 1, "unrecognized": 0, "failed": 0},
        "by_make": {"Tesla": 1},
        "by_model": (),
        "by_confidence": (0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
        "by_reason": {"no_car": 2},
        "by_backend": {"local": 1},
        "by_day": {"2026-03-12": 3, "2026-03-14": 1},
    }
    return Stats(**{**values, **changed})


async def _none(_file: FileRecord) -> bytes | None:
    return b"\xff\xd8picture"


def page(stats: Stats, files: Sequence[FileRecord] = (), thumbnail: html.Thumbnail = _none) -> str:
    async def read() -> str:
        return "".join([piece async for piece in html.pieces(stats, files, thumbnail, NOW)])

    return asyncio.run(read())


class Seen(HTMLParser):
    """Collects what a browser would see: elements with their attributes, and text."""

    VOID = ("meta", "img", "br", "rect", "line")

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_words_are_shown_and_nothing_else(hostile: str) -> None:
    candidate = Candidate(hostile, hostile, hostile, hostile, 2012, 0.9)
    file = replace(
        FILE,
        filename=hostile,
        predictions=(candidate,),
        make=Share(hostile, 0.9),
        model_name=hostile,
        model_version=hostile,
        status="failed",
        error={"detail": hostile},
    )
    plain = Seen(page(counted(), [replace(FILE, status="failed", error={"detail": "x"})]))
    seen = Seen(page(counted(by_make={hostile: 1}, by_reason={hostile: 1}), [file]))
    assert seen.open == []
    assert [tag for tag, _ in seen.elements].count("img") == [tag for tag, _ in plain.elements].count("img")
    tags = {tag for tag, _ in seen.elements}
    assert tags.isdisjoint({"script", "iframe", "a", "link", "object", "textarea"})
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    assert seen.text.count(names.clean(hostile)) >= 5
    assert not [character for character in seen.text if character in "\u202e\u2066"]


def test_the_page_names_its_own_policy_which_allows_its_style_alone() -> None:
    seen = Seen(page(counted(), [FILE]))
    policies = [
        attributes["content"]
        for tag, attributes in seen.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [html.POLICY]
    assert "'unsafe" not in html.SERVED_POLICY
    assert not [1 for _, attributes in seen.elements if "style" in attributes]
    sources = [attributes["src"] for _, attributes in seen.elements if attributes.get("src")]
    assert sources
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in sources)


def test_the_table_has_the_newest_and_says_how_many_there_are() -> None:
    found = page(counted(files=5_000), [replace(FILE, id=number) for number in range(300, 0, -1)])
    assert f"the newest {html.NEWEST} of 5,000 files" in found
    assert found.count("<img ") == html.NEWEST
    assert "all files" in page(counted(), [FILE])


def test_what_has_no_picture_says_so() -> None:
    async def nothing(_file: FileRecord) -> bytes | None:
        return None

    assert "no picture" in page(counted(), [FILE], nothing)


def test_days_without_uploads_are_drawn_and_old_ones_left_out() -> None:
    assert "2026-03-13: 0" in page(counted())
    found = page(counted(by_day={"2020-01-01": 9, "2026-03-14": 1}))
    assert "2020-01-01" not in found
    assert found.count("<title>2026-") + found.count("<title>2025-") <= html.DAYS


def test_rare_makes_are_counted_together() -> None:
    makes = {f"make {number}": 100 - number for number in range(60)}
    found = page(counted(by_make=makes))
    assert f"make {html.MOST_MAKES - 1}: " in found
    assert f"make {html.MOST_MAKES}: " not in found
    assert f"all others: {sum(list(makes.values())[html.MOST_MAKES :]):,}" in found


def test_an_empty_archive_has_a_report_too() -> None:
    found = page(counted(files=0, by_make={}, by_reason={}, by_day={}, by_confidence=(0,) * 10))
    assert found.count("There are none yet.") >= 3
    assert Seen(found).open == []


def test_every_plot_has_a_table_beside_it() -> None:
    seen = Seen(page(counted(), [FILE]))
    tags = [tag for tag, _ in seen.elements]
    assert tags.count("table") == tags.count("svg") + 1


class Away:
    def __init__(self, problem: Exception) -> None:
        self.problem = problem
        self.asked = 0

    async def thumbnail(self, record: FileRecord) -> bytes:
        self.asked += 1
        raise self.problem


@pytest.mark.parametrize(("problem", "asked"), [(NotAnImage("damaged"), 3), (PicturesUnavailable("away"), 1)])
def test_a_storage_that_is_away_is_asked_once(problem: Exception, asked: int) -> None:
    source = Away(problem)

    async def three() -> list[bytes | None]:
        thumbnails = Thumbnails(source)
        return [await thumbnails.of(FILE) for _ in range(3)]

    assert asyncio.run(three()) == [None, None, None]
    assert source.asked == asked
