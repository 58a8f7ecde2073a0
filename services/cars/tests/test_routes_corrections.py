from collections.abc import Callable
from typing import Any

import pytest
from painted import RED, Running, picture

Refusal = Callable[[Any], tuple[int, str, str]]


def test_a_correction_stands_beside_the_predictions(service: Running) -> None:
    service.stored(picture(RED))
    service.client.post("/inference/1")
    file = service.client.put("/files/1/correction", json={"label": "Honda Civic Sedan 2012"}).json()
    assert {**file["correction"], "corrected_at": ""} == {
        "label": "Honda Civic Sedan 2012",
        "make": "Honda",
        "model": "Civic",
        "body": "Sedan",
        "year": 2012,
        "corrected_at": "",
    }
    assert file["predictions"][0]["make"] == "Ferrari"
    assert [found["id"] for found in service.client.get("/files/?make=Honda").json()["items"]] == [1]
    assert service.client.delete("/files/1/correction").json()["correction"] is None
    assert service.client.delete("/files/1/correction").status_code == 200
    assert service.client.get("/files/?make=Honda").json()["items"] == []


@pytest.mark.parametrize(
    "body", [{}, {"label": ""}, {"label": "   "}, {"label": "x" * 129}, {"label": 1}, {"make": "x"}]
)
def test_a_correction_that_is_none_is_refused(service: Running, refusal: Refusal, body: object) -> None:
    service.stored(picture(RED))
    assert refusal(service.client.put("/files/1/correction", json=body))[:2] == (422, "invalid-input")


def test_a_file_that_is_not_there_cannot_be_corrected(service: Running, refusal: Refusal) -> None:
    answer = service.client.put("/files/7/correction", json={"label": "Honda Civic Sedan 2012"})
    assert refusal(answer)[:2] == (404, "unknown-file")
