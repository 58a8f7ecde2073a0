"""The remote recogniser's failures as clients of the service see them: over HTTP, by every call that asks it."""

from collections.abc import Iterator
from typing import Any

import httpx2
import hub
import pytest
from cars_process import Server, on_disk, photograph, problem, stored, until
from hub import CARS, Answer, Hub

SECRET = "hf_ThisIsNoRealToken"
TIMEOUT_S = 3
FATES: dict[str, tuple[Answer, int, str]] = {
    "an error with 200": (hub.says({"error": f"bad {SECRET}"}), 424, "backend-answer-invalid"),
    "another shape": (hub.says({"predictions": []}), 424, "backend-answer-invalid"),
    "NaN": (hub.says([{"label": "a", "score": float("nan")}]), 424, "backend-answer-invalid"),
    "JSON cut short": (hub.reply(200, b'[{"label": "a", "sco'), 424, "backend-answer-invalid"),
    "100 MB": (hub.flood, 424, "backend-answer-invalid"),
    "400": (hub.says({"error": "bad"}, 400), 424, "backend-refused"),
    "401": (hub.says({"error": "Invalid credentials"}, 401), 424, "backend-misconfigured"),
    "402": (hub.says({"error": "no credit"}, 402), 424, "backend-misconfigured"),
    "403": (hub.reply(403), 424, "backend-misconfigured"),
    "404 in plain text": (hub.plain(404, "Not Found"), 424, "backend-misconfigured"),
    "410": (hub.reply(410), 424, "backend-misconfigured"),
    "413": (hub.html(413), 424, "backend-refused"),
    "422": (hub.says({"error": ["bad"]}, 422), 424, "backend-refused"),
    "a redirect": (hub.reply(307, "", "Location: http://localhost:1/"), 424, "backend-misconfigured"),
    "a hang": (hub.hang, 424, "backend-timeout"),
    "a slow body": (hub.drip, 424, "backend-timeout"),
    "504 in HTML": (hub.html(504), 424, "backend-timeout"),
    "429": (hub.reply(429, "", "Retry-After: 40"), 503, "backend-unavailable"),
    "500": (hub.says({"error": "something"}, 500), 503, "backend-unavailable"),
    "502 in HTML": (hub.html(502), 503, "backend-unavailable"),
    "503 while it loads": (hub.says({"error": "loading", "estimated_time": 20.0}, 503), 503, "backend-unavailable"),
    "a reset": (hub.reset, 503, "backend-unavailable"),
}


@pytest.fixture(scope="module")
def remote() -> Iterator[Hub]:
    with Hub([hub.says(CARS)]) as remote:
        yield remote


@pytest.fixture(scope="module")
def server(remote: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("remote")
    asking = {"CARS_BACKEND": "huggingface", "CARS_HF_ENDPOINT": remote.url, "HF_API_TOKEN": SECRET}
    times = {"CARS_HF_TIMEOUT_S": str(TIMEOUT_S), "CARS_HF_RETRIES": "0"}
    server = Server(folder / "server", {**on_disk(folder).settings, **asking, **times})
    server.start()
    yield server
    server.kill()


@pytest.fixture
def client(server: Server, remote: Hub) -> Iterator[httpx2.Client]:
    """A client of a service whose circuit breaker is closed."""
    with server.client() as client:
        remote.answers = [hub.says(CARS)]
        until(lambda: client.post("/recognize", files={"file": photograph()}).status_code == 200)
        yield client


@pytest.mark.parametrize("fate", FATES)
def test_each_failure_is_one_problem_whichever_call_asks(
    client: httpx2.Client, server: Server, remote: Hub, fate: str
) -> None:
    answer, status, slug = FATES[fate]
    image_id = stored(client)
    remote.answers = [answer]
    for told in (
        client.post("/recognize", files={"file": photograph()}),
        client.post(f"/inference/{image_id}"),
        client.post(f"/inference/{image_id}", params={"bbox": "0,0,40,40"}),
    ):
        assert problem(told) == (status, slug), told.text
        assert ("retry-after" in told.headers) is (status == 503)
        assert "<" not in told.json()["detail"]
        assert SECRET not in told.text
    item = client.post("/inference/batch", json=[image_id]).json()["items"][0]
    assert (item["status"], item["error"]["type"].rpartition(":")[2]) == (status, slug)
    file = client.get(f"/files/{image_id}").json()
    assert (file["status"], file["error"]["status"]) == ("failed", status)
    remote.answers = [hub.says(CARS)]
    file = client.post(f"/inference/{image_id}").json()
    assert (file["status"], file["error"], file["backend"]) == ("recognized", None, "huggingface")
    assert SECRET not in server.log


def test_a_job_tells_the_failure_of_each_picture(client: httpx2.Client, remote: Hub) -> None:
    ids = [stored(client) for _ in range(2)]
    remote.answers = [hub.reply(403)]
    prefer = {"Prefer": "respond-async"}
    address = client.post("/inference/batch", json=ids, headers=prefer).json()["id"]
    until(lambda: client.get(f"/jobs/{address}").json()["status"] == "succeeded")
    items: list[dict[str, Any]] = client.get(f"/jobs/{address}").json()["result"]["items"]
    assert [(item["id"], item["status"]) for item in items] == [(image_id, 424) for image_id in ids]


def test_a_remote_that_is_left_alone_is_degraded_and_never_the_local_model(client: httpx2.Client, remote: Hub) -> None:
    remote.answers = [hub.html(502)]
    remote.requests.clear()
    for _ in range(8):
        answer = client.post("/recognize", files={"file": photograph()})
        assert problem(answer) == (503, "backend-unavailable")
        assert int(answer.headers["retry-after"]) > 0
    assert len(remote.requests) == 5
    health = client.get("/health").json()
    assert (health["status"], health["recogniser"]["breaker"]["state"]) == ("degraded", "open")
    assert client.get("/health/ready").status_code == 200
