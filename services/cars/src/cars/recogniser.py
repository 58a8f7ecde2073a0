"""Recognises pictures: decodes them on threads and in bounded memory, and asks the one backend that is configured."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from PIL import Image
from servicekit import images
from servicekit.budget import Budget
from servicekit.images import ImageError
from servicekit.problems import InvalidInput, NotReady, Problem
from servicekit.threads import Pool

from cars import pictures
from cars.backends import Backend, Box, Recognition
from cars.counts import Counts
from cars.preprocess import BOUND
from cars.problems import NotAnImage
from cars.region import BoxError, checked
from cars.settings import Settings

T = TypeVar("T")

DECODING_BYTES = 6  # of each pixel at most: a progressive JPEG without subsampling
WORKING_BYTES = 8  # of each pixel of a picture that has been reduced to BOUND
MOST_REDUCED = 4 * BOUND * BOUND  # pixels: the longer side is less than twice BOUND
GROUND = (255, 255, 255)  # behind what is transparent
SOON = {"Retry-After": "1"}


class Recogniser:
    """What every route and job recognises with; raises Problems, and NotReady until it is opened."""

    def __init__(self, settings: Settings, backend: Backend, pool: Pool, counts: Counts) -> None:
        self.backend = backend
        self.counts = counts
        self.limits = pictures.limits(settings.max_pixels)
        self.pool = pool
        self.budget = Budget(settings.max_file_bytes + cost_bytes(0, settings.max_pixels))
        self.opened = False
        self.depth = 0  # pictures that wait or are being recognised
        self.failure = "the recogniser is being opened"  # "": none

    async def open(self) -> None:
        """Opens the backend where that is not done; raises what says why it cannot be used."""
        if not self.opened:
            await self.backend.open()
            self.opened = True

    async def close(self) -> None:
        await self.backend.close()
        self.pool.close()

    async def probe(self) -> None:
        """Has the backend recognise a picture of its own, and notes whether it can: `check` tells."""
        failure = "the recogniser failed, the log tells why"  # stays where the probe dies of something unforeseen
        try:
            await self.backend.probe()
            failure = ""
        except Problem as problem:
            failure = str(problem.detail)
        finally:
            self.failure = failure

    def check(self) -> None:
        """Raises NotReady where the last probe failed."""
        if self.failure:
            raise NotReady(self.failure, headers=SOON)

    def details(self) -> dict[str, Any]:
        """Returns what the backend tells of itself; before it is open, which one it is."""
        return self.backend.details() if self.opened else {"backend": self.backend.name}

    async def recognise(self, data: bytes, content_type: str, bbox: Box | None = None) -> Recognition:
        """Recognises a picture as `pictures` has taken it, or a part of it in pixels of the upright picture.

        The caller holds `room` for `cost_bytes`.
        Raises NotAnImage for pixels that cannot be decoded, InvalidInput for a part that is not in the picture, and
        the backend's Problems.
        """
        self.check()
        with self.counts.refusing():
            found = await self._recognise(data, content_type, bbox)
        self.counts.recognised(found.backend, found.reason)
        return found

    @asynccontextmanager
    async def room(self, n_bytes: int) -> AsyncIterator[None]:
        """Waits until there is as much memory, which is the block's; taken once, before anything is held."""
        self.depth += 1
        try:
            admitted = await self.budget.take(n_bytes)
            try:
                yield
            finally:
                self.budget.give(admitted)
        finally:
            self.depth -= 1

    async def _recognise(self, data: bytes, content_type: str, bbox: Box | None) -> Recognition:
        with self.counts.seconds.labels("decode").time():
            image, size = await self.pool.run_to_the_end(self._decoded, data)
        part = _reduced(bbox, size, image.size) if bbox else None
        with self.counts.seconds.labels("recognise").time():
            found = await self.backend.recognise(image, data, content_type, part)
        return replace(found, region=bbox or (found.region and _scaled(found.region, image.size, size)))

    def _decoded(self, data: bytes) -> tuple[Image.Image, tuple[int, int]]:
        """Returns the picture, upright, in RGB and no larger than is needed, and its size in the file, upright."""
        try:
            image = images.decode(data, self.limits, bound=BOUND)
        except ImageError as error:
            raise NotAnImage(f"the picture cannot be decoded: {error}") from None
        width, height = images.size(data) or image.size
        turned = (width > height) != (image.width > image.height) and width != height
        return _opaque(image), (height, width) if turned else (width, height)


def cost_bytes(n_bytes: int, pixels: int) -> int:
    """Returns the memory that recognising a picture takes at most, with its file."""
    return n_bytes + DECODING_BYTES * pixels + WORKING_BYTES * min(pixels, MOST_REDUCED)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode not in ("LA", "RGBA"):
        return image if image.mode == "RGB" else image.convert("RGB")
    ground = Image.new("RGB", image.size, GROUND)
    ground.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return ground


def _reduced(box: Box, size: tuple[int, int], reduced: tuple[int, int]) -> Box:
    """Returns a client's box in the picture as it was decoded; raises InvalidInput for one outside of the picture."""
    return _scaled(within(box, size), size, reduced)


def within(box: Box, size: tuple[int, int]) -> Box:
    """Returns a client's box; raises InvalidInput for one outside of a picture of this size."""
    try:
        return checked(box, size)
    except BoxError as error:
        raise InvalidInput(f"bbox: {error}") from None


def _scaled(box: Box, size: tuple[int, int], target: tuple[int, int]) -> Box:
    """Returns a box in a picture of `size` as one in the same picture of `target` size; at least one pixel of it."""
    left, right = _span(box.x, box.width, size[0], target[0])
    top, bottom = _span(box.y, box.height, size[1], target[1])
    return Box(left, top, right - left, bottom - top)


def _span(start: int, length: int, size: int, target: int) -> tuple[int, int]:
    first = min(round(start * target / size), target - 1)
    return first, max(first + 1, min(target, round((start + length) * target / size)))
