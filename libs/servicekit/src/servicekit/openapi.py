"""OpenAPI entries for routes that speak msgspec: request bodies, answers and problems with an example each."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from servicekit import problems
from servicekit.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{name}"
EXAMPLE_ID = "0f8fad5bd9cb469fa16570867728950e"
EVERYWHERE = (problems.Unauthenticated, problems.RateLimited, problems.InternalError, problems.Overloaded)
WITH_PARAMETERS = (problems.InvalidInput,)
WITH_BODY = (problems.BadRequest, problems.BodyTimeout, problems.BodyTooLarge)
WITH_CHANGES = (problems.Forbidden, problems.ForeignSite)
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457 problem details; `error` repeats `detail`.",
    "required": ["type", "title", "status", "detail", "error", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "error": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
    },
}
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name for this request, new for each: a repetition with the same one gets the first answer again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}


class _Reference(str):
    """A `$ref` that remembers its msgspec type, so that the document can gather the components it needs."""

    __slots__ = ("struct",)
    struct: type[msgspec.Struct]

    @classmethod
    def to(cls, type_: type[msgspec.Struct]) -> "_Reference":
        reference = cls(REF.format(name=f"{type_.__module__}.{type_.__qualname__}"))
        reference.struct = type_
        return reference


def json_body(
    type_: type[msgspec.Struct], *, example: Any = None, also: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Returns `openapi_extra` for a JSON body of a msgspec type; `also` maps other media types to a description."""
    content: dict[str, Any] = {"application/json": _media(type_, example)}
    for media_type, description in (also or {}).items():
        content[media_type] = {"schema": {"type": "string", "format": "binary", "description": description}}
    return {"requestBody": {"required": True, "content": content}}


def binary_body(*media_types: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "format": "binary", "description": description}
    return {"requestBody": {"required": True, "content": {name: {"schema": schema} for name in media_types}}}


def multipart_body(
    field: str, *, description: str, many: bool = False, fields: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Returns `openapi_extra` for a form with a file, or many, in `field`, for which Swagger UI shows a file chooser.

    `fields` maps text fields that may come along to a description.
    """
    file = {"type": "string", "format": "binary"}
    chosen = {"type": "array", "items": file, "minItems": 1} if many else file
    texts = {name: {"type": "string", "description": text} for name, text in (fields or {}).items()}
    properties = {field: {**chosen, "description": description}, **texts}
    schema = {"type": "object", "required": [field], "properties": properties}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


def answers(
    types: Mapping[int, type[msgspec.Struct] | None], problems: Iterable[type[Problem]] = ()
) -> dict[int | str, Any]:
    """Returns `responses` of a route: a msgspec type for each status that succeeds, and what it can refuse."""
    responses: dict[int | str, Any] = {}
    for status, type_ in types.items():
        content = {"content": {"application/json": _media(type_, None)}} if type_ else {}
        responses[status] = {"description": (type_.__doc__ or type_.__name__) if type_ else "No content", **content}
    for problem in problems:
        _add_problem(responses, problem)
    return responses


def _media(type_: type[msgspec.Struct], example: Any) -> dict[str, Any]:
    media: dict[str, Any] = {"schema": {"$ref": _Reference.to(type_)}}
    if example is not None:
        media["example"] = example
    return media


def _add_problem(responses: dict[Any, Any], problem: type[Problem]) -> None:
    key = next((key for key in responses if str(key) == str(problem.status)), str(problem.status))
    entry = responses.setdefault(key, {"description": problem.title})
    media = entry.setdefault("content", {}).setdefault(
        MEDIA_TYPE, {"schema": {"$ref": REF.format(name="Problem")}, "examples": {}}
    )
    example = problem(problem.title).document(EXAMPLE_ID)
    media["examples"][problem.slug] = {"summary": problem.title, "value": example}


def describe(app: FastAPI, server: str, members: Mapping[str, Any] = problems.NO_MEMBERS) -> dict[str, Any]:
    """Returns the document: FastAPI's own, with msgspec types as components and the problems of every route.

    `members` are those that the service gives to every problem.
    """
    described = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = described.get("components", {}).get("schemas", {})
    for path in described["paths"].values():
        for method, operation in path.items():
            _add_common_problems(method, operation)
            _add_idempotency_key(operation)
    types = _types(app)
    references, components = msgspec.json.schema_components(types, ref_template=REF)
    text = json.dumps(described)
    for type_, reference in zip(types, references, strict=True):
        text = text.replace(json.dumps(_Reference.to(type_)), json.dumps(reference["$ref"]))
    document: dict[str, Any] = json.loads(text)
    _add_members(document, members)
    own = {name: schema for name, schema in schemas.items() if name not in ("HTTPValidationError", "ValidationError")}
    document["components"] = {
        "schemas": {"Problem": _problem_schema(members), **own, **components},
        "securitySchemes": SECURITY,
    }
    document["security"] = [{}, *({name: []} for name in SECURITY)]
    document["servers"] = [{"url": server}]
    return document


def _problem_schema(members: Mapping[str, Any]) -> dict[str, Any]:
    own = {name: {"const": value} for name, value in members.items()}
    return {
        **PROBLEM_SCHEMA,
        "required": [*own, *PROBLEM_SCHEMA["required"]],
        "properties": {**own, **PROBLEM_SCHEMA["properties"]},
    }


def _add_members(document: dict[str, Any], members: Mapping[str, Any]) -> None:
    """Shows the service's own members in the example of every problem."""
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                for example in response.get("content", {}).get(MEDIA_TYPE, {}).get("examples", {}).values():
                    example["value"] = {**members, **example["value"]}


def _types(app: FastAPI) -> list[type[msgspec.Struct]]:
    """Returns the msgspec types that the routes mention, those of included routers too."""
    mentions = ("openapi_extra", "responses")
    nodes = [getattr(route, name, None) for route in iter_route_contexts(app.routes) for name in mentions]
    types = {reference.struct for node in nodes for reference in _references(node)}
    return sorted(types, key=lambda type_: (type_.__module__, type_.__qualname__))


def _add_idempotency_key(operation: dict[str, Any]) -> None:
    """Shows the header at every call that can refuse a bad one."""
    problems = operation["responses"].get("400", {}).get("content", {}).get(MEDIA_TYPE, {}).get("examples", {})
    if "idempotency-key-invalid" in problems:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)


def _add_common_problems(method: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    invalid = responses.get("422", {}).get("content", {}).get("application/json", {})
    if "HTTPValidationError" in str(invalid):  # the framework's shape, which ours replaces
        del responses["422"]
    common = [*EVERYWHERE]
    common += WITH_PARAMETERS if "parameters" in operation else ()
    common += WITH_BODY if "requestBody" in operation else ()
    common += WITH_CHANGES if method != "get" else ()
    for problem in common:
        _add_problem(responses, problem)


def _references(node: Any) -> Iterable[_Reference]:
    if isinstance(node, _Reference):
        yield node
    elif isinstance(node, dict | list | tuple):
        for child in node.values() if isinstance(node, dict) else node:
            yield from _references(child)
