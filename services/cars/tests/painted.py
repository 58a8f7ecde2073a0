"""A backend for tests: names the car by the colour of the picture's middle, and waits or fails when it is told to."""

import asyncio
import io
from dataclasses import dataclass
from typing import Any

from cars.recognition import BackendName, Box, Candidate, Reason, Recognition, Share
from cars.settings import Settings
from PIL import Image
from servicekit.problems import Problem
from starlette.testclient import TestClient

CARS = {
    (200, 0, 0): Candidate("Ferrari FF Coupe 2012", "Ferrari", "FF", "Coupe", 2012, 0.9),
    (0, 0, 200): Candidate("Tesla Model S Sedan 2012", "Tesla", "Model S", "Sedan", 2012, 0.8),
    (0, 200, 0): Candidate("Jeep Wrangler SUV 2012", "Jeep", "Wrangler", "SUV", 2012, 0.7),
}
RED, BLUE, GREEN, GREY = (*CARS, (128, 128, 128))
Colour = tuple[int, int, int]


class Painted:
    """Knows red, blue and green cars; anything else is none."""

    name: BackendName = "local"

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.asked = 0
        self.failure: Exception | None = None

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def recognise(self, image: Image.Image, data: bytes, content_type: str, bbox: Box | None) -> Recognition:
        self.asked += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure
        box = bbox or Box(0, 0, *image.size)
        seen = image.getpixel((box.x + box.width // 2, box.y + box.height // 2))
        near = [colour for colour in CARS if max(abs(a - b) for a, b in zip(colour, seen, strict=True)) < 24]
        return recognition(CARS[near[0]], box) if near else recognition(None, None)

    def details(self) -> dict[str, Any]:
        return {"backend": self.name, "model": "painted", "model_version": "1"}

    async def probe(self) -> None:
        if isinstance(self.failure, Problem):
            raise self.failure


def recognition(candidate: Candidate | None, region: Box | None, reason: Reason | None = "no_car") -> Recognition:
    return Recognition(
        predictions=(candidate,) if candidate else (),
        recognized=candidate is not None,
        reason=None if candidate else reason,
        make=Share(candidate.make, 0.95) if candidate and candidate.make else None,
        model=Share(candidate.model, 0.92) if candidate and candidate.model else None,
        body=Share(candidate.body, 0.91) if candidate and candidate.body else None,
        year=Share(candidate.year, 0.9) if candidate and candidate.year else None,
        region=region,
        backend="local",
        model_name="painted",
        model_version="1",
    )


def picture(colour: Colour = RED, size: tuple[int, int] = (64, 48), kind: str = "PNG", **options: Any) -> bytes:
    """Returns a file of one colour; pictures of other sizes are other pictures."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, kind, **options)
    return file.getvalue()


@dataclass(frozen=True)
class Running:
    """The whole service, as it is started, with a backend that the test leads."""

    client: TestClient
    backend: Painted
    settings: Settings

    def upload(self, data: bytes, name: str = "car.png") -> Any:
        return self.client.post("/upload/", files={"file": (name, data)})

    def stored(self, data: bytes, name: str = "car.png") -> int:
        answer = self.upload(data, name)
        assert answer.status_code == 201, answer.text
        image_id: int = answer.json()["id"]
        return image_id
