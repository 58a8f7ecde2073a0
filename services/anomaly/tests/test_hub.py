import asyncio
import threading
import time

import pytest
from anomaly.ingestion.hub import Hub
from servicekit.problems import Overloaded


def test_a_listener_is_woken_from_another_thread() -> None:
    async def scenario() -> float:
        hub = Hub()
        with hub.listening("press") as listener:
            threading.Timer(0.05, hub.publish, ("press",)).start()
            started = time.monotonic()
            await listener.wait(10)
            return time.monotonic() - started

    assert asyncio.run(scenario()) < 5


def test_waking_before_the_wait_is_not_lost_and_counts_once() -> None:
    async def scenario() -> float:
        hub = Hub()
        with hub.listening("press") as listener:
            hub.publish("press")
            hub.publish("press")
            await listener.wait(10)
            started = time.monotonic()
            await listener.wait(0.1)
            return time.monotonic() - started

    assert asyncio.run(scenario()) >= 0.1


def test_other_assets_wake_nobody() -> None:
    async def scenario() -> float:
        hub = Hub()
        with hub.listening("press") as listener:
            hub.publish("saw")
            started = time.monotonic()
            await listener.wait(0.1)
            return time.monotonic() - started

    assert asyncio.run(scenario()) >= 0.1


def test_too_many_streams_are_refused_and_a_place_comes_back() -> None:
    async def scenario() -> None:
        hub = Hub(max_streams=1)
        with hub.listening("press"), pytest.raises(Overloaded), hub.listening("saw"):
            pass
        assert hub.streams == 0
        with hub.listening("saw"):
            assert hub.streams == 1

    asyncio.run(scenario())
