from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from cars.problems import BackendUnavailable
from painted import BLUE, GREY, RED, Running, picture

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]


def test_an_inference_answers_the_file_with_its_predictions_and_keeps_them(service: Running) -> None:
    service.stored(picture(RED))
    answer = service.client.post("/inference/1")
    assert answer.status_code == 200
    file = answer.json()
    assert file["predictions"] == [
        {
            "label": "Ferrari FF Coupe 2012",
            "make": "Ferrari",
            "model": "FF",
            "body": "Coupe",
            "year": 2012,
            "confidence": 0.9,
        }
    ]
    assert (file["status"], file["recognized"], file["reason"]) == ("recognized", True, None)
    assert (file["backend"], file["model"], file["model_version"]) == ("local", "painted", "1")
    assert file["car"]["make"] == {"value": "Ferrari", "confidence": 0.95}
    assert file["car"]["year"] == {"value": 2012, "confidence": 0.9}
    assert file["region"] == {"x": 0, "y": 0, "width": 64, "height": 48}
    assert service.client.get("/files/1").json() == file


def test_a_picture_without_a_car_is_unrecognized_with_the_reason(service: Running) -> None:
    service.stored(picture(GREY))
    file = service.client.post("/inference/1").json()
    assert (file["status"], file["recognized"], file["reason"]) == ("unrecognized", False, "no_car")
    assert (file["predictions"], file["car"], file["region"]) == ([], None, None)


def test_a_second_inference_answers_the_stored_result_unless_it_is_forced(service: Running) -> None:
    service.stored(picture(RED))
    first = service.client.post("/inference/1").json()
    assert service.client.post("/inference/1").json() == first
    assert service.backend.asked == 1
    assert service.client.post("/inference/1?force=true").json()["predictions"] == first["predictions"]
    assert service.backend.asked == 2


@pytest.mark.parametrize(
    ("image_id", "status", "slug"),
    [
        ("0", 404, "unknown-file"),
        ("-1", 404, "unknown-file"),
        ("2", 404, "unknown-file"),
        ("9223372036854775808", 404, "unknown-file"),
        ("9" * 400, 404, "unknown-file"),
        ("1.5", 422, "invalid-input"),
        ("one", 422, "invalid-input"),
        ("%D9%A1", 422, "invalid-input"),
        ("1%00", 422, "invalid-input"),
    ],
)
def test_an_id_that_no_file_has_is_one_clear_problem(
    service: Running, refusal: Refusal, image_id: str, status: int, slug: str
) -> None:
    service.stored(picture(RED))
    for method, path in (
        ("POST", f"/inference/{image_id}"),
        ("GET", f"/files/{image_id}"),
        ("DELETE", f"/files/{image_id}"),
        ("GET", f"/files/{image_id}/image"),
        ("GET", f"/files/{image_id}/thumbnail"),
        ("POST", f"/files/{image_id}/reprocess"),
        ("DELETE", f"/files/{image_id}/correction"),
    ):
        assert refusal(service.client.request(method, path))[:2] == (status, slug), (method, path)


def test_force_is_true_or_false(service: Running, refusal: Refusal) -> None:
    assert "force is 'perhaps'" in refusal(service.client.post("/inference/1?force=perhaps"))[2]


def test_a_failure_is_kept_with_the_file_and_the_next_inference_tries_again(service: Running, refusal: Refusal) -> None:
    service.stored(picture(RED))
    service.backend.failure = BackendUnavailable("it is away", headers={"Retry-After": "7"})
    answer = service.client.post("/inference/1")
    assert refusal(answer)[:2] == (503, "backend-unavailable")
    assert answer.headers["retry-after"] == "7"
    file = service.client.get("/files/1").json()
    assert (file["status"], file["error"]["detail"]) == ("failed", "it is away")
    service.backend.failure = None
    file = service.client.post("/inference/1").json()
    assert (file["status"], file["error"]) == ("recognized", None)


def test_what_nobody_foresaw_is_500_and_tells_nothing_internal(service: Running, refusal: Refusal) -> None:
    service.stored(picture(RED))
    service.backend.failure = ZeroDivisionError("secret")
    status, slug, detail = refusal(service.client.post("/inference/1"))
    assert (status, slug) == (500, "internal-error")
    assert "secret" not in detail
    assert service.client.get("/files/1").json()["status"] == "failed"


@pytest.mark.parametrize("body", [[2, 1, 2, 9, -1, 2**70], {"image_ids": [2, 1, 2, 9, -1, 2**70]}])
def test_a_batch_answers_each_id_once_in_order(service: Running, body: object) -> None:
    service.stored(picture(RED))
    service.stored(picture(BLUE))
    answer = service.client.post("/inference/batch", json=body)
    assert answer.status_code == 207
    items = answer.json()["items"]
    assert [(item["id"], item["status"]) for item in items] == [(2, 200), (1, 200), (9, 404), (-1, 404), (2**70, 404)]
    assert items[0]["file"]["car"]["make"]["value"] == "Tesla"
    assert items[2]["error"]["type"] == "urn:lineside:problem:unknown-file"


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        ("[]", "invalid-input"),
        ('{"image_ids":[]}', "invalid-input"),
        ('{"image_ids":[1],"x":1}', "invalid-input"),
        ('["1"]', "invalid-input"),
        ("[1.5]", "invalid-input"),
        ("[true]", "invalid-input"),
        ("[NaN]", "invalid-input"),
        ("[1,2,3,4]", "too-many-files"),
        ("[1", "malformed-json"),
        ("", "malformed-json"),
    ],
)
def test_a_batch_that_is_no_list_of_ids_is_refused(run_service: Run, refusal: Refusal, body: str, slug: str) -> None:
    with run_service(max_files=3) as service:
        answer = service.client.post("/inference/batch", content=body, headers={"Content-Type": "application/json"})
        assert refusal(answer)[1] == slug
