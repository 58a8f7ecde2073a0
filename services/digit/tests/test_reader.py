import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import hostile
import pytest
from digit.picture import Picture
from digit.problems import ImageTooLarge, NoInk, NotAnImage, UnknownModel
from digit.reader import Reader
from digit.settings import Settings
from PIL.Image import Image
from servicekit.problems import NotReady

T = TypeVar("T")
Png = Callable[..., bytes]
ROUTE = "/test"


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_it_is_not_ready_before_its_models_are_loaded() -> None:
    reader = Reader(Settings())
    with pytest.raises(NotReady):
        reader.choose(None)
    reader.close()


def test_a_model_is_chosen_by_name_or_by_default(reader: Reader) -> None:
    assert reader.choose(None) == Settings().model
    assert reader.choose("cnn") == "cnn"
    with pytest.raises(UnknownModel, match="there is no model 'x', there are cnn"):
        reader.choose("x")


@pytest.mark.parametrize("side", [28, 100, 1000])
def test_reads_a_picture_wherever_that_is_done(reader: Reader, png: Png, side: int) -> None:
    reading = run(reader.read(Picture(png(9, side)), "cnn", ROUTE))
    assert (reading.prediction, reading.is_digit, reading.model) == (9, True, "cnn")


def test_only_a_tiny_picture_is_read_on_the_event_loop(reader: Reader, png: Png) -> None:
    threads: list[str] = []
    prepare = reader._prepare

    def watched(picture: Picture) -> Any:
        threads.append(threading.current_thread().name)
        return prepare(picture)

    reader._prepare = watched  # type: ignore[method-assign]
    for side in (28, 300):
        run(reader.read(Picture(png(1, side)), "cnn", ROUTE))
    assert threads[0] == threading.main_thread().name
    assert threads[1].startswith("reading")


def test_a_refusal_says_why_and_is_counted(reader: Reader, png: Png) -> None:
    refused = {
        NotAnImage: b"text",
        NoInk: png(1, ink=3, paper=3),
        ImageTooLarge: hostile.claims(20_000, 20_000),
    }
    for problem, data in refused.items():
        with pytest.raises(problem) as caught:
            run(reader.read(Picture(data, "a.png"), "cnn", ROUTE))
        assert caught.value.extra["reason"]
        assert reader.counts.refused[problem.slug] == 1
    assert not reader.counts.images


def test_looking_at_a_picture_is_done_in_a_thread_and_its_problem_passes(reader: Reader, png: Png) -> None:
    def look(image: Image) -> tuple[str, tuple[int, int]]:
        return threading.current_thread().name, image.size

    name, size = run(reader.look(Picture(png(1, 700)), look, bound=100))
    assert name.startswith("reading")
    assert 100 <= max(size) < 200

    def refuse(_image: Image) -> None:
        raise NoInk("nothing is written here")

    with pytest.raises(NoInk, match="nothing is written"):
        run(reader.look(Picture(png(1)), refuse))
    assert reader.counts.refused == {"no-ink": 1}


def test_memory_is_given_back_only_when_the_thread_has_ended(reader: Reader, png: Png) -> None:
    entered, leave = threading.Event(), threading.Event()

    def look(_image: Image) -> None:
        entered.set()
        assert leave.wait(10)

    async def scenario() -> None:
        before = reader.budget.left_bytes
        looking = asyncio.create_task(reader.look(Picture(png(1, 300)), look))
        await asyncio.to_thread(entered.wait, 10)
        looking.cancel()
        await asyncio.wait((looking,))
        assert (looking.cancelled(), reader.depth) == (True, 1)
        assert reader.budget.left_bytes < before
        leave.set()
        while reader.depth:
            await asyncio.sleep(0.001)
        assert reader.budget.left_bytes == before

    run(scenario())


def test_the_largest_pictures_are_read_one_after_the_other(reader: Reader) -> None:
    data = hostile.blank(5000, 4900)
    at_once = most = 0
    lock = threading.Lock()

    def look(_image: Image) -> None:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        threading.Event().wait(0.02)
        with lock:
            at_once -= 1

    async def scenario() -> None:
        await asyncio.gather(*(reader.look(Picture(data), look) for _ in range(3)))

    run(scenario())
    assert most == 1


def test_many_at_once_are_all_read(reader: Reader, png: Png) -> None:
    async def scenario() -> list[int]:
        pictures = [Picture(png(i % 10, 70 + i)) for i in range(40)]
        return [each.prediction for each in await asyncio.gather(*(reader.read(p, "cnn", ROUTE) for p in pictures))]

    assert run(scenario()) == [i % 10 for i in range(40)]
    assert reader.counts.images == {("cnn", ROUTE): 40}
