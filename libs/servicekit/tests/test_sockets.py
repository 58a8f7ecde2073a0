"""Handshakes and sessions over real sockets, with a client that is not ours."""

import asyncio
import http.client
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, asynccontextmanager, closing
from email.message import Message
from typing import Any

import pytest
from servicekit import auth
from servicekit.app import Service
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

Served = Callable[[Service], AbstractContextManager[int]]
Make = Callable[..., Service]


@asynccontextmanager
async def opened(port: int, path: str = "/echo", **options: Any) -> AsyncIterator[ClientConnection]:
    async with connect(f"ws://127.0.0.1:{port}{path}", compression=None, **options) as socket:
        yield socket


async def refusal(port: int, path: str = "/echo", **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(InvalidStatus) as caught:
        async with opened(port, path, **options):
            pytest.fail("the handshake was accepted")
    response = caught.value.response
    assert response.headers["Content-Type"] == "application/problem+json"
    document = json.loads(response.body)
    assert document["request_id"] == response.headers["X-Request-ID"]
    return response.status_code, document


async def end(socket: ClientConnection) -> tuple[int, str]:
    """Returns the code and reason that the server closes with."""
    with pytest.raises(ConnectionClosed) as caught:
        await asyncio.wait_for(socket.recv(), 10)
    assert caught.value.rcvd
    return caught.value.rcvd.code, caught.value.rcvd.reason


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@pytest.mark.parametrize("path", ["/echo", "/toy/echo"])
def test_echoes_text_and_bytes_with_and_without_the_prefix(make: Make, served: Served, path: str) -> None:
    async def test() -> None:
        with served(make()) as port:
            async with opened(port, path) as socket:
                await socket.send("text")
                assert await socket.recv() == "text"
                await socket.send(b"bytes")
                assert await socket.recv() == "b'bytes'"

    run(test())


def test_a_socket_carries_the_request_id_of_the_client(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make()) as port:
            async with opened(port, additional_headers={"X-Request-ID": "line-7"}) as socket:
                assert socket.response
                assert socket.response.headers["X-Request-ID"] == "line-7"

    run(test())


def test_where_no_socket_is_the_handshake_is_a_404(make: Make, served: Served) -> None:
    with served(make()) as port:
        status, document = asyncio.run(refusal(port, "/nothing"))
    assert (status, document["detail"]) == (404, "there is no WebSocket at '/nothing'")


def test_a_plain_get_is_told_to_upgrade(make: Make, served: Served) -> None:
    with served(make()) as port:
        status, headers, body = get(port, "/toy/echo")
    assert (status, headers["Upgrade"]) == (426, "websocket")
    assert json.loads(body)["type"] == "urn:lineside:problem:upgrade-required"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1"])
def test_refuses_a_page_of_another_site(make: Make, served: Served, origin: str) -> None:
    with served(make()) as port:
        status, document = asyncio.run(refusal(port, origin=origin))
    assert (status, document["type"]) == (403, "urn:lineside:problem:foreign-site")
    assert origin in document["detail"]


def test_admits_its_own_page_and_the_origins_of_the_settings(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make(cors_origins="https://mes.example")) as port:
            for origin in (f"http://127.0.0.1:{port}", "https://mes.example"):
                async with opened(port, origin=origin) as socket:
                    await socket.send("in")
                    assert await socket.recv() == "in"

    run(test())


def test_asks_for_a_key_which_a_browser_sends_as_a_subprotocol(make: Make, served: Served) -> None:
    secret, line = auth.generate("page", "read")

    async def test() -> None:
        with served(make(api_keys=line)) as port:
            assert (await refusal(port))[0] == 401
            assert (await refusal(port, subprotocols=["lineside", "lineside.key.wrong"]))[0] == 401
            async with opened(port, subprotocols=["lineside", f"lineside.key.{secret}"]) as socket:
                assert socket.subprotocol == "lineside"
            async with opened(port, additional_headers={"Authorization": f"Bearer {secret}"}) as socket:
                await socket.send("in")
                assert await socket.recv() == "in"

    run(test())


def test_more_sockets_than_the_limit_are_refused_until_one_closes(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make(max_sockets=2)) as port:
            async with opened(port), opened(port) as second:
                status, document = await refusal(port)
                assert (status, document["detail"]) == (503, "2 sockets are open, which is the limit")
                await second.close()
                async with asyncio.timeout(5):
                    while metric(port, "websocket_server_active_connections") > 1:
                        await asyncio.sleep(0.01)
                async with opened(port) as third:
                    await third.send("in")
                    assert await third.recv() == "in"

    run(test())


def get(port: int, path: str) -> tuple[int, Message, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()


def metric(port: int, name: str) -> float:
    lines = get(port, "/metrics")[2].splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


def test_counts_messages_by_direction(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make()) as port:
            async with opened(port) as socket:
                for text in ("a", "b", "c"):
                    await socket.send(text)
                    await socket.recv()
                assert metric(port, 'websocket_server_messages_total{direction="received"') == 3
                assert metric(port, 'websocket_server_messages_total{direction="sent"') == 3

    run(test())


def test_closes_an_idle_socket_with_1001(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make(socket_idle_s=0.2)) as port:
            async with opened(port) as socket:
                assert await end(socket) == (1001, "no message in 0.2 s")

    run(test())


def test_closes_with_1012_when_the_process_drains_and_admits_nobody_then(make: Make, served: Served) -> None:
    async def test() -> None:
        app = make()
        with served(app) as port:
            async with opened(port) as socket:
                await socket.send("in")
                assert await socket.recv() == "in"
                app.state.loop.call_soon_threadsafe(app.state.drain.start)
                assert await end(socket) == (1012, "the service restarts")
                assert (await refusal(port))[0] == 503

    run(test())


def test_the_frame_in_work_is_answered_before_a_drain_closes(make: Make, served: Served) -> None:
    async def test() -> None:
        app = make()
        with served(app) as port:
            async with opened(port) as socket:
                await socket.send("slow")
                await asyncio.sleep(0.1)
                app.state.loop.call_soon_threadsafe(app.state.drain.start)
                assert await socket.recv() == "slow"
                assert (await end(socket))[0] == 1012

    run(test())


def test_an_unforeseen_error_closes_with_1011_and_is_logged(
    make: Make, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        app = make()
        with served(app) as port:
            async with opened(port) as socket:
                await socket.send("broken")
                assert await end(socket) == (1011, "internal error")
        assert app.state.metrics.errors == 1

    run(test())
    assert "a secret of the inside" in caplog.text


def test_a_message_over_the_limit_closes_with_1009(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make(socket_max_bytes=1024)) as port:
            async with opened(port) as socket:
                await socket.send("x" * 1025)
                assert (await end(socket))[0] == 1009

    run(test())


def test_text_that_is_not_utf_8_closes_with_1007(make: Make, served: Served) -> None:
    async def test() -> None:
        with served(make()) as port:
            async with opened(port) as socket:
                await socket.send(b"\xff\xfe", text=True)
                assert (await end(socket))[0] == 1007

    run(test())


async def send_on(socket: ClientConnection) -> None:
    while True:
        await socket.send("x" * 65_536)


def test_a_client_that_sends_much_and_reads_nothing_is_read_no_further(make: Make, served: Served) -> None:
    """The unread answers fill the buffers, the session waits to send, and the server stops reading."""

    async def test() -> None:
        app = make()
        with served(app) as port:
            async with opened(port, max_queue=1) as socket:
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(send_on(socket), 3)
                assert app.sockets.received - app.sockets.sent <= 2
                socket.transport.abort()

    run(test())
