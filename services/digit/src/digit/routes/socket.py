"""`WS /ws`: pictures in, readings out, one frame at a time, for as long as the client draws."""

import base64
import binascii

import msgspec
from fastapi import APIRouter, WebSocket
from servicekit import query, strict
from servicekit.problems import Problem
from servicekit.sockets import Session

from digit.commands.rows import members
from digit.picture import Picture
from digit.postprocess import Reading
from digit.problems import NoInk, NotAnImage
from digit.reader import Reader

router = APIRouter()

ROUTE = "/ws"
_encode = msgspec.json.Encoder().encode


class Frame(msgspec.Struct, forbid_unknown_fields=True):
    """A text frame that begins with a brace; `id` comes back with the answer."""

    image: str
    id: str | int | None = None
    model: str | None = None
    detail: bool = False


class FrameError(ValueError):
    """A frame that holds no picture; the text says why."""


@router.websocket(ROUTE)
async def socket(websocket: WebSocket) -> None:
    """Answers each frame in order; a bad one is answered with an error, and the socket stays open."""
    reader: Reader = websocket.app.state.services.reader
    values = query.parse(websocket.scope, "model")
    model = reader.choose(values.get("model"))  # an unknown one refuses the handshake
    session = Session(websocket, idle_s=reader.settings.socket_idle_s)
    async for frame in session.frames():
        await session.answer(_encode(await _answer(reader, frame, model)).decode())


async def _answer(reader: Reader, frame: str | bytes, model: str) -> dict[str, object]:
    asked = Frame("")
    try:
        asked = _asked(frame)
        picture = _decode(asked.image) if isinstance(frame, str) else frame
        reading = await reader.read(Picture(picture), reader.choose(asked.model) if asked.model else model, ROUTE)
        answer = _told(reading, detail=asked.detail)
    except NoInk:
        answer = {"prediction": None, "confidence": 0.0, "is_digit": False}
    except NotAnImage as problem:
        answer = {"error": f"{problem.detail}: {problem.extra['reason']}"}
    except Problem as problem:
        answer = {"error": problem.detail}
    except FrameError as error:
        answer = {"error": str(error)}
    return answer if asked.id is None else {**answer, "id": asked.id}


def _asked(frame: str | bytes) -> Frame:
    """Returns what a frame asks for; raises a Problem for JSON that is not a Frame."""
    if isinstance(frame, bytes):
        return Frame("")
    return strict.decode(frame.encode(), Frame) if frame.lstrip().startswith("{") else Frame(frame)


def _decode(text: str) -> bytes:
    """Decodes base64 or a data URL of base64, line breaks within it allowed; raises FrameError."""
    head, comma, data = text.partition(",")
    if comma and not (head.startswith("data:") and head.endswith(";base64")):
        raise FrameError("the text is neither base64 nor a data URL like data:image/png;base64,…")
    try:
        return base64.b64decode("".join((data if comma else text).split()), validate=True)
    except (binascii.Error, ValueError):  # ValueError: letters beyond ASCII
        raise FrameError("the text is not base64: send a picture's bytes as a binary frame, or as base64") from None


def _told(reading: Reading, *, detail: bool) -> dict[str, object]:
    told = members(reading)
    return told if detail else {name: told[name] for name in ("prediction", "confidence", "is_digit")}
