import io
from collections.abc import Callable
from typing import Any

import pytest
from painted import BLUE, GREY, RED, Running, picture
from PIL import Image

Refusal = Callable[[Any], tuple[int, str, str]]
PART = {"x": 1000, "y": 500, "width": 200, "height": 100}


def street() -> bytes:
    """Returns a picture of a red car with a small blue one, and grey below."""
    scene = Image.new("RGB", (2000, 1200), RED)
    scene.paste(BLUE, (1000, 500, 1200, 600))
    scene.paste(GREY, (0, 1000, 2000, 1200))
    file = io.BytesIO()
    scene.save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("text", ["1000,500,200,100", "[1000, 500, 200, 100]"])
def test_a_part_of_a_stored_picture_is_read_and_its_result_kept(service: Running, text: str) -> None:
    service.stored(street())
    assert service.client.post("/inference/1").json()["car"]["make"]["value"] == "Ferrari"
    file = service.client.post("/inference/1", params={"bbox": text}).json()
    assert (file["car"]["make"]["value"], file["region"]) == ("Tesla", PART)
    assert service.client.get("/files/1").json() == file
    assert service.client.post("/inference/1").json() == file
    assert service.client.post("/inference/1", params={"force": "true"}).json()["region"]["width"] == 2000


def test_a_part_without_a_car_says_which_part_it_was(service: Running) -> None:
    service.stored(street())
    file = service.client.post("/inference/1", params={"bbox": "0,1050,300,100"}).json()
    assert (file["status"], file["reason"]) == ("unrecognized", "no_car")
    assert file["region"] == {"x": 0, "y": 1050, "width": 300, "height": 100}


@pytest.mark.parametrize(
    ("bbox", "says"),
    [
        ("1,2,3", "expected x,y,width,height"),
        ("", "expected x,y,width,height"),
        ("-1,0,10,10", "expected x,y,width,height"),
        ("٤,0,10,10", "expected x,y,width,height"),
        ("0,0,0,10", "no area"),
        ("60,0,10,10", "64 × 48"),
        ("0,0,999999,999999", "64 × 48"),
    ],
)
def test_a_part_that_the_picture_does_not_have_is_refused_and_changes_nothing(
    service: Running, refusal: Refusal, bbox: str, says: str
) -> None:
    service.stored(picture(RED))
    before = service.client.post("/inference/1").json()
    status, slug, detail = refusal(service.client.post("/inference/1", params={"bbox": bbox}))
    assert (status, slug) == (422, "invalid-input")
    assert says in detail
    assert service.client.get("/files/1").json() == before
    assert refusal(service.client.post("/inference/2", params={"bbox": "0,0,9,9"}))[1] == "unknown-file"
