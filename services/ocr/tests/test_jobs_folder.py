import stat
from pathlib import Path

import pytest
from ocr.jobs.folder import Folder, Pages
from ocr.pages import Line, Page, Word
from ocr.results import PageResult

QUAD = ((1.25, 2.5), (30.0, 2.5), (30.0, 12.0), (1.25, 12.0))


def page(number: int) -> PageResult:
    word = Word(f"Seite{number}…", 0.5, QUAD)
    return PageResult.of(
        number, Page(40, 20, (Line(f"Seite{number}…", 0.25, QUAD, (word,)),), "text"), 0.125, dpi=200.0
    )


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_pages_come_back_as_they_were(folder: Folder) -> None:
    for number in (1, 2, 5):
        folder.append(page(number))
    pages = Pages(folder, 3)
    assert list(pages) == [page(1), page(2), page(5)]
    assert (len(pages), pages[0], pages[-1], pages[1:]) == (3, page(1), page(5), [page(2), page(5)])
    with pytest.raises(IndexError):
        pages[3]


def test_pages_that_come_later_are_not_told(folder: Folder) -> None:
    folder.append(page(1))
    pages = Pages(folder, 1)
    folder.append(page(2))
    assert list(pages) == [page(1)]


def test_a_job_without_pages_has_none(folder: Folder) -> None:
    assert list(Pages(folder, 0)) == []


@pytest.mark.parametrize(
    "rubbish",
    [
        b'{"number":3,"page":{"width":4',
        b'{"number":3}\n',
        b"\0" * 64,
        b"\0" * 63 + b"\n",
        b"\xff\xfe\n",
        b'"',
        b"\n",
    ],
)
def test_what_a_dead_process_left_is_cut_off(folder: Folder, rubbish: bytes) -> None:
    folder.append(page(1))
    folder.append(page(2))
    whole = folder.pages.read_bytes()
    folder.pages.write_bytes(whole + rubbish)
    assert folder.recover((1, 2, 3, 4)) == 2
    assert folder.pages.read_bytes() == whole


def test_a_whole_page_without_its_line_break_is_read_again(folder: Folder) -> None:
    folder.append(page(1))
    folder.pages.write_bytes(folder.pages.read_bytes()[:-1])
    assert folder.recover((1, 2)) == 0
    assert folder.pages.read_bytes() == b""


def test_pages_that_nobody_asked_for_are_cut_off(folder: Folder) -> None:
    for number in (3, 4, 9):
        folder.append(page(number))
    assert folder.recover((3, 4, 5)) == 2
    assert list(Pages(folder, 2)) == [page(3), page(4)]
    assert folder.recover((3,)) == 1
    assert folder.recover(()) == 0


def test_a_job_that_has_not_begun_has_nothing_to_recover(folder: Folder) -> None:
    assert folder.recover((1, 2)) == 0


def test_a_password_is_private_and_goes(folder: Folder) -> None:
    assert folder.read_password() is None
    folder.write_password("größer als 1")
    (secret,) = folder.path.iterdir()
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert folder.read_password() == "größer als 1"
    folder.wipe_password()
    assert list(folder.path.iterdir()) == []
