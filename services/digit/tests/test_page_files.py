"""Files on the page: pictures, folders and ZIPs in; a table to filter, correct and save out."""

import base64
import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Locator, Page, expect

HOSTILE, FORMULA = "<img src=x onerror=alert(1)>.png", "=cmd|' C'!A0.png"
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")
GATE = (Path(__file__).parent / "gate.js").read_text(encoding="utf-8")
STROKES = {1: [(32, 10), (32, 54)], 7: [(14, 12), (48, 12), (26, 54)], 4: [(40, 54), (40, 10), (12, 38), (54, 38)]}


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("digit", "serve") + "/digit"


@pytest.fixture
def files(page: Page, base: str) -> Page:
    page.goto(f"{base}/#files")
    expect(page.get_by_label("Model", exact=True)).to_contain_text("default")
    return page


def png(digit: int | None, shade: int = 0) -> bytes:
    """A picture (64, 64) of a digit that is drawn in lines; `shade` makes pictures that are alike different."""
    picture = Image.new("L", (64, 64), 255)
    if digit is not None:
        ImageDraw.Draw(picture).line(STROKES[digit], fill=shade, width=6, joint="curve")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return stream.getvalue()


def give(page: Page, *files: tuple[str, bytes]) -> None:
    """Chooses files; an empty media type lets the page look for itself."""
    payloads: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.locator("#files-input").set_input_files(payloads)


def expect_read(page: Page, count: int) -> None:
    expect(page.locator("#files-said")).to_have_text(f"{count} pictures read" if count != 1 else "1 picture read")


def row(page: Page, name: str) -> Locator:
    return page.locator(".results tbody tr").filter(has=page.get_by_text(name, exact=True))


def saved(page: Page) -> list[list[str]]:
    """The rows of the CSV download."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "digits.csv"
    text = Path(download.value.path()).read_bytes().decode()
    assert text.count("\r\n") == text.count("\n")
    return list(csv.reader(io.StringIO(text)))


def test_reads_a_zip_with_folders_and_counts_how_many_are_right(files: Page) -> None:
    entries = {f"scans/{digit}/{n}_label_{digit}.png": png(digit, n) for digit in (1, 7) for n in range(6)}
    entries |= {"scans/x_label_4.png": png(7), "scans/notes.txt": b"hello", "__MACOSX/scans/._x.png": b"left over"}
    give(files, ("scans.zip", zipped(entries)))
    expect_read(files, 14)
    expect(files.locator("#files-facts")).to_contain_text("92.31 % 12 of 13 labelled")
    expect(row(files, "3_label_7.png").locator("input")).to_have_value("7")
    expect(row(files, "x_label_4.png").locator(".status")).to_have_text("wrong label 4")
    expect(row(files, "notes.txt").locator(".status")).to_contain_text("error")
    files.get_by_role("button", name="Errors 1").click()
    expect(files.locator(".results tbody tr")).to_have_count(1)
    expect(files.locator(".results tbody tr .name")).to_have_text("notes.txt")


def test_shows_the_pictures_of_a_zip_whether_stored_or_deflated(files: Page) -> None:
    give(files, ("a.zip", zipped({"a.png": png(7)}, zipfile.ZIP_STORED)), ("b.zip", zipped({"b.png": png(1)})))
    expect_read(files, 2)
    for name in ("a.png", "b.png"):
        canvas = row(files, name).locator("canvas.thumb")
        dark = """(canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.filter((value, at) => at % 4 === 0 && value < 128 && data[at + 3] === 255).length > 200;
        }"""
        files.wait_for_function(dark, arg=canvas.element_handle())
    files.get_by_role("button", name="Show b.png").click()
    picture = files.get_by_role("dialog", name="b.png").get_by_role("img")
    expect(picture).to_have_js_property("naturalWidth", 64)
    files.keyboard.press("Escape")
    expect(files.get_by_role("button", name="Show b.png")).to_be_focused()


def test_shows_progress_can_be_stopped_and_goes_on_where_it_was(page: Page, base: str) -> None:
    page.add_init_script(GATE)
    page.goto(f"{base}/#files")
    give(
        page,
        *((f"{n}.png", png(7, n)) for n in range(30)),
        ("z.zip", zipped({f"z{n}.png": png(1, n) for n in range(12)})),
    )
    expect(page.locator("#files-said")).to_have_text("10 of 42 pictures read")
    bar = page.get_by_role("progressbar", name="10 of 42 pictures read")
    expect(bar).to_have_js_property("value", 10)
    expect(page.locator(".results tbody tr")).to_have_count(10)
    page.get_by_role("button", name="Stop").click()
    page.evaluate("openGate()")
    page.get_by_role("button", name="Go on").click()
    expect_read(page, 42)
    names = [cells[0] for cells in saved(page)[1:]]
    assert names == [*(f"{n}.png" for n in range(30)), *(f"z{n}.png" for n in range(12))]


def drop(page: Page, path: Path) -> None:
    """Drags a path over a page that lies still: Chromium forgets a drag whose target moves away under it."""
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})


def test_takes_a_folder_that_is_dropped_on_any_section(page: Page, base: str, tmp_path: Path) -> None:
    for name in ("inbox/monday/a.png", "inbox/tuesday/a.png", "inbox/b.png", "inbox/.DS_Store"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(7) if name.endswith("png") else b"left over")
    page.goto(f"{base}/#models")
    expect(page.get_by_role("cell", name="mnist test")).to_be_visible()
    drop(page, tmp_path / "inbox")
    expect(page.locator("#files")).to_be_visible()
    expect_read(page, 3)
    names = [cells[0] for cells in saved(page)[1:]]
    assert names == ["b.png", "inbox/monday/a.png", "inbox/tuesday/a.png"]


def test_takes_a_picture_that_is_pasted(files: Page) -> None:
    paste = """(data) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
      dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
    }"""
    for _ in range(2):
        files.evaluate(paste, base64.b64encode(png(7)).decode())
    expect_read(files, 2)
    expect(row(files, "pasted-2.png").locator("input")).to_have_value("7")


def test_corrects_by_typing_and_goes_on_to_the_next(files: Page) -> None:
    give(files, *((f"{n}_label_7.png", png(7, n)) for n in range(4)), ("other_label_4.png", png(7)))
    expect_read(files, 5)
    first = row(files, "0_label_7.png")
    first.locator("input").focus()
    files.keyboard.type("3")
    expect(first.locator(".status")).to_have_text("corrected was 7")
    expect(row(files, "1_label_7.png").locator("input")).to_be_focused()
    files.keyboard.type("7-")
    expect(row(files, "1_label_7.png").locator(".status")).to_have_text("confirmed")
    expect(row(files, "2_label_7.png").locator(".status")).to_have_text("corrected was 7")
    expect(row(files, "2_label_7.png").locator("input")).to_have_value("–")
    files.keyboard.type("x")
    expect(row(files, "3_label_7.png").locator("input")).to_have_value("7")
    files.keyboard.press("ArrowDown")
    expect(row(files, "other_label_4.png").locator("input")).to_be_focused()
    expect(files.locator("#files-facts")).to_contain_text("40.00 % 2 of 5 labelled")
    expect(files.get_by_role("button", name="Corrected 2")).to_be_visible()
    first.locator("input").focus()
    files.keyboard.press("Backspace")
    expect(first.locator("input")).to_have_value("7")
    expect(first.locator(".status")).to_have_text("read")
    table = saved(files)
    assert table[0] == ["name", "prediction", "confidence", "is_digit", "model", "error", "correction", "label"]
    assert [(cells[0], cells[1], cells[6], cells[7]) for cells in table[1:4]] == [
        ("0_label_7.png", "7", "", "7"),
        ("1_label_7.png", "7", "7", "7"),
        ("2_label_7.png", "7", "none", "7"),
    ]
    model = files.evaluate("document.querySelector('#model').selectedOptions[0].text").split()[0]
    assert table[1][3:5] == ["true", model]


def test_reads_again_by_another_model_and_keeps_corrections(files: Page) -> None:
    give(files, ("a.png", png(7)), ("b.png", png(1)))
    expect_read(files, 2)
    row(files, "a.png").locator("input").focus()
    files.keyboard.type("2")
    files.get_by_label("Model", exact=True).select_option("cnn")
    files.get_by_role("button", name="Read again").click()
    expect(row(files, "a.png").locator(".status")).to_have_text("corrected was 7")
    expect_read(files, 2)
    assert [cells[4] for cells in saved(files)[1:]] == ["cnn", "cnn"]


def test_reads_again_while_it_still_reads(page: Page, base: str) -> None:
    page.add_init_script(GATE)
    page.goto(f"{base}/#files")
    give(page, *((f"{n}.png", png(7, n)) for n in range(12)))
    expect(page.locator("#files-said")).to_have_text("10 of 12 pictures read")
    page.get_by_role("button", name="Read again").click()
    expect(page.locator("#files-said")).to_have_text("10 of 12 pictures read")
    page.evaluate("openGate()")
    expect_read(page, 12)
    assert [cells[0] for cells in saved(page)[1:]] == [f"{n}.png" for n in range(12)]


def test_filters_by_digit_and_name_and_sorts(files: Page) -> None:
    give(files, *((f"{digit} {n}.png", png(digit, n)) for digit in (1, 7) for n in (2, 10)))
    expect_read(files, 4)
    files.locator("#files-digits [data-chip='7']").click()
    expect(files.locator(".results .name").filter(has_not=files.locator("button"))).to_have_text(
        ["7 2.png", "7 10.png"]
    )
    files.get_by_label("Name", exact=True).fill("10")
    expect(files.locator(".results tbody tr")).to_have_count(1)
    files.get_by_label("Name", exact=True).fill("no such")
    expect(files.locator(".results tbody")).to_contain_text("No picture is like this.")
    files.get_by_label("Name", exact=True).clear()
    files.locator("#files-digits [data-chip='7']").click()
    heading = files.get_by_role("columnheader", name="Name")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    expect(files.locator("tbody .name")).to_have_text(["1 2.png", "1 10.png", "7 2.png", "7 10.png"])
    expect(heading.get_by_role("button")).to_be_focused()
    files.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "descending")
    expect(files.locator("tbody .name")).to_have_text(["7 10.png", "7 2.png", "1 10.png", "1 2.png"])


def test_shows_hostile_names_as_they_are_and_writes_no_formula(files: Page) -> None:
    give(files, (HOSTILE, png(7)), (FORMULA, png(7)), ("names.zip", zipped({"a\u202egnp.exe\n.png": png(1)})))
    expect_read(files, 3)
    expect(row(files, HOSTILE)).to_have_count(1)
    expect(row(files, FORMULA)).to_have_count(1)
    expect(files.locator(".results tbody img")).to_have_count(0)
    files.get_by_role("button", name=f"Show {HOSTILE}").click()
    expect(files.get_by_role("dialog", name=HOSTILE)).to_be_visible()
    files.keyboard.press("Escape")
    assert [cells[0] for cells in saved(files)[1:]] == [HOSTILE, f"'{FORMULA}", "a\ufffdgnp.exe\ufffd.png"]


def test_names_what_cannot_be_read_and_goes_on(files: Page) -> None:
    broken = zipped({"a.png": png(7)})[:-30]
    give(files, ("text.png", b"hello"), ("blank.png", png(None)), ("broken.zip", broken), ("seven.png", png(7)))
    expect_read(files, 4)
    expect(files.get_by_role("button", name="Errors 3")).to_be_visible()
    expect(row(files, "blank.png").locator(".status")).to_contain_text("no ink was found")
    expect(row(files, "broken.zip").locator(".status")).to_contain_text("error")
    expect(row(files, "seven.png").locator("input")).to_have_value("7")
    assert [cells[5] != "" for cells in saved(files)[1:]] == [True, True, True, False]


def test_finds_the_file_that_a_whole_call_is_refused_for(
    open_page: Callable[[str], Page], serve: Callable[..., str], refused: set[int]
) -> None:
    refused.add(413)
    base = serve("digit", "serve", DIGIT_MAX_UPLOAD_BYTES="4096") + "/digit"
    page = open_page(base)
    page.goto(f"{base}/#files")
    give(page, ("a.png", png(7)), ("large.png", png(7) + bytes(9000)), ("b.png", png(1)))
    expect_read(page, 3)
    expect(row(page, "large.png").locator(".status")).to_contain_text("limit")
    expect(row(page, "a.png").locator("input")).to_have_value("7")
    expect(row(page, "b.png").locator("input")).to_have_value("1")


def test_waits_out_a_service_that_cannot_be_reached(files: Page, refused: set[int]) -> None:
    refused.add(0)
    files.context.set_offline(True)
    give(files, ("a.png", png(7)))
    expect(files.locator("#files-message [role=alert]")).to_contain_text("could not be reached")
    files.context.set_offline(False)
    files.get_by_role("button", name="Try again").click()
    expect_read(files, 1)
    expect(files.locator("#files-message [role=alert]")).to_have_count(0)
    files.get_by_role("button", name="Remove all").click()
    expect(files.locator("#files-results")).to_be_hidden()
    expect(files.locator("#files-progress")).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_fits_a_phone_with_whatever_results(files: Page, scheme: Literal["light", "dark"]) -> None:
    files.emulate_media(color_scheme=scheme)
    files.set_viewport_size({"width": 320, "height": 700})
    long = f"{'n' * 180}_label_4.png"
    give(files, (long, png(7)), ("no.png", b"no picture"), *((f"{n}_label_7.png", png(7, n)) for n in range(60)))
    expect_read(files, 62)
    for key in ("1", "-", "7"):
        files.locator(".digit-input").first.focus()
        files.keyboard.press(key)
        assert files.evaluate(FAINT) == []
    files.get_by_role("button", name="Next page").click()
    expect(files.locator("#files-pager")).to_contain_text("51 to 62 of 62 pictures")
    assert files.evaluate(FAINT) == []
    assert files.evaluate("document.documentElement.scrollWidth <= innerWidth")
