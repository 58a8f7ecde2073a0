import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI
from openapi_spec_validator import validate
from servicekit import openapi
from servicekit.app import Service
from servicekit.problems import NotFound, Overloaded
from starlette.responses import Response

Make = Callable[..., Service]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == "$ref")
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from references(child)


def test_is_valid_and_refers_to_nothing_that_is_missing(make: Make) -> None:
    document = make().openapi()
    validate(document)
    names = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= names


def test_describes_every_route_that_a_client_calls(make: Make) -> None:
    paths = make().openapi()["paths"]
    assert set(paths) == {
        "/sum", "/large", "/origin", "/items/{number}", "/slow", "/stream", "/broken", "/half",
        "/health", "/health/live", "/health/ready", "/metrics",
    }  # fmt: skip
    assert set(paths["/items/{number}"]) == {"get", "put"}


def test_describes_bodies_and_answers_by_their_msgspec_types(make: Make) -> None:
    document = make().openapi()
    operation = document["paths"]["/sum"]["post"]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/Numbers"}
    assert answer == {"$ref": "#/components/schemas/Total"}
    assert document["components"]["schemas"]["Numbers"]["additionalProperties"] is False


def test_shows_every_problem_with_an_example(make: Make) -> None:
    document = make().openapi()
    for path, operations in document["paths"].items():
        for operation in operations.values():
            problems = operation["responses"]["500"]["content"]["application/problem+json"]
            assert problems["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert problems["examples"]["internal-error"]["value"]["status"] == 500, path
    responses = document["paths"]["/sum"]["post"]["responses"]
    assert {"401", "403", "404", "408", "413", "429", "503"} <= set(responses)
    assert "413" not in document["paths"]["/items/{number}"]["get"]["responses"]
    assert set(responses["403"]["content"]["application/problem+json"]["examples"]) == {"forbidden", "foreign-site"}


def test_leaves_nothing_of_the_frameworks_own_errors(make: Make) -> None:
    text = json.dumps(make().openapi())
    assert "HTTPValidationError" not in text
    assert '"ValidationError"' not in text


def test_is_served_with_the_prefix_as_its_server(make: Make) -> None:
    document = make().openapi()
    assert document["servers"] == [{"url": "/toy"}]
    assert make(path_prefix="").openapi()["servers"] == [{"url": "/"}]
    assert document["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}


def test_keeps_types_of_one_name_apart() -> None:
    one = msgspec.defstruct("Same", [("a", int)], module="one")
    other = msgspec.defstruct("Same", [("b", str)], module="other")
    router = APIRouter()

    async def endpoint() -> Response:
        return Response()

    for path, struct in (("/one", one), ("/other", other)):
        router.add_api_route(path, endpoint, responses=openapi.answers({200: struct}), response_class=Response)
    app = FastAPI()
    app.include_router(router, prefix="/in")
    document = openapi.describe(app, "/")
    validate(document)
    for path, member in (("/in/one", "a"), ("/in/other", "b")):
        schema = document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        name = schema["$ref"].rpartition("/")[2]
        assert list(document["components"]["schemas"][name]["properties"]) == [member]


def test_describes_other_bodies_and_answers_without_one() -> None:
    extra = openapi.json_body(msgspec.defstruct("Rows", []), example={"rows": []}, also={"text/csv": "Rows."})
    assert set(extra["requestBody"]["content"]) == {"application/json", "text/csv"}
    assert extra["requestBody"]["content"]["application/json"]["example"] == {"rows": []}
    assert set(openapi.binary_body("a/b", description="Bytes.")["requestBody"]["content"]) == {"a/b"}
    assert openapi.answers({204: None}) == {204: {"description": "No content"}}


def test_describes_a_form_with_files() -> None:
    media = {"multipart/form-data": {"schema": {
        "type": "object",
        "required": ["files"],
        "properties": {
            "files": {
                "type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1, "description": "PNGs."
            },
            "lang": {"type": "string", "description": "Of the text."},
        },
    }}}  # fmt: skip
    extra = openapi.multipart_body("files", description="PNGs.", many=True, fields={"lang": "Of the text."})
    assert extra["requestBody"] == {"required": True, "content": media}
    one = openapi.multipart_body("file", description="A PNG.")["requestBody"]["content"]["multipart/form-data"][
        "schema"
    ]
    assert one["properties"] == {"file": {"type": "string", "format": "binary", "description": "A PNG."}}


def test_joins_problems_of_one_status() -> None:
    class Elsewhere(NotFound):
        slug = "elsewhere"

    answers = openapi.answers({}, (NotFound, Elsewhere, Overloaded))
    assert set(answers) == {"404", "503"}
    assert set(answers["404"]["content"]["application/problem+json"]["examples"]) == {"not-found", "elsewhere"}
