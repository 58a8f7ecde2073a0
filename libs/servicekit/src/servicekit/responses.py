"""Responses encoded by msgspec."""

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from servicekit.problems import MEDIA_TYPE, NO_MEMBERS, Problem


def json_response(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def problem_response(problem: Problem, request_id: str | None, members: Mapping[str, Any] = NO_MEMBERS) -> Response:
    return Response(problem.encode(request_id, members), problem.status, problem.headers, media_type=MEDIA_TYPE)
