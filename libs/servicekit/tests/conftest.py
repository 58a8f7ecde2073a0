"""A small service to try servicekit on, over TestClient and over real sockets."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from fastapi import APIRouter, Request, WebSocket
from fastapi.responses import StreamingResponse
from pydantic_settings import SettingsConfigDict
from servicekit import strict
from servicekit.app import Hot, Service, create_service_app
from servicekit.auth import ADMIN, client_name
from servicekit.limits import allow_body, leave_place
from servicekit.media import require
from servicekit.openapi import answers, json_body
from servicekit.problems import NO_MEMBERS, NotFound
from servicekit.protocol import LimitedProtocol
from servicekit.responses import json_response
from servicekit.settings import ServiceSettings
from servicekit.socket_protocol import SocketProtocol
from servicekit.sockets import Session
from starlette.responses import Response
from starlette.testclient import TestClient

PREFIX = "/toy"


class ToySettings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="TOY_", extra="ignore")


class Numbers(msgspec.Struct, forbid_unknown_fields=True):
    """What the toy adds up."""

    numbers: list[float]


class Total(msgspec.Struct):
    """The sum."""

    total: float


router = APIRouter(tags=["toy"])


@router.post(
    "/sum", openapi_extra=json_body(Numbers), responses=answers({200: Total}, (NotFound,)), response_class=Response
)
async def add(request: Request) -> Response:
    require(request, "application/json")
    numbers = strict.decode(await request.body(), Numbers).numbers
    return json_response(Total(sum(numbers)))


@router.post("/large", response_class=Response)
async def large(request: Request) -> Response:
    allow_body(request, 4096)
    return json_response({"size": len(await request.body())})


@router.get("/items/{number}", response_class=Response)
async def item(request: Request, number: int) -> Response:
    return json_response({"number": number, "client": client_name(request)})


@router.get("/origin", response_class=Response)
async def origin(request: Request) -> Response:
    assert request.client
    return json_response([request.client.host, request.url.scheme])


@router.put("/items/{number}", dependencies=[ADMIN], response_class=Response)
async def put_item(number: int) -> Response:
    return json_response({"number": number})


@router.get("/slow", response_class=Response)
async def slow(request: Request) -> Response:
    await request.app.state.slow()
    return json_response({"slow": True})


@router.get("/stream", response_class=Response)
async def stream(request: Request) -> Response:
    leave_place(request)

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first\n"
        await request.app.state.drain.started.wait()
        yield b"last\n"

    return StreamingResponse(chunks(), media_type="text/plain")


@router.get("/broken", response_class=Response)
async def broken() -> Response:
    raise ZeroDivisionError("a secret of the inside")


@router.get("/half", response_class=Response)
async def half() -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first\n"
        raise ZeroDivisionError("a secret of the inside")

    return StreamingResponse(chunks(), media_type="text/plain")


@router.websocket("/echo")
async def echo(websocket: WebSocket) -> None:
    websocket.app.state.loop = asyncio.get_running_loop()
    session = Session(websocket, idle_s=websocket.app.settings.socket_idle_s)
    async for frame in session.frames():
        if frame == "slow":
            await asyncio.sleep(0.5)
        if frame == "broken":
            raise ZeroDivisionError("a secret of the inside")
        await session.answer(str(frame))


@pytest.fixture
def page_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text('<!doctype html><base href="{{base}}"><title>toy</title>', encoding="utf-8")
    (folder / "page.js").write_text("export const one = 1;\n", encoding="utf-8")
    return folder


@pytest.fixture
def make(page_folder: Path) -> Callable[..., Service]:
    """Returns a function that makes the toy service with the given settings."""

    @asynccontextmanager
    async def lifespan(_app: Any) -> AsyncIterator[None]:
        yield

    def make(
        *,
        hot: Hot | None = None,
        probe: Callable[[], None] = lambda: None,
        problem_members: Mapping[str, Any] = NO_MEMBERS,
        **settings: Any,
    ) -> Service:
        return create_service_app(
            ToySettings(**{"path_prefix": PREFIX, "access_log": False, **settings}),
            name="toy",
            title="Toy",
            version="1.2.3",
            summary="Adds numbers.",
            lifespan=lifespan,
            routers=[router],
            page=page_folder,
            probe=probe,
            details=lambda: {"version": "1.2.3", "limits": {"max_body_bytes": 1}},
            hot=hot,
            problem_members=problem_members,
        )

    return make


@pytest.fixture
def client(make: Callable[..., Service]) -> Callable[..., TestClient]:
    """Returns a function that makes the toy service and a client for it."""
    return lambda **settings: TestClient(make(**settings))


@pytest.fixture
def served() -> Callable[[Service], AbstractContextManager[int]]:
    """Returns a context manager that serves an application on a free loopback port and yields the port."""
    return _served


@contextmanager
def _served(app: Service) -> Iterator[int]:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=LimitedProtocol,
        ws=SocketProtocol,
        ws_max_size=app.settings.socket_max_bytes,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        while not server.started:
            time.sleep(0.005)
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join()


class Connection:
    """A bare connection: what is sent and when is the test's own business."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.file = self.socket.makefile("rb")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def response(self) -> tuple[int, dict[str, str], bytes]:
        """Reads one response with a Content-Length."""
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().strip():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", "0")))

    def is_closed(self) -> bool:
        """Waits for the other side to close."""
        return self.file.read(1) == b""

    def close(self) -> None:
        self.file.close()
        self.socket.close()


@pytest.fixture
def connect() -> Iterator[Callable[[int], Connection]]:
    """Returns a function that opens a bare connection to a port of this machine."""
    opened: list[Connection] = []

    def connect(port: int) -> Connection:
        opened.append(Connection(port))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()
