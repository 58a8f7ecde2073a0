"""The page with the model that is shipped."""

from collections.abc import Callable
from pathlib import Path

import cars
import httpx2
import pytest
from photographs import card, give
from PIL import Image
from playwright.sync_api import Page, expect

WEIGHTS = Path(cars.__file__).parent / "weights"


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    if not (WEIGHTS / "weights.json").exists():
        pytest.skip("the shipped weights are not there")
    return serve("cars", "serve") + "/cars"


def test_says_that_a_plain_picture_shows_no_car_and_names_the_model(page: Page, base: str, tmp_path: Path) -> None:
    Image.new("RGB", (640, 480), (90, 140, 200)).save(tmp_path / "sky.jpg")
    page.goto(f"{base}/")
    give(page, ("sky.jpg", (tmp_path / "sky.jpg").read_bytes()))
    expect(card(page, "sky.jpg").locator(".refusal")).to_contain_text("No car")
    card(page, "sky.jpg").get_by_role("link", name="Look closer or correct").click()
    page.get_by_label("Width").fill("300")
    page.get_by_role("button", name="Read this part").click()
    expect(page.locator("#file .answer .refusal")).to_contain_text("No car")
    expect(page.get_by_label("Width")).to_have_value("300")
    assert httpx2.get(f"{base}/files/").json()["items"][0]["region"]["width"] == 300
    page.locator("#tab-models").click()
    model = httpx2.get(f"{base}/models").json()["items"][0]
    expect(page.locator("#models-list h3")).to_have_text(model["model"])
    expect(page.locator("#models-list code")).to_have_text(model["details"]["sha256"])
