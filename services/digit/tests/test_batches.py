import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from digit import batches
from digit.batches import CHUNK_BYTES, CHUNK_PICTURES, Batch
from digit.picture import Picture
from digit.problems import ArchiveInvalid, TooManyImages
from digit.reader import Reader
from digit.settings import Settings
from servicekit.problems import Problem
from servicekit.spool import Spool
from servicekit.uploads import Upload

Png = Callable[..., bytes]
Zipped = Callable[..., bytes]


def upload(name: str, data: bytes) -> Upload:
    file = Upload(name, "application/octet-stream", Spool())
    file.keep(data)
    return file


def batch(*files: tuple[str, bytes], skip: bool = False, **settings: Any) -> Batch:
    return Batch([upload(*file) for file in files], Settings(**settings), skip=skip)


def test_names_are_known_before_anything_is_read(zipped: Zipped) -> None:
    assert batch(("a.png", b""), ("b.zip", zipped(("x/1", b""), ("y/1", b"")))).names == ["a.png", "x/1", "y/1"]


def test_chunks_are_small_in_number_and_in_bytes(png: Png, zipped: Zipped) -> None:
    large = png(1) + random.Random(0).randbytes(CHUNK_BYTES // 2)  # what a bomb is not
    small = [(f"{i}.png", png(1)) for i in range(2 * CHUNK_PICTURES + 3)]
    chunks = list(batch(*small, ("large.zip", zipped(("a", large), ("b", large), ("c", large)))).chunks())
    assert [len(chunk) for chunk in chunks] == [CHUNK_PICTURES, CHUNK_PICTURES, 3 + 2, 1]


def test_too_many_pictures_are_refused_before_any_is_read(zipped: Zipped) -> None:
    files = ("b.zip", zipped(("1", b""), ("2", b"")))
    with pytest.raises(TooManyImages, match="3 images, the limit is 2"):
        batch(("a.png", b""), files, max_images=2)


def test_a_zip_that_cannot_be_read_refuses_the_batch_or_is_a_problem_of_its_own(png: Png) -> None:
    broken = ("b.zip", b"PK\3\4 and no more")
    with pytest.raises(ArchiveInvalid, match=r"b\.zip: "):
        batch(("a.png", png(1)), broken)
    ((first, second),) = batch(("a.png", png(1)), broken, skip=True).chunks()
    assert isinstance(first.content, Picture)
    assert isinstance(second.content, ArchiveInvalid)
    assert second.name == "b.zip"


def test_outcomes_come_in_order_with_their_names(reader: Reader, png: Png, zipped: Zipped) -> None:
    files = [(f"{i}.png", png(i % 10, seed=i) if i % 7 else b"text") for i in range(100)]

    async def scenario() -> list[tuple[str, Any]]:
        found = batches.outcomes(batch(("a.zip", zipped(*files))), reader, "cnn", "/test")
        return [each async for chunk in found for each in chunk]

    outcomes = asyncio.run(scenario())
    assert [name for name, _ in outcomes] == [name for name, _ in files]
    for i, (name, outcome) in enumerate(outcomes):
        if i % 7:
            assert outcome.prediction == i % 10
        else:
            assert isinstance(outcome, Problem)
            assert outcome.detail == f"Zip contains non-image file: {name}"
    assert reader.counts.images["cnn", "/test"] == 85
    assert reader.counts.refused == {"archive-not-images": 15}


def test_no_further_chunk_is_begun_when_nobody_wants_it(reader: Reader, png: Png, zipped: Zipped) -> None:
    data = png(1, 100)
    large = batch(("a.zip", zipped(*((f"{i}.png", data) for i in range(2000)))))
    begun = 0
    start = reader.start

    def counted(*arguments: Any) -> Any:
        nonlocal begun
        begun += 1
        return start(*arguments)

    async def scenario() -> None:
        found = batches.outcomes(large, reader, "cnn", "/test")
        await anext(found)
        await found.aclose()
        seen = begun
        await asyncio.sleep(0.05)
        assert begun == seen <= reader.threads + 1
        while reader.depth:
            await asyncio.sleep(0.001)
        assert reader.budget.left_bytes == reader.budget.total_bytes

    reader.start = counted  # type: ignore[method-assign]
    asyncio.run(scenario())
