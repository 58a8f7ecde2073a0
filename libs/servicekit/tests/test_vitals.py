import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from servicekit import cgroups
from servicekit.app import Service
from servicekit.drain import Drain
from servicekit.health import Health
from servicekit.problems import NotReady
from servicekit.vitals import Vitals
from starlette.testclient import TestClient

Make = Callable[..., Service]


def test_a_scrape_tells_that_the_service_is_ready_and_how_much_room_there_is(make: Make) -> None:
    text = TestClient(make()).get("/metrics").text
    assert 'service_ready{service="toy"} 1.0' in text
    assert 'service_degraded{service="toy"} 0.0' in text
    assert 'storage_free_bytes{folder="temporary",service="toy"}' in text


def test_a_service_whose_inference_fails_is_not_ready() -> None:
    def probe() -> None:
        raise NotReady("the model is damaged")

    found = registry(Health(Drain(), probe, lambda: {"degraded": ["never looked at"]}))
    assert found.get_sample_value("service_ready", {"service": "toy"}) == 0
    assert found.get_sample_value("service_degraded", {"service": "toy"}) == 0


def test_a_service_with_reasons_is_degraded() -> None:
    found = registry(Health(Drain(), lambda: None, lambda: {"degraded": ["the database is away"]}))
    assert found.get_sample_value("service_ready", {"service": "toy"}) == 1
    assert found.get_sample_value("service_degraded", {"service": "toy"}) == 1


def test_nothing_is_asked_before_the_first_scrape() -> None:
    asked: list[int] = []
    registry(Health(Drain(), lambda: asked.append(1), dict))
    assert asked == []


def test_the_room_is_that_of_the_disk_even_before_the_folder_is_made(tmp_path: Path) -> None:
    found = registry(Health(Drain(), lambda: None, dict), jobs=tmp_path / "not" / "made")
    place = {"service": "toy", "folder": "jobs"}
    assert found.get_sample_value("storage_size_bytes", place) == shutil.disk_usage(tmp_path).total
    free = found.get_sample_value("storage_free_bytes", place)
    assert free is not None
    assert 0 < free <= shutil.disk_usage(tmp_path).total


@pytest.mark.parametrize("memory", [None, cgroups.Memory(3, 7)])
def test_memory_is_told_where_it_is_limited(monkeypatch: pytest.MonkeyPatch, memory: cgroups.Memory | None) -> None:
    monkeypatch.setattr(cgroups, "memory", lambda: memory)
    found = registry(Health(Drain(), lambda: None, dict))
    told = (found.get_sample_value("memory_used_bytes"), found.get_sample_value("memory_limit_bytes"))
    assert told == (memory or (None, None))


def registry(health: Health, **folders: Path) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=True)
    registry.register(Vitals("toy", health, folders))
    return registry
