from collections.abc import Callable
from typing import Any

import pytest
from servicekit import context
from servicekit.app import Service
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Receive, Scope, Send

Client = Callable[..., TestClient]


def test_answers_with_the_prefix_and_without(client: Client) -> None:
    toy = client()
    assert toy.post("/toy/sum", json={"numbers": [1, 2.5]}).json() == {"total": 3.5}
    assert toy.post("/sum", json={"numbers": [1, 2.5]}).json() == {"total": 3.5}


def test_answers_head_wherever_it_answers_get(client: Client) -> None:
    toy = client()
    for path in ("/", "/health", "/docs", "/openapi.json", "/static/page.js", "/items/7", "/metrics"):
        head, get = toy.head(path), toy.get(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == get.headers["content-type"]


def test_keeps_a_slash_at_the_end_apart_instead_of_redirecting(client: Client) -> None:
    assert client().get("/items/7/", follow_redirects=False).status_code == 404


def test_tries_the_hot_path_before_the_router(client: Client) -> None:
    async def hot(scope: Scope, receive: Receive, send: Send) -> bool:
        if context.of(scope).path != "/hot":
            return False
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": (await receive())["body"]})
        return True

    toy = client(hot=hot)
    assert toy.post("/toy/hot", content=b"warm").content == b"warm"
    assert toy.get("/items/7").json()["number"] == 7


def test_opens_pages_documentation_and_health_without_a_key_and_nothing_else(make: Callable[..., Service]) -> None:
    toy = make()
    for path in (
        "/",
        "/health",
        "/health/live",
        "/docs",
        "/redoc",
        "/openapi.json",
        "/static/page.js",
        "/ui/style.css",
    ):
        assert toy.is_open("GET", path), path
        assert not toy.is_open("POST", path), path
    for path in ("/metrics", "/items/7", "/sum", "/static", "/healthy", "//static/page.js", "/x/static/page.js"):
        assert not toy.is_open("GET", path), path


def test_runs_the_lifespan_and_refuses_websockets_where_there_are_none(make: Callable[..., Service]) -> None:
    with TestClient(make()) as toy:
        assert toy.get("/health").status_code == 200
        with pytest.raises(WebSocketDenialResponse) as caught, toy.websocket_connect("/"):
            pass
        assert (caught.value.status_code, caught.value.json()["detail"]) == (404, "there is no WebSocket at '/'")


@pytest.mark.parametrize(("origin", "allowed"), [("https://mes.example", True), ("https://evil.example", False)])
def test_lets_listed_origins_in_and_no_others(client: Client, origin: str, allowed: bool) -> None:
    toy = client(cors_origins=["https://mes.example"])
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    preflight = toy.options("/sum", headers=headers)
    answer = toy.post("/sum", json={"numbers": []}, headers={"Origin": origin})
    refusal = toy.get("/nothing", headers={"Origin": origin})
    assert preflight.status_code == (200 if allowed else 400)
    for response in (preflight, answer, refusal):
        assert response.headers.get("access-control-allow-origin") == (origin if allowed else None)


def test_is_closed_to_other_origins_unless_told(client: Client) -> None:
    answer: Any = client().post("/sum", json={"numbers": []}, headers={"Origin": "https://mes.example"})
    assert "access-control-allow-origin" not in answer.headers
