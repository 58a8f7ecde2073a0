"""A picture on its own: what was read where, another part of it, corrections, and its end."""

import re
from pathlib import Path
from typing import Any

import httpx2
import pytest
from photographs import BLUE, RED, drawn
from playwright.sync_api import Page, expect

HOSTILE = '"><img src=x onerror=alert(1)>.png'


def opened(page: Page, base: str, name: str, data: bytes, *, recognise: bool = True) -> int:
    answer = httpx2.post(f"{base}/upload/", files={"file": (name, data)})
    number: int = answer.raise_for_status().json()["id"]
    if recognise:
        httpx2.post(f"{base}/inference/{number}").raise_for_status()
    page.goto(f"{base}/#file/{number}")
    expect(page.locator("#file h2")).to_have_text(name)
    return number


def known(base: str, number: int) -> Any:
    return httpx2.get(f"{base}/files/{number}").json()


def test_shows_picture_region_top_five_and_metadata(page: Page, base: str) -> None:
    data = drawn(BLUE, 800, 600)
    number = opened(page, base, HOSTILE, data)
    file = known(base, number)
    expect(page.locator("#file img")).to_have_js_property("naturalWidth", 800)
    edge = page.locator("#file rect.edge")
    assert [edge.get_attribute(name) for name in ("x", "y", "width", "height")] == ["200", "150", "400", "300"]
    expect(page.locator("#file .bars li")).to_have_count(5)
    expect(page.locator("#file")).to_contain_text("800 × 600 px")
    expect(page.locator("#file code")).to_have_text(file["sha256"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == data


def test_reads_a_part_that_is_drawn_in_place_of_the_one_that_was(page: Page, base: str) -> None:
    number = opened(page, base, "two.png", drawn(RED, 800, 400))
    layer = page.locator(".framed.large svg").bounding_box()
    assert layer is not None
    page.mouse.move(layer["x"] + 2, layer["y"] + 2)
    page.mouse.down()
    page.mouse.move(layer["x"] + layer["width"] * 0.24, layer["y"] + layer["height"] * 0.5, steps=4)
    page.mouse.up()
    width = int(page.get_by_label("Width").input_value())
    assert abs(width - 0.24 * 800) <= 6
    page.get_by_role("button", name="Read this part").click()
    expect(page.locator("#file .answer .refusal")).to_contain_text("No car")
    file = known(base, number)
    assert (file["status"], file["region"]["width"]) == ("unrecognized", width)
    page.get_by_label("Left").fill("500")
    page.get_by_label("Width").fill("9999")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Width")).to_have_value("300")
    page.get_by_role("button", name="Read this part").click()
    expect(page.locator("#file .answer .verdict")).to_have_text("Ferrari FF Coupe 2012")
    assert known(base, number)["region"] == {**file["region"], "x": 500, "width": 300}


def test_corrects_from_the_list_and_takes_it_back(page: Page, base: str) -> None:
    number = opened(page, base, "car.png", drawn(BLUE))
    box, options = page.get_by_role("combobox", name="It is"), page.locator("#correction-options [role=option]")
    box.click()
    expect(options.first).to_have_text("Tesla Model S Sedan 2012")
    box.press_sequentially("tahoe hyb")
    expect(options).to_have_text(["Chevrolet Tahoe Hybrid SUV 2012"])
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "correction-options-0")
    page.keyboard.press("Enter")
    expect(box).to_have_attribute("aria-expanded", "false")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#file form")).to_contain_text("the model says Tesla Model S Sedan 2012")
    file = known(base, number)
    assert file["correction"]["make"] == "Chevrolet"
    assert file["predictions"][0]["label"] == "Tesla Model S Sedan 2012"
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("button", name="Take back")).to_have_count(0)
    assert known(base, number)["correction"] is None


def test_corrects_in_any_words(page: Page, base: str) -> None:
    number = opened(page, base, "car.png", drawn(BLUE))
    page.get_by_label("It is").fill("my neighbour's <b>Lada</b>")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("#file form .verdict")).to_have_text("my neighbour's <b>Lada</b>")
    assert known(base, number)["correction"]["label"] == "my neighbour's <b>Lada</b>"


def test_recognises_what_waits_and_again(page: Page, base: str) -> None:
    number = opened(page, base, "car.png", drawn(RED), recognise=False)
    expect(page.locator("#file")).to_contain_text("It has not been recognised yet.")
    page.get_by_role("button", name="Recognise", exact=True).click()
    expect(page.locator("#file .verdict")).to_have_text("Ferrari FF Coupe 2012")
    expect(page.locator("#file h2")).to_be_focused()
    first = known(base, number)["recognized_at"]
    with page.expect_response(re.compile(r"force=true")):
        page.get_by_role("button", name="Recognise again").click()
    expect(page.locator("#file .verdict")).to_have_text("Ferrari FF Coupe 2012")
    assert known(base, number)["recognized_at"] > first


def test_deletes_after_a_question_and_says_that_a_picture_is_gone(page: Page, base: str, refused: set[int]) -> None:
    refused.add(404)
    number = opened(page, base, "car.png", drawn(RED))
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("#gallery")).to_be_visible()
    assert httpx2.get(f"{base}/files/{number}").status_code == 404
    page.goto(f"{base}/#file/{number}")
    expect(page.get_by_role("alert")).to_contain_text(f"no file {number}")


@pytest.mark.parametrize("detail", ["", "/abc", "/-1", "/%00"])
def test_says_that_no_picture_has_this_number(page: Page, base: str, detail: str) -> None:
    page.goto(f"{base}/#file{detail}")
    expect(page.locator("#file")).to_contain_text("No picture" if detail else "No picture is chosen.")
    expect(page.get_by_role("link", name="Choose one in the gallery")).to_be_visible()
