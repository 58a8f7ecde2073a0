"""What tests of the page share: pictures of cars that `painted_serve` knows, given to the page, and what it shows."""

import io
import itertools
import re

from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Locator, Page, expect

RED, BLUE, YELLOW, MAGENTA, GREY = (200, 0, 0), (0, 0, 200), (200, 200, 0), (200, 0, 200), (128, 128, 128)
WIDTHS = itertools.count(400)


def drawn(colour: tuple[int, int, int], width: int | None = None, height: int = 300) -> bytes:
    """Returns a PNG, grey on its left half, of the colour on its right half and in its middle; each is another one."""
    width = width or next(WIDTHS)
    picture = Image.new("RGB", (width, height), GREY)
    ImageDraw.Draw(picture).rectangle((width // 4, 0, width, height), fill=colour)
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def give(page: Page, *files: tuple[str, bytes]) -> None:
    payloads: list[FilePayload] = [{"name": name, "mimeType": "", "buffer": data} for name, data in files]
    page.locator("#upload-input").set_input_files(payloads)


def card(page: Page, name: str) -> Locator:
    """Returns what the upload list shows of a file."""
    return page.locator("#upload-list > li").filter(has=page.get_by_role("heading", name=name, exact=True))


def kept(page: Page, name: str, data: bytes) -> int:
    """Uploads a picture through the page, waits for its answer, and returns its number."""
    give(page, (name, data))
    link = card(page, name).first.get_by_role("link", name="Look closer or correct")
    expect(card(page, name).first).to_have_attribute("data-step", "done")
    address = link.get_attribute("href")
    assert address is not None
    return int(re.sub(r"\D", "", address))
