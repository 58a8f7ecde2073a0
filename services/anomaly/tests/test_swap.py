"""Models are swapped while clients score: no request is lost, and no answer mixes two versions.

`LINESIDE_SWAP_SECONDS=300` makes it the full run.
"""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np
import pytest
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model

SECONDS = float(os.environ.get("LINESIDE_SWAP_SECONDS", "3"))
CLIENTS = 16
VALUES = [1.2, 0.9, 1.1]


@dataclass
class Tally:
    """What the clients saw: answers by version, and everything that was wrong."""

    versions: dict[int, tuple[float, float]]  # number → score and threshold of VALUES
    seen: dict[int, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check(self, status: int, text: str) -> None:
        if status != 200:
            self.wrong.append(f"{status} {text}")
            return
        answer = json.loads(text)
        number = answer["model_version"]
        score, threshold = self.versions[number]
        same = abs(answer["score"] - score) < 1e-9 and answer["threshold"] == threshold
        if not same or answer["status"] != ("anomaly" if score > threshold else "normal"):
            self.wrong.append(text)
        with self.lock:
            self.seen[number] = self.seen.get(number, 0) + 1


@pytest.fixture(scope="module")
def models() -> list[Model]:
    """Models that give different scores and thresholds, some of each status."""
    generator = np.random.default_rng(0)
    options = TrainingOptions(kind="pca")
    rows = [generator.normal(level, 1.0, (400, 3)) for level in (0.0, 1.0, 4.0)]
    trained = [train(part, options, lambda _share, _message: None) for part in rows]
    return [*trained, trained[0].with_threshold(0.01)]


@pytest.fixture(scope="module")
def base(serve: Callable[..., str], models: list[Model], tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("model") / "first.safetensors"
    file.write_bytes(models[0].dump())
    return serve("anomaly", "serve", ANOMALY_MODEL_FILE=str(file))


def upload(base: str, asset: str, models: list[Model]) -> dict[int, tuple[float, float]]:
    """Uploads all models and returns the score and the threshold of each version."""
    versions = {}
    for model in models:
        response = httpx2.put(f"{base}/models/{asset}?activate=true", content=model.dump())
        versions[response.json()["version"]] = (model.score(VALUES), model.threshold)
    return versions


def score(base: str, path: str, tally: Tally, stop: threading.Event) -> None:
    with httpx2.Client(base_url=base, timeout=30) as client:
        while not stop.is_set():
            try:
                response = client.post(path, json={"values": VALUES})
            except httpx2.HTTPError as error:
                tally.wrong.append(repr(error))
            else:
                tally.check(response.status_code, response.text)


def swap(base: str, asset: str, numbers: list[int], stop: threading.Event, swaps: list[int]) -> None:
    with httpx2.Client(base_url=base, timeout=30) as client:
        while not stop.is_set():
            for number in numbers:
                response = client.post(f"/models/{asset}/versions/{number}/activate")
                swaps.append(response.status_code)
                time.sleep(0.005)
            swaps.append(client.post(f"/models/{asset}/rollback").status_code)


@pytest.mark.parametrize(
    ("asset", "path"),
    [("default", "/?detail=true"), ("press", "/assets/press?detail=true")],
    ids=["stateless", "asset"],
)
def test_no_request_is_lost_and_no_answer_mixes_two_versions(
    base: str, models: list[Model], asset: str, path: str, record_property: Callable[[str, Any], None]
) -> None:
    tally = Tally(upload(base, asset, models))
    stop = threading.Event()
    swaps: list[int] = []
    threads = [threading.Thread(target=score, args=(base, path, tally, stop)) for _ in range(CLIENTS)]
    threads.append(threading.Thread(target=swap, args=(base, asset, list(tally.versions), stop, swaps)))
    for thread in threads:
        thread.start()
    stop.wait(SECONDS)
    stop.set()
    for thread in threads:
        thread.join()
    figures = {"answers": sum(tally.seen.values()), "swaps": len(swaps), "seconds": SECONDS, "wrong": len(tally.wrong)}
    record_property("figures", figures)
    print(asset, figures)
    assert tally.wrong == []
    assert set(swaps) == {200}
    assert set(tally.seen) == set(tally.versions)


def test_a_version_is_known_to_the_next_request(base: str, models: list[Model]) -> None:
    versions = upload(base, "default", models)
    with httpx2.Client(base_url=base) as client:
        for number in list(versions) * 5:
            client.post(f"/models/default/versions/{number}/activate")
            assert client.post("/?detail=true", json={"values": VALUES}).json()["model_version"] == number


def test_the_model_file_of_the_settings_answers_after_a_start(base: str, models: list[Model]) -> None:
    versions = httpx2.get(f"{base}/models/default").json()["items"]
    assert versions[-1]["origin"] == "imported"
    assert versions[-1]["threshold"] == models[0].threshold
