import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import hostile
import pytest
from digit.picture import HEAD_BYTES, Picture, cost_bytes, most_bytes
from servicekit.spool import Spool
from servicekit.uploads import Upload

Png = Callable[..., bytes]
BOUND = 480


@contextmanager
def on_disk(data: bytes) -> Iterator[Upload]:
    """Gives an upload that is in a temporary file."""
    spool = Spool()
    upload = Upload("a.png", "image/png", spool)
    upload.spill(data)
    asyncio.run(spool.flush())
    assert not upload.in_memory
    yield upload
    spool.close()


def test_the_size_is_known_before_anything_is_decoded(png: Png) -> None:
    picture = Picture(png(3, side=40), "three.png")
    assert (picture.size, picture.pixels, picture.is_tiny) == ((40, 40), 1600, True)


def test_only_a_small_picture_in_a_small_file_is_tiny(png: Png) -> None:
    assert not Picture(png(3, side=200)).is_tiny
    assert not Picture(png(3) + bytes(20_000)).is_tiny
    assert not Picture(b"no picture").is_tiny


def test_what_is_no_picture_has_no_size() -> None:
    picture = Picture(b"no picture")
    assert (picture.size, picture.pixels, picture.cost_bytes(BOUND)) == (None, 0, 0)


def test_a_file_on_the_disk_is_measured_by_its_head_and_read_when_it_is_wanted(png: Png) -> None:
    data = png(3, side=40) + bytes(2 * HEAD_BYTES)
    with on_disk(data) as upload:
        picture = Picture(upload)
        assert (picture.size, picture.n_bytes) == ((40, 40), len(data))
        assert picture.data() == data


def test_an_error_names_the_file_where_it_has_a_name() -> None:
    assert Picture(b"", "a.png").named("File is not an image") == "File is not an image: a.png"
    assert Picture(b"").named("File is not an image") == "File is not an image"


def test_a_box_is_told_in_the_pixels_of_the_file(png: Png) -> None:
    assert Picture(png(3, side=400)).enlarged((10, 20, 30, 40), (100, 100)) == (40, 80, 120, 160)
    assert Picture(png(3)).enlarged((1, 2, 3, 4), (28, 28)) == (1, 2, 3, 4)


def test_the_cost_of_several_is_all_their_files_and_the_costliest_picture(png: Png) -> None:
    pictures = [Picture(png(3, side=side)) for side in (28, 600, 100)]
    files = sum(picture.n_bytes for picture in pictures)
    assert cost_bytes(pictures, BOUND) == files + pictures[1].cost_bytes(BOUND)


@pytest.mark.parametrize("make", [lambda: hostile.blank(5000, 5000, colour=hostile.RGB_ALPHA), hostile.many_scans])
def test_the_largest_picture_costs_what_there_is(make: Callable[[], bytes]) -> None:
    data = make()
    picture = Picture(data)
    assert picture.cost_bytes(BOUND) <= most_bytes(len(data), 25_000_000, BOUND)
