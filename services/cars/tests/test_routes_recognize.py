import io
from collections.abc import Callable
from typing import Any

import pytest
from painted import BLUE, RED, Running, picture
from PIL import Image

Refusal = Callable[[Any], tuple[int, str, str]]


def recognize(service: Running, data: bytes, **fields: str) -> Any:
    return service.client.post("/recognize", files={"file": ("car.png", data)}, data=fields)


def test_it_answers_without_storing_anything(service: Running) -> None:
    answer = recognize(service, picture(RED))
    assert answer.status_code == 200
    found = answer.json()
    assert (found["filename"], found["width"], found["height"]) == ("car.png", 64, 48)
    assert (found["recognized"], found["car"]["make"]["value"], found["backend"]) == (True, "Ferrari", "local")
    assert "id" not in found
    assert service.client.get("/files/").json()["items"] == []
    storage = service.client.app.state.services.storage  # type: ignore[attr-defined] # a Service
    assert list(storage.keys()) == []


@pytest.mark.parametrize("text", ["1000,500,200,100", "[1000, 500, 200, 100]"])
def test_a_box_in_pixels_of_the_upright_picture_chooses_what_is_read(service: Running, text: str) -> None:
    scene = Image.new("RGB", (2000, 1200), RED)
    scene.paste(BLUE, (1000, 500, 1200, 600))
    file = io.BytesIO()
    scene.save(file, "PNG")
    found = recognize(service, file.getvalue(), bbox=text).json()
    assert found["car"]["make"]["value"] == "Tesla"
    assert found["region"] == {"x": 1000, "y": 500, "width": 200, "height": 100}


@pytest.mark.parametrize(
    ("bbox", "says"),
    [
        ("1,2,3", "expected x,y,width,height"),
        ("a,b,c,d", "expected x,y,width,height"),
        ("-1,0,10,10", "expected x,y,width,height"),
        ("0,0,0,10", "no area"),
        ("60,0,10,10", "64 × 48"),
    ],
)
def test_a_box_that_is_not_in_the_picture_is_refused(service: Running, refusal: Refusal, bbox: str, says: str) -> None:
    status, slug, detail = refusal(recognize(service, picture(RED), bbox=bbox))
    assert (status, slug) == (422, "invalid-input")
    assert says in detail


def test_what_is_no_picture_is_refused(service: Running, refusal: Refusal) -> None:
    assert refusal(recognize(service, b"hello"))[:2] == (422, "not-an-image")
