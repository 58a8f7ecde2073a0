import asyncio
import io
from collections.abc import Callable
from typing import Any

import pytest
from cars.backends import Box, Recognition
from cars.counts import Counts
from cars.problems import NotAnImage
from cars.recogniser import Recogniser
from cars.settings import Settings
from painted import BLUE, RED, Painted, picture
from PIL import Image
from servicekit.problems import InvalidInput, NotReady
from servicekit.threads import Pool

Recognise = Callable[..., Recognition]


def saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture
def recognise() -> Recognise:
    def recognise(data: bytes, bbox: Box | None = None) -> Recognition:
        async def main() -> Recognition:
            recogniser = Recogniser(Settings(), Painted(), Pool("test", 1), Counts())
            await recogniser.open()
            await recogniser.probe()
            try:
                return await recogniser.recognise(data, "image/jpeg", bbox)
            finally:
                await recogniser.close()

        return asyncio.run(main())

    return recognise


@pytest.mark.parametrize("size", [(64, 48), (1001, 700), (3000, 2000), (40, 3000), (1, 1)])
def test_the_region_is_in_pixels_of_the_file(recognise: Recognise, size: tuple[int, int]) -> None:
    assert recognise(picture(RED, size, "JPEG")).region == Box(0, 0, *size)


def test_the_region_is_in_pixels_of_the_upright_picture(recognise: Recognise) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = recognise(picture(RED, (2000, 1000), "JPEG", exif=exif))
    assert found.region == Box(0, 0, 1000, 2000)


def test_a_box_of_a_turned_and_large_picture_is_read_where_it_is_seen(recognise: Recognise) -> None:
    scene = Image.new("RGB", (3000, 2000), RED)
    scene.paste(BLUE, (0, 0, 600, 500))  # seen at the top right when the picture is turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    box = Box(1500, 0, 500, 600)
    found = recognise(saved(scene, exif=exif), box)
    assert found.make
    assert (found.make.value, found.region) == ("Tesla", box)


@pytest.mark.parametrize("box", [Box(0, 0, 0, 5), Box(-1, 0, 5, 5), Box(60, 0, 5, 5), Box(0, 0, 64, 49)])
def test_a_box_outside_of_the_picture_is_refused(recognise: Recognise, box: Box) -> None:
    with pytest.raises(InvalidInput, match="bbox"):
        recognise(picture(RED), box)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1"])
def test_every_mode_is_read_in_colour(recognise: Recognise, mode: str) -> None:
    assert recognise(saved(Image.new("RGB", (64, 48), RED).convert(mode), "PNG")).backend == "local"


def test_what_is_transparent_is_white(recognise: Recognise) -> None:
    assert recognise(saved(Image.new("RGBA", (64, 48), (*RED, 0)), "PNG")).reason == "no_car"
    assert recognise(saved(Image.new("RGBA", (64, 48), (*RED, 255)), "PNG")).recognized


def test_a_damaged_picture_is_no_image(recognise: Recognise) -> None:
    with pytest.raises(NotAnImage, match="cannot be decoded"):
        recognise(picture(RED, (640, 480), "JPEG")[:300])


def test_nothing_is_recognised_before_the_first_probe_nor_after_one_that_failed() -> None:
    async def main() -> None:
        backend = Painted()
        recogniser = Recogniser(Settings(), backend, Pool("test", 1), Counts())
        with pytest.raises(NotReady, match="being opened"):
            await recogniser.recognise(picture(), "image/png")
        backend.failure = NotReady("the model is gone")
        await recogniser.probe()
        with pytest.raises(NotReady, match="the model is gone"):
            recogniser.check()
        backend.failure = None
        await recogniser.probe()
        recogniser.check()
        await recogniser.close()

    asyncio.run(main())


def test_memory_is_taken_in_turns() -> None:
    async def main() -> None:
        recogniser = Recogniser(Settings(max_pixels=1024, max_file_bytes=1024), Painted(), Pool("test", 1), Counts())
        async with recogniser.room(10**12):
            second = asyncio.create_task(recogniser.budget.take(1))
            await asyncio.sleep(0)
            assert not second.done()
            assert recogniser.depth == 1
        recogniser.budget.give(await second)
        assert (recogniser.depth, recogniser.budget.left_bytes) == (0, recogniser.budget.total_bytes)
        await recogniser.close()

    asyncio.run(main())
