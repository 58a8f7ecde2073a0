from collections.abc import Callable, Iterator
from typing import Any

import pytest
from gateway.app import Dispatcher, create_app
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
