import threading
from concurrent.futures import ThreadPoolExecutor

from ocr.model.room import Room


def test_never_more_is_computed_at_once_than_there_is_room_for() -> None:
    room, lock = Room(100), threading.Lock()
    used, most = 0, 0

    def run(pixels: int) -> None:
        nonlocal used, most
        with room.for_pixels(pixels):
            with lock:
                used += min(pixels, 100)
                most = max(most, used)
            with lock:
                used -= min(pixels, 100)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, [10, 60, 500, 30, 100, 45] * 50))
    assert 0 < most <= 100
    assert used == 0


def test_room_is_given_back_after_an_error() -> None:
    room = Room(10)
    for _ in range(3):
        try:
            with room.for_pixels(10):
                raise KeyError
        except KeyError:
            continue
    with room.for_pixels(10):
        pass
