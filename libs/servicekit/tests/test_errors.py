import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from servicekit.app import Service
from starlette.testclient import TestClient

Client = Callable[..., TestClient]


def test_answers_what_does_not_exist_as_a_problem_that_names_it(client: Client) -> None:
    refusal = client().get("/toy/nothing%00" + "x" * 5000)
    assert (refusal.status_code, refusal.headers["content-type"]) == (404, "application/problem+json")
    assert refusal.json() == {
        "type": "urn:lineside:problem:not-found",
        "title": "Not found",
        "status": 404,
        "detail": refusal.json()["detail"],
        "error": refusal.json()["detail"],
        "request_id": refusal.headers["x-request-id"],
    }
    assert refusal.json()["detail"].startswith("there is nothing at '/toy/nothing\\x00xxx")
    assert len(refusal.content) < 1000


def test_answers_a_wrong_method_with_all_that_are_allowed(client: Client) -> None:
    refusal = client().delete("/toy/items/7")
    assert (refusal.status_code, refusal.headers["allow"]) == (405, "GET, HEAD, PUT")
    assert refusal.headers["content-type"] == "application/problem+json"
    assert refusal.json()["type"] == "urn:lineside:problem:method-not-allowed"
    assert refusal.json()["detail"] == "DELETE is not possible at '/toy/items/7', but GET, HEAD, PUT"


@pytest.mark.parametrize("path", ["/", "/static/page.js", "/health"])
def test_refuses_to_change_what_can_only_be_read(client: Client, path: str) -> None:
    refusal = client().post(path)
    assert (refusal.status_code, refusal.headers["allow"]) == (405, "GET, HEAD")


def test_answers_the_frameworks_validation_in_one_sentence(client: Client) -> None:
    refusal = client().get("/items/" + "seven" * 1000)
    assert (refusal.status_code, refusal.json()["type"]) == (422, "urn:lineside:problem:invalid-input")
    assert refusal.json()["detail"].startswith("path.number: Input should be a valid integer")
    assert len(refusal.content) < 1500


def test_answers_the_unforeseen_without_a_word_of_the_inside(
    make: Callable[..., Service], caplog: pytest.LogCaptureFixture
) -> None:
    toy = make()
    refusal = TestClient(toy).get("/broken", headers={"X-Request-ID": "abc"})
    assert (refusal.status_code, refusal.json()["type"]) == (500, "urn:lineside:problem:internal-error")
    assert refusal.headers["content-type"] == "application/problem+json"
    assert "secret" not in refusal.text
    assert toy.state.metrics.errors == 1
    (record,) = (record for record in caplog.records if record.name == "servicekit.errors")
    assert record.exc_info
    assert record.exc_info[0] is ZeroDivisionError
    assert record.__dict__["fields"] == {"request_id": "abc"}


def test_breaks_the_connection_where_an_answer_has_begun(
    make: Callable[..., Service],
    served: Callable[[Service], AbstractContextManager[int]],
    connect: Callable[[int], Any],
) -> None:
    with served(make()) as port:
        connection = connect(port)
        connection.send(b"GET /half HTTP/1.1\r\nHost: a\r\n\r\n")
        received = connection.file.read()
    assert received.endswith(b"first\n\r\n"), "the last chunk, which would mean a complete answer, is missing"


def test_has_security_headers_and_cors_on_errors_too(client: Client) -> None:
    toy = client(cors_origins=["https://mes.example"])
    refusal = toy.get("/broken", headers={"Origin": "https://mes.example"})
    assert refusal.status_code == 500
    assert refusal.headers["x-content-type-options"] == "nosniff"
    assert refusal.headers["access-control-allow-origin"] == "https://mes.example"
    assert json.loads(refusal.content)["error"]


def test_every_problem_has_the_members_that_the_service_gives_to_all(make: Callable[..., Service]) -> None:
    with TestClient(make(problem_members={"success": False}, max_body_bytes=1024)) as toy:
        for answer, status in (
            (toy.get("/nothing"), 404),
            (toy.delete("/items/7"), 405),
            (toy.post("/large", content=bytes(5000)), 413),
            (toy.get("/items/x"), 422),
            (toy.get("/broken"), 500),
        ):
            assert (answer.status_code, answer.json()["success"], answer.json()["status"]) == (status, False, status)
        document = toy.get("/openapi.json").json()
    problem = document["components"]["schemas"]["Problem"]
    assert (problem["required"][0], problem["properties"]["success"]) == ("success", {"const": False})
    examples = document["paths"]["/sum"]["post"]["responses"]["413"]["content"]["application/problem+json"]["examples"]
    assert examples["body-too-large"]["value"]["success"] is False
