"""The whole backend against a remote on loopback."""

import asyncio
import io
import json
import socket
import threading
from pathlib import Path

import hub
import pytest
from cars.backends import Backend
from cars.backends.hub_fate import RemoteError, failing
from cars.backends.huggingface import HuggingFace
from cars.problems import BackendMisconfigured, BackendUnavailable
from cars.recognition import Box, Recognition, Share
from cars.region import BoxError
from cars.settings import Settings
from hub import CARS, IMAGENET, Hub
from hub_asked import GOOD, SECRET, asked, failed, made, using
from PIL import Image
from servicekit.problems import NotReady


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_API_TOKEN", "CARS_HF_API_TOKEN", "CARS_HF_TOKEN_FILE", "CARS_HF_ENDPOINT", "CARS_HF_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_API_TOKEN", SECRET)
    return SECRET


def test_it_is_a_backend() -> None:
    backend: Backend = made("http://localhost:1/")
    assert backend.name == "huggingface"


def test_a_picture_is_sent_small_as_jpeg_with_the_token(token: str) -> None:
    with Hub([GOOD]) as remote:
        found = using(made(remote.url, hf_model="kim/cars"), asked)
    request = remote.requests[0]
    assert request.target == "/models/kim/cars"
    assert request.headers["authorization"] == f"Bearer {token}"
    assert request.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(request.body)).size == (512, 341)
    assert (found.backend, found.model_name, found.region) == ("huggingface", "kim/cars", None)
    assert found.predictions[0].label == "Tesla Model S Sedan 2012"
    assert (found.make, found.year) == (Share("Tesla", 0.7), Share(2012, 0.97))


def test_a_token_is_optional_elsewhere() -> None:
    with Hub([GOOD]) as remote:
        using(made(remote.url), asked)
    assert "authorization" not in remote.requests[0].headers


def test_a_token_of_a_file_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hf_First")

    async def twice(backend: HuggingFace) -> None:
        await asked(backend)
        file.write_text("hf_TheSecond")
        await asked(backend)

    with Hub([GOOD]) as remote:
        using(made(remote.url, hf_token_file=file), twice)
    assert [each.headers["authorization"] for each in remote.requests] == ["Bearer hf_First", "Bearer hf_TheSecond"]


def test_only_the_box_is_sent_and_named() -> None:
    with Hub([GOOD]) as remote:
        found = using(made(remote.url), lambda backend: asked(backend, Box(10, 20, 300, 200)))
    assert found.region == (10, 20, 300, 200)
    assert Image.open(io.BytesIO(remote.requests[0].body)).size == (300, 200)


@pytest.mark.parametrize("box", [Box(-1, 0, 10, 10), Box(0, 0, 0, 10), Box(1190, 0, 11, 10), Box(0, 0, 10, 801)])
def test_a_box_beside_the_picture_is_refused_before_anything_is_sent(box: Box) -> None:
    with Hub([GOOD]) as remote:
        with pytest.raises(BoxError):
            using(made(remote.url), lambda backend: asked(backend, box))
        assert remote.requests == []


@pytest.mark.parametrize(("threshold", "recognized"), [(None, True), (0.7, True), (0.71, False), (0.0, True)])
def test_it_is_recognized_from_the_threshold_on(threshold: float | None, recognized: bool) -> None:
    with Hub([hub.says([CARS])]) as remote:
        found = using(made(remote.url, threshold=threshold), asked)
    assert found.recognized is recognized
    assert found.reason == (None if recognized else "low_confidence")


def test_the_default_threshold_is_a_half() -> None:
    with Hub([hub.says([{"label": "Audi A5 Coupe 2012", "score": 0.49}])]) as remote:
        assert using(made(remote.url), asked).reason == "low_confidence"


def test_the_labels_of_imagenet_are_answered_as_they_are() -> None:
    with Hub([hub.says(IMAGENET)]) as remote:
        found = using(made(remote.url), asked)
    assert [each.label for each in found.predictions] == [each["label"] for each in IMAGENET]
    assert (found.make, found.model, found.body, found.year) == (None, None, None, None)


def test_at_most_five_are_answered_and_all_are_summed() -> None:
    many = [{"label": f"Audi A{n} Sedan 2012", "score": 0.125} for n in range(8)]
    with Hub([hub.says(many)]) as remote:
        found = using(made(remote.url), asked)
    assert len(found.predictions) == 5
    assert found.make == Share("Audi", 1.0)


def test_connections_are_kept_and_used_again() -> None:
    async def thrice(backend: HuggingFace) -> None:
        for _ in range(3):
            await asked(backend)

    with Hub([GOOD]) as remote:
        using(made(remote.url), thrice)
        assert remote.connections == 1
        assert len(remote.requests) == 3


def test_who_goes_away_takes_the_request_along() -> None:
    async def cancelled(backend: HuggingFace) -> None:
        task = asyncio.create_task(asked(backend))
        while not backend.counts.in_flight or not remote.requests:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert backend.counts.in_flight == backend.turns.waiting == 0
        assert await asyncio.to_thread(remote.gone.wait, 10)

    with Hub([hub.hang]) as remote:
        backend = made(remote.url)
        using(backend, cancelled)
        assert backend.breaker.state == "closed"
        assert backend.counts.pictures == {}


def test_only_so_many_are_asked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cars.backends.huggingface.AT_ONCE", 2)
    gate = threading.Event()

    def held(talking: socket.socket, ended: threading.Event) -> None:
        gate.wait(10)
        GOOD(talking, ended)

    async def crowd(backend: HuggingFace) -> list[Recognition]:
        tasks = [asyncio.create_task(asked(backend)) for _ in range(5)]
        while backend.turns.waiting < 3 or len(remote.requests) < 2:
            await asyncio.sleep(0.01)
        assert backend.details()["waiting"] == 3
        assert backend.details()["in_flight"] == len(remote.requests) == 2
        gate.set()
        return await asyncio.gather(*tasks)

    with Hub([held]) as remote:
        backend = made(remote.url)
        assert [found.recognized for found in using(backend, crowd)] == [True] * 5
    assert backend.turns.waiting == backend.counts.in_flight == 0


def test_a_remote_that_keeps_failing_is_left_alone_and_found_well_again() -> None:
    now_s = 1000.0

    async def course(backend: HuggingFace) -> None:
        nonlocal now_s
        for _ in range(5):
            with pytest.raises(BackendUnavailable, match="it answered 500"):
                await asked(backend)
        assert len(remote.requests) == 5
        with pytest.raises(BackendUnavailable, match="5 attempts in a row failed") as refused:
            await asked(backend)
        assert refused.value.headers == {"Retry-After": "30"}
        assert len(remote.requests) == 5
        details = backend.details()
        assert details["breaker"] == {"state": "open", "opened": 1, "retry_after_s": 30.0}
        assert "5 attempts in a row failed" in details["degraded"][0]
        now_s += 30
        assert backend.details()["breaker"]["state"] == "half-open"
        assert (await asked(backend)).recognized
        assert backend.details()["breaker"] == {"state": "closed", "opened": 1, "retry_after_s": 0.0}
        assert backend.details()["degraded"] == []

    with Hub([*[hub.reply(500)] * 5, GOOD]) as remote:
        using(made(remote.url, clock=lambda: now_s), course)


def test_nobody_waits_for_a_turn_while_the_breaker_lets_nobody_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cars.backends.huggingface.AT_ONCE", 1)
    now_s = 1000.0

    async def course(backend: HuggingFace) -> None:
        nonlocal now_s
        for _ in range(5):
            with pytest.raises(BackendUnavailable):
                await asked(backend)
        now_s += 30
        trial = asyncio.create_task(asked(backend))
        while backend.counts.in_flight == 0:
            await asyncio.sleep(0.01)
        with pytest.raises(BackendUnavailable, match="5 attempts in a row failed") as refused:
            await asked(backend)
        assert refused.value.headers == {"Retry-After": "1"}
        trial.cancel()
        with pytest.raises(asyncio.CancelledError):
            await trial

    with Hub([*[hub.reply(500)] * 5, hub.hang]) as remote:
        using(made(remote.url, clock=lambda: now_s), course)
        assert len(remote.requests) <= 6


def test_who_tries_again_does_not_wait_for_a_turn_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cars.backends.huggingface.AT_ONCE", 1)
    gate = threading.Event()

    def fails_later(talking: socket.socket, ended: threading.Event) -> None:
        gate.wait(10)
        hub.reply(500)(talking, ended)

    async def course(backend: HuggingFace) -> None:
        for _ in range(4):
            with pytest.raises(RemoteError), backend.breaker.passing():
                raise failing(BackendUnavailable, "earlier")
        asking = asyncio.create_task(asked(backend))
        while backend.counts.in_flight == 0:
            await asyncio.sleep(0.01)
        next_turn = asyncio.create_task(hold(backend, asking))
        while backend.turns.waiting == 0:
            await asyncio.sleep(0.01)
        gate.set()
        with pytest.raises(BackendUnavailable, match="5 attempts in a row failed"):
            await asking
        await next_turn

    async def hold(backend: HuggingFace, asking: asyncio.Task[Recognition]) -> None:
        async with backend.turns.taken(asyncio.get_running_loop().time() + 60):
            await asyncio.wait([asking])

    with Hub([fails_later]) as remote:
        using(made(remote.url, retries=1, within_s=2.0), course)


def test_retries_end_when_the_breaker_opens() -> None:
    with Hub([hub.reply(500)]) as remote:
        told = failed(made(remote.url, retries=10))
    assert len(remote.requests) == 5
    assert "5 attempts in a row failed, the last one so: it answered 500" in told.detail


def test_health_tells_of_a_token_that_is_not_accepted_until_one_is() -> None:
    async def course(backend: HuggingFace) -> list[list[str]]:
        told = [backend.details()["degraded"]]
        with pytest.raises(BackendMisconfigured):
            await asked(backend)
        told.append(backend.details()["degraded"])
        await asked(backend)
        return [*told, backend.details()["degraded"]]

    with Hub([hub.reply(401), GOOD]) as remote:
        before, meanwhile, after = using(made(remote.url), course)
    assert (before, after) == ([], [])
    assert "it does not accept the token of this service" in meanwhile[0]


def test_one_bad_picture_does_not_make_the_service_degraded() -> None:
    with Hub([hub.reply(422)]) as remote:
        backend = made(remote.url)
        failed(backend)
    assert backend.details()["degraded"] == []


def test_details_tell_the_origin_and_no_secret(token: str) -> None:
    details = made("https://hub.example/secret-path?key=hidden", hf_model="kim/cars").details()
    assert details["endpoint"] == "https://hub.example"
    assert details["model"] == "kim/cars"
    assert details["token"] is True
    assert [word for word in ("secret", "hidden", token) if word in json.dumps(details)] == []


def test_nothing_is_asked_of_the_remote_before_a_picture_comes() -> None:
    async def started(backend: HuggingFace) -> None:
        await backend.probe()
        backend.details()

    with Hub([GOOD]) as remote:
        using(made(remote.url), started)
        assert remote.connections == 0


def test_it_is_not_ready_before_it_is_opened() -> None:
    backend = made("http://localhost:1/")
    with pytest.raises(NotReady):
        asyncio.run(backend.probe())
    asyncio.run(backend.close())


def test_it_is_measured_what_the_remote_takes() -> None:
    with Hub([hub.reply(500), GOOD]) as remote:
        backend = made(remote.url, retries=1)
        using(backend, asked)
    samples = {sample.name: sample.value for family in backend.counts.seconds.collect() for sample in family.samples}
    assert samples["cars_remote_seconds_count"] == 2
    assert backend.counts.sent_bytes == sum(len(each.body) for each in remote.requests)


def test_refuses_to_start_without_a_token_for_hugging_face(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_API_TOKEN", "")
    with pytest.raises(ValueError, match="HF_API_TOKEN is not set") as refused:
        HuggingFace(Settings())
    assert "\n" not in str(refused.value)


def test_starts_with_a_token_for_hugging_face(token: str) -> None:
    backend = HuggingFace(Settings())
    assert backend.client.address.url == "https://router.huggingface.co/hf-inference/models/google/vit-base-patch16-224"


def test_refuses_to_start_with_an_address_that_the_token_must_not_go_to(token: str) -> None:
    with pytest.raises(ValueError, match="CARS_HF_ENDPOINT"):
        made("http://hub.example/models")
