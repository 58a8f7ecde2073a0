import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest
from gateway.app import Dispatcher, create_app
from gateway.openapi import Documents
from gateway.settings import Settings
from openapi_spec_validator import validate

Gateway = Callable[..., Dispatcher]
Toys = Callable[..., Any]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(child)


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def assert_is_sound(document: dict[str, Any]) -> None:
    validate(document)
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= names
    ids = [operation["operationId"] for operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_joins_the_documents_of_all_services(gateway: Gateway, toy: Toys) -> None:
    document = gateway(toy("one"), toy("two")).openapi()
    assert_is_sound(document)
    assert {"/services", "/health", "/metrics", "/one", "/two", "/one/echo/{path}", "/two/health"} <= set(
        document["paths"]
    )
    assert document["servers"] == [{"url": "/"}]
    assert document["info"]["title"] == "Lineside"


def test_keeps_what_services_name_alike_apart(gateway: Gateway, toy: Toys) -> None:
    document = gateway(toy("one"), toy("two")).openapi()
    tags = {tag for operation in operations(document) for tag in operation["tags"]}
    assert tags == {"operations", "gateway", "one: toy", "one: operations", "two: toy", "two: operations"}
    assert {"one.Problem", "two.Problem", "Problem"} <= set(document["components"]["schemas"])


def test_is_made_once(gateway: Gateway, toy: Toys) -> None:
    app = gateway(toy("one"))
    assert app.openapi() is app.openapi()


def test_is_sound_for_the_real_services(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("ANOMALY_DATABASE_URL", f"sqlite:///{tmp_path}/anomaly.db")
    document = create_app(Settings()).openapi()
    assert_is_sound(document)
    assert "post" in document["paths"]["/anomaly"]


OPERATION = {"operationId": "root", "responses": {"200": {"description": "fine"}}}
GOOD = json.dumps({"paths": {"/": {"get": OPERATION}}, "components": {"schemas": {"A": {}}}, "info": {}})


def documents(*bodies: str) -> dict[str, Any]:
    """Returns what is merged when a service has an address for each body; "hangs" never answers."""

    async def answer(body: str) -> httpx2.Response:
        await asyncio.sleep(60 if body == "hangs" else 0)
        return httpx2.Response(200, text=body)

    def client(body: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: answer(body)), base_url="http://a")

    def own() -> dict[str, Any]:
        return {"info": {"description": "Everything."}, "paths": {}, "components": {"schemas": {}}}

    merged = Documents(own, {"one": {str(number): client(body) for number, body in enumerate(bodies)}})
    return asyncio.run(merged.kept.get())


@pytest.mark.parametrize("body", ["hangs", "<html>", "[]", '{"paths":{}}', '{"components":{}}', '{"detail":"no"}', ""])
def test_takes_nothing_but_a_document_for_a_document(body: str) -> None:
    merged = documents(body)
    assert merged["paths"] == {}
    assert merged["info"]["description"] == "Everything. Left out, because they do not answer: one."


@pytest.mark.parametrize("other", ["<html>", "hangs"])
def test_takes_the_document_of_another_address_where_one_has_none(other: str) -> None:
    merged = documents(other, GOOD)
    assert list(merged["paths"]) == ["/one"]
    assert merged["info"]["description"] == "Everything."
