from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from painted import BLUE, GREEN, GREY, RED, Running, picture
from servicekit import auth

Refusal = Callable[[Any], tuple[int, str, str]]
Run = Callable[..., AbstractContextManager[Running]]


def ids(service: Running, query: str = "") -> list[int]:
    return [file["id"] for file in service.client.get(f"/files/{query}").json()["items"]]


@pytest.fixture
def garage(service: Running) -> Running:
    """Four files, of which the first three are recognised: a Ferrari, a Tesla, no car."""
    for colour, name in ((RED, "red.png"), (BLUE, "blue.png"), (GREY, "grey.png"), (GREEN, "green.png")):
        service.stored(picture(colour), name)
    service.client.post("/inference/batch", json=[1, 2, 3])
    return service


def test_files_are_listed_newest_first_page_by_page_while_files_come_and_go(garage: Running) -> None:
    first = garage.client.get("/files/?limit=2").json()
    assert [file["id"] for file in first["items"]] == [4, 3]
    garage.stored(picture(RED, (32, 32)))
    garage.client.delete("/files/3")
    second = garage.client.get(f"/files/?limit=2&cursor={first['next_cursor']}").json()
    assert [file["id"] for file in second["items"]] == [2, 1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=recognized", [2, 1]),
        ("?status=unrecognized", [3]),
        ("?status=pending", [4]),
        ("?make=Tesla", [2]),
        ("?make=Ferrari&model=FF", [1]),
        ("?q=BLUE", [2]),
        ("?q=100%25", []),
        ("?confidence_min=0.85", [1]),
        ("?confidence_max=0.85", [2]),
        ("?uploaded_to=2020-01-01T00:00:00Z", []),
        ("?uploaded_from=2020-01-01T00:00:00", [4, 3, 2, 1]),
    ],
)
def test_filters_find_what_they_say(garage: Running, query: str, found: list[int]) -> None:
    assert ids(garage, query) == found


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "limit=0",
        "limit=501",
        "cursor=x",
        "q=%00",
        "confidence_min=nan",
        "confidence_min=2",
        "uploaded_from=yesterday",
        "colour=red",
        "limit=1&limit=2",
    ],
)
def test_parameters_that_cannot_be_are_refused(service: Running, refusal: Refusal, query: str) -> None:
    assert refusal(service.client.get(f"/files/?{query}"))[:2] == (422, "invalid-input")


def test_a_deleted_file_is_gone_with_its_pictures(garage: Running, refusal: Refusal) -> None:
    assert garage.client.get("/files/1/thumbnail").status_code == 200
    before = len(stored(garage))
    answer = garage.client.delete("/files/1")
    assert (answer.status_code, answer.content) == (204, b"")
    assert len(stored(garage)) == before - 2
    for method, path in (
        ("GET", "/files/1"),
        ("GET", "/files/1/image"),
        ("DELETE", "/files/1"),
        ("POST", "/files/1/reprocess"),
        ("POST", "/inference/1"),
    ):
        assert refusal(garage.client.request(method, path))[:2] == (404, "unknown-file")


def stored(service: Running) -> list[str]:
    storage = service.client.app.state.services.storage  # type: ignore[attr-defined] # a Service
    return [file.key for file in storage.keys()]  # noqa: SIM118 - no mapping


def test_reprocess_resets_the_results_and_keeps_the_correction(garage: Running) -> None:
    garage.client.put("/files/1/correction", json={"label": "Fiat 500 Abarth 2012"})
    file = garage.client.post("/files/1/reprocess").json()
    assert (file["status"], file["predictions"], file["recognized"], file["backend"]) == ("pending", [], None, None)
    assert file["correction"]["label"] == "Fiat 500 Abarth 2012"
    assert garage.client.post("/inference/1").json()["status"] == "recognized"
    assert garage.backend.asked == 4


def test_deleting_wants_the_scope_admin_where_there_are_keys(run_service: Run, refusal: Refusal) -> None:
    (reader, reads), (admin, administers) = auth.generate("reader", "read"), auth.generate("boss", "admin")
    with run_service(api_keys=[reads, administers]) as service:
        client = service.client
        assert refusal(client.get("/files/"))[0] == 401
        key = {"X-API-Key": reader}
        assert client.post("/upload/", files={"file": ("a.png", picture())}, headers=key).status_code == 201
        assert refusal(client.delete("/files/1", headers=key))[:2] == (403, "forbidden")
        assert client.delete("/files/1", headers={"X-API-Key": admin}).status_code == 204
