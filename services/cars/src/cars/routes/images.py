"""`/files/{image_id}/image` and `/thumbnail`: the pictures, safe to show whatever they and their names contain."""

from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from servicekit import query
from servicekit.limits import leave_place
from starlette.responses import Response, StreamingResponse

from cars import thumbnails
from cars.problems import NotAnImage
from cars.routes import document, parameters, paths
from cars.routes.parameters import ImageId
from cars.routes.parts import services_of

router = APIRouter(tags=["files"])

# An id is one picture for ever. Nothing in a file is to run, were a browser made to take it for a page.
SAFE = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 ._-()")
BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def _responses(*media_types: str) -> dict[int | str, Any]:
    return {
        **document.answers({}, document.ONE, document.READING, document.PICTURES, (NotAnImage,)),
        200: {"description": "The picture", "content": dict.fromkeys(media_types, BINARY)},
        304: {"description": "The picture is the one that `If-None-Match` names"},
    }


@paths.add(
    router,
    "GET",
    "/files/{image_id}/image",
    responses=_responses("image/jpeg", "image/png"),
    response_class=Response,
)
async def get_image(request: Request, image_id: ImageId) -> Response:
    """Gives the picture as it is kept: as it was sent, without what a camera wrote into it of place and time."""
    query.parse(request.scope)
    services = services_of(request)
    record = await services.archive.get(parameters.file_id(image_id))
    headers = _headers(record.filename, record.sha256)
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    pieces = await services.keeper.pieces(record)
    leave_place(request)
    headers["Content-Length"] = str(record.size_bytes)
    return StreamingResponse(pieces, headers=headers, media_type=record.content_type)


@paths.add(
    router,
    "GET",
    "/files/{image_id}/thumbnail",
    responses=_responses(thumbnails.CONTENT_TYPE),
    response_class=Response,
)
async def get_thumbnail(request: Request, image_id: ImageId) -> Response:
    """Gives a small JPEG of the picture, upright; it is made when it is asked for first."""
    query.parse(request.scope)
    services = services_of(request)
    record = await services.archive.get(parameters.file_id(image_id))
    headers = _headers(f"{record.id}.jpg", f"{record.sha256}-{thumbnails.SIDE}")
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(await services.keeper.thumbnail(record), headers=headers, media_type=thumbnails.CONTENT_TYPE)


def _headers(name: str, etag: str) -> dict[str, str]:
    return {"ETag": f'"{etag}"', "Content-Disposition": disposition(name), **SAFE}


def disposition(name: str) -> str:
    """Returns `inline` with a file's name (RFC 6266): a plain one for all, and the whole one in UTF-8."""
    plain = "".join(char if char in PLAIN else "_" for char in name)
    return f"inline; filename=\"{plain}\"; filename*=UTF-8''{quote(name.encode('utf-8', 'replace'), safe='')}"


def _is_known(request: Request, etag: str) -> bool:
    """Tells whether the client has it (RFC 9110, 13.1.2), whose comparison is the weak one."""
    known = [tag.strip().removeprefix("W/") for tag in ",".join(request.headers.getlist("if-none-match")).split(",")]
    return etag in known or "*" in known
