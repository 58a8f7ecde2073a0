import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from painted import BLUE, RED, Running, picture

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]
WAIT_S = 30.0


def ended(service: Running, address: str) -> dict[str, Any]:
    deadline = time.monotonic() + WAIT_S
    while True:
        job: dict[str, Any] = service.client.get(address).json()
        if job["status"] not in ("queued", "running"):
            return job
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_long_batch_is_a_job_with_a_result_per_id(run_service: Run) -> None:
    with run_service(job_after=2) as service:
        service.stored(picture(RED))
        service.stored(picture(BLUE))
        answer = service.client.post("/cars/inference/batch", json=[1, 2, 9])
        assert answer.status_code == 202
        assert answer.headers["location"] == f"/cars/jobs/{answer.json()['id']}"
        assert (answer.json()["status"], answer.json()["total"]) == ("queued", 3)
        job = ended(service, answer.headers["location"])
        assert (job["status"], job["progress"], job["error"]) == ("succeeded", 1.0, None)
        assert [(item["id"], item["status"]) for item in job["result"]["items"]] == [(1, 200), (2, 200), (9, 404)]
        assert service.client.get("/files/2").json()["status"] == "recognized"


def test_a_client_may_prefer_a_job(service: Running) -> None:
    service.stored(picture(RED))
    answer = service.client.post("/inference/batch", json=[1], headers={"Prefer": "wait=5, Respond-Async"})
    assert answer.status_code == 202
    assert ended(service, answer.headers["location"])["status"] == "succeeded"
    assert [job["id"] for job in service.client.get("/jobs?status=succeeded").json()["items"]] == [answer.json()["id"]]


def test_a_job_can_be_cancelled_while_it_runs_and_not_after_its_end(service: Running, refusal: Refusal) -> None:
    service.stored(picture(RED))
    service.backend.gate.clear()
    address = service.client.post("/inference/batch", json=[1], headers={"Prefer": "respond-async"}).headers["location"]
    cancelled = service.client.delete(address)
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert service.client.get(address).json()["status"] == "cancelled"
    service.backend.gate.set()
    done = service.client.post("/inference/batch", json=[1], headers={"Prefer": "respond-async"}).headers["location"]
    assert ended(service, done)["status"] == "succeeded"
    assert refusal(service.client.delete(done))[:2] == (409, "job-finished")


def test_a_job_outlives_the_process_that_ran_it(run_service: Run) -> None:
    with run_service() as service:
        service.stored(picture(RED))
        service.stored(picture(BLUE))
        service.backend.gate.clear()
        wanted = {"Prefer": "respond-async"}
        address = service.client.post("/inference/batch", json=[1, 2], headers=wanted).headers["location"]
        deadline = time.monotonic() + WAIT_S
        while not service.backend.asked:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    with run_service() as service:
        assert ended(service, address)["status"] == "succeeded"
        assert [file["status"] for file in service.client.get("/files/").json()["items"]] == ["recognized"] * 2


def test_a_job_that_is_not_there_is_unknown(service: Running, refusal: Refusal) -> None:
    for job_id in ("0123456789abcdef", "x%00y"):
        assert refusal(service.client.get(f"/jobs/{job_id}"))[:2] == (404, "unknown-job")
        assert refusal(service.client.delete(f"/jobs/{job_id}"))[:2] == (404, "unknown-job")
    assert refusal(service.client.get("/jobs?cursor=x"))[:2] == (422, "invalid-input")
