"""Pictures on the page: read, shown with their boxes, linked to their lines, copied and saved."""

import base64
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import FilePayload, Locator, Page, expect

TEXTS = ("Goods received", "Order 4711-0815", "Two boxes damaged")
HOSTILE = "<img src=x onerror=alert(1)>.png"
SIX_O_CLOCK = 6  # EXIF: what is stored has to be turned by 90 degrees clockwise
FAINT = (Path(__file__).parents[3] / "tests" / "faint_text.js").read_text(encoding="utf-8")
FORMS = {
    "JSON": (".json", b"{"),
    "Text": (".txt", b"Goods received"),
    "Markdown": (".md", b""),
    "hOCR": (".hocr", b"<?xml"),
    "ALTO": (".alto.xml", b"<?xml"),
    "Searchable PDF": (".searchable.pdf", b"%PDF-"),
}


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("ocr", "serve") + "/ocr"


@pytest.fixture
def reading(page: Page, base: str) -> Page:
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    return page


def drawn(texts: tuple[str, ...] = TEXTS, size: tuple[int, int] = (640, 360)) -> Image.Image:
    """Returns a picture with lines of text, dark on white."""
    picture = Image.new("RGB", size, "white")
    brush = ImageDraw.Draw(picture)
    for number, text in enumerate(texts):
        brush.text((40, 40 + 90 * number), text, fill="black", font=ImageFont.load_default(40))
    return picture


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payloads: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.locator("#read-input").set_input_files(payloads)


def shown(page: Page, name: str) -> Locator:
    """Returns what is shown of a file, once it has been read."""
    card = page.get_by_role("article", name=name, exact=True)
    expect(card.get_by_role("group", name="Download as")).to_be_visible()
    return card


def test_shows_each_line_over_the_picture_and_beside_it(reading: Page) -> None:
    with reading.expect_response("**/upload") as answer:
        give(reading, ("note.png", encoded(drawn())))
    lines = answer.value.json()["results"]
    card = shown(reading, "note.png")
    assert [line["text"] for line in lines] == list(TEXTS)
    expect(card.locator(".box")).to_have_count(len(TEXTS))
    expect(card.locator(".line-text")).to_have_text(list(TEXTS))
    first = card.locator(".box .edge").first
    expect(first).to_have_attribute("points", " ".join(f"{x},{y}" for x, y in lines[0]["bbox"]))
    expect(card.locator(".sheet svg")).to_have_attribute("viewBox", "0 0 640 360")
    expect(card.locator(".sheet img")).to_have_js_property("naturalWidth", 640)
    expect(card.locator(".summary")).to_contain_text("Lines3Mean confidence")
    mean = sum(line["confidence"] for line in lines) / len(lines)
    shown_mean = re.search(r"Mean confidence([\d.]+) %", card.locator(".summary").inner_text().replace("\n", ""))
    assert shown_mean is not None
    assert abs(float(shown_mean[1]) - 100 * mean) <= 0.11


def test_links_boxes_and_lines_by_pointer_and_by_keyboard(reading: Page) -> None:
    give(reading, ("note.png", encoded(drawn())))
    card = shown(reading, "note.png")
    boxes, lines, tip = card.locator(".box"), card.locator(".lines li"), card.locator(".tip")
    boxes.nth(1).hover()
    expect(lines.nth(1)).to_have_class(re.compile(r"\bon\b"))
    expect(tip).to_contain_text(TEXTS[1])
    expect(tip).to_contain_text("%")
    lines.nth(2).hover()
    expect(boxes.nth(2)).to_have_class(re.compile(r"\bon\b"))
    expect(boxes.nth(1)).not_to_have_class(re.compile(r"\bon\b"))
    expect(tip).to_contain_text(TEXTS[2])
    reading.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    boxes.first.focus()
    expect(tip).to_contain_text(TEXTS[0])
    reading.keyboard.press("ArrowDown")
    expect(boxes.nth(1)).to_be_focused()
    expect(lines.nth(1)).to_have_class(re.compile(r"\bon\b"))
    reading.keyboard.press("End")
    expect(boxes.nth(2)).to_be_focused()


def test_copies_a_line_and_everything(reading: Page, base: str) -> None:
    reading.context.grant_permissions(["clipboard-read", "clipboard-write"])
    clipboard = "navigator.clipboard.readText()"
    give(reading, ("note.png", encoded(drawn())))
    card = shown(reading, "note.png")
    card.locator(".box").nth(1).click()
    expect(card.locator(".tip")).to_have_attribute("data-said", "Copied")
    assert reading.evaluate(clipboard) == TEXTS[1]
    card.locator(".lines li").nth(2).focus()
    reading.keyboard.press("Enter")
    expect(card.locator(".lines li").nth(2)).to_have_attribute("data-said", "Copied")
    assert reading.evaluate(clipboard) == TEXTS[2]
    card.get_by_role("button", name="Copy all").click()
    expect(card.get_by_role("button", name="Copy all")).to_have_attribute("data-said", "Copied")
    assert reading.evaluate(clipboard) == "\n".join(TEXTS)


def test_lets_a_word_be_selected(reading: Page) -> None:
    give(reading, ("note.png", encoded(drawn())))
    line = shown(reading, "note.png").locator(".line-text").first
    line.dblclick(position={"x": 20, "y": 8})
    assert reading.evaluate("getSelection().toString().trim()") == TEXTS[0].split()[0]


@pytest.mark.parametrize("form", FORMS)
def test_saves_every_output(reading: Page, form: str) -> None:
    suffix, head = FORMS[form]
    give(reading, ("note.png", encoded(drawn())))
    card = shown(reading, "note.png")
    with reading.expect_download() as download:
        card.get_by_role("button", name=form, exact=True).click()
    assert download.value.suggested_filename == f"note{suffix}"
    data = Path(download.value.path()).read_bytes()
    assert data.startswith(head)
    if form == "JSON":
        assert [line["text"] for line in json.loads(data)["results"]] == list(TEXTS)
    elif form != "Searchable PDF":
        assert "4711" in data.decode()


def test_lays_the_boxes_over_a_photo_that_its_camera_has_turned(reading: Page) -> None:
    upright = drawn()
    exif = Image.Exif()
    exif[0x0112] = SIX_O_CLOCK
    give(reading, ("photo.jpg", encoded(upright.rotate(90, expand=True), "JPEG", exif=exif)))
    card = shown(reading, "photo.jpg")
    expect(card.locator(".line-text")).to_have_text(list(TEXTS))
    expect(card.locator(".sheet svg")).to_have_attribute("viewBox", "0 0 640 360")
    expect(card.locator(".sheet img")).to_have_js_property("naturalWidth", 640)
    inked = card.locator(".sheet").evaluate(
        """(sheet) => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 360 });
          const context = canvas.getContext("2d", { willReadFrequently: true });
          context.drawImage(sheet.querySelector("img"), 0, 0, 640, 360);
          return [...sheet.querySelectorAll(".edge")].map((edge) => {
            const { x, y, width, height } = edge.getBBox();
            const { data } = context.getImageData(x, y, width, height);
            return data.filter((value, at) => at % 4 === 0 && value < 128).length > 100;
          });
        }"""
    )
    assert inked == [True] * len(TEXTS)


def test_zooms_to_the_width_and_pixel_by_pixel(reading: Page) -> None:
    give(reading, ("note.png", encoded(drawn())))
    card = shown(reading, "note.png")
    sheet = card.locator(".sheet")
    card.get_by_role("radio", name="100 %").check()
    expect(sheet).to_have_js_property("clientWidth", 640)
    card.get_by_role("button", name="Larger").click()
    expect(sheet).to_have_js_property("clientWidth", 800)
    expect(card.get_by_role("radio", name="100 %")).not_to_be_checked()
    card.get_by_role("radio", name="Width").check()
    room = card.locator(".stage").evaluate(
        "(stage) => stage.clientWidth - 2 * parseFloat(getComputedStyle(stage).paddingLeft)"
    )
    expect(sheet).to_have_js_property("clientWidth", room)


def test_has_each_frame_of_a_tiff_drawn_which_the_browser_cannot_show(reading: Page) -> None:
    second = drawn(("Second page",), (400, 200))
    give(reading, ("fax.tif", encoded(drawn(), "TIFF", save_all=True, append_images=[second])))
    card = shown(reading, "fax.tif")
    expect(card.locator(".sheet img")).to_have_js_property("naturalWidth", 640)
    expect(card.locator(".box")).to_have_count(len(TEXTS))
    expect(card.get_by_label("Page", exact=True)).to_have_value("1")
    card.get_by_role("button", name="Next page").click()
    expect(card.locator(".sheet img")).to_have_js_property("naturalWidth", 400)
    expect(card.locator(".line-text")).to_have_text(["Second page"])
    expect(card.locator(".sheet svg")).to_have_attribute("viewBox", "0 0 400 200")
    expect(card.get_by_role("button", name="Next page")).to_be_disabled()


def test_reads_again_with_other_options(reading: Page) -> None:
    give(reading, ("note.png", encoded(drawn())))
    card = shown(reading, "note.png")
    expect(card.locator(".word")).to_have_count(0)
    reading.locator("#read-options summary").click()
    reading.get_by_label("Boxes of words").check()
    expect(reading.locator("#options-said")).to_have_text("1 changed")
    card.get_by_role("button", name="Read again").click()
    expect(card.locator(".word")).to_have_count(sum(len(text.split()) for text in TEXTS))
    card.locator(".word").nth(1).hover()
    expect(card.locator(".tip strong")).to_have_text("received")
    reading.get_by_label("Read the lines").uncheck()
    card.get_by_role("button", name="Read again").click()
    expect(card.locator(".line-text").first).to_have_text("(not read)")


def test_sends_thresholds_only_where_they_were_moved(page: Page, base: str) -> None:
    page.add_init_script(
        """const plain = window.fetch;
        window.fetch = (...call) => {
          const body = call[1]?.body;
          if (body instanceof FormData) window.sent = [...body].map(([name, value]) => [name, String(value)]);
          return plain(...call);
        };"""
    )
    page.goto(f"{base}/")
    page.locator("#read-options summary").click()
    page.get_by_role("slider", name="Least confidence of a line").focus()
    page.keyboard.press("End")
    expect(page.locator("output[for=option-text_score]")).to_have_text("1.00")
    give(page, ("note.png", encoded(drawn())))
    expect(shown(page, "note.png").locator(".list")).to_contain_text("No text was found on this page.")
    assert page.evaluate("sent") == [["text_score", "1"], ["file", "[object File]"]]


def test_says_which_file_cannot_be_read_and_reads_the_others(reading: Page, refused: set[int]) -> None:
    refused.add(422)
    give(reading, (HOSTILE, b"no picture"), ("note.png", encoded(drawn())))
    expect(reading.get_by_role("row", name="note.png")).to_contain_text("succeeded")
    row = reading.get_by_role("row", name=HOSTILE)
    expect(row).to_contain_text("failed")
    problem = reading.get_by_role("alert")
    expect(problem).to_contain_text(HOSTILE)
    expect(problem).to_contain_text("Request id")
    reading.get_by_role("button", name="Show note.png").click()
    expect(reading.locator(".line-text")).to_have_text(list(TEXTS))
    reading.get_by_role("button", name="Remove all").click()
    expect(reading.get_by_role("article")).to_have_count(0)


def test_says_the_limit_of_a_picture_with_too_many_pixels(
    open_page: Callable[[str], Page], serve: Callable[..., str], refused: set[int]
) -> None:
    refused.add(422)
    base = serve("ocr", "serve", OCR_MAX_IMAGE_WIDTH="600") + "/ocr"
    page = open_page(base)
    page.goto(f"{base}/")
    expect(page.locator("#read-limits")).to_contain_text("600 × 4096 pixels")
    give(page, ("wide.png", encoded(drawn())))
    expect(page.get_by_role("alert")).to_contain_text("wide.png")
    expect(page.get_by_role("alert")).to_contain_text("640")
    expect(page.get_by_role("alert")).to_contain_text("600")


def test_takes_a_picture_that_is_pasted(reading: Page, base: str) -> None:
    reading.goto(f"{base}/#api")
    paste = """(data) => {
      const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
      dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
    }"""
    reading.evaluate(paste, base64.b64encode(encoded(drawn())).decode())
    expect(shown(reading, "pasted-1.png").locator(".line-text")).to_have_text(list(TEXTS))


def test_takes_a_folder_that_is_dropped_on_any_section(reading: Page, base: str, tmp_path: Path) -> None:
    for name in ("in/a.png", "in/deep/b.png", "in/.DS_Store"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encoded(drawn(TEXTS[:1])))
    reading.goto(f"{base}/#models")
    expect(reading.locator("#models-limits .facts")).to_be_visible()
    session = reading.context.new_cdp_session(reading)
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        data = {"items": [], "files": [str(tmp_path / "in")], "dragOperationsMask": 1}
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})
    expect(reading.locator("#read")).to_be_visible()
    rows = reading.locator("#read-list tbody tr")
    expect(rows.locator(".name")).to_have_text(["a.png", "b.png"])
    expect(rows.locator("[data-state=succeeded]")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_keeps_its_contrast_and_fits_the_screen_with_a_result(
    reading: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    reading.emulate_media(color_scheme=scheme)
    reading.set_viewport_size({"width": width, "height": 800})
    give(reading, ("a.png", encoded(drawn())), ("b.tif", encoded(drawn(), "TIFF")))
    expect(reading.get_by_role("row", name="b.tif")).to_contain_text("succeeded")
    for name in ("a.png", "b.tif"):
        reading.get_by_role("button", name=f"Show {name}").click()
        shown(reading, name).locator(".lines li").first.focus()
        assert reading.evaluate(FAINT) == [], name
        assert reading.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
