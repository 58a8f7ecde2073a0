"""The page's way to the service while somebody draws: the socket, its ends, and calls where there is none."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

SEVEN = [(0.28, 0.22), (0.72, 0.22), (0.45, 0.82)]  # in shares of the drawing area
ONE = [(0.5, 0.15), (0.49, 0.85)]
BLOCKED = "WebSocket = class { constructor() { throw new DOMException('blocked', 'SecurityError'); } }"


@pytest.fixture(scope="module")
def base(serve: Callable[..., str]) -> str:
    return serve("digit", "serve") + "/digit"


@pytest.fixture
def sockets(page: Page, base: str) -> list[WebSocketRoute]:
    """The sockets that the page opens, each joined with the service."""
    opened: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        opened.append(socket)
        socket.connect_to_server()

    page.route_web_socket(f"ws{base.removeprefix('http')}/ws", route)
    return opened


def draw(page: Page, stroke: list[tuple[float, float]]) -> None:
    box = page.locator("#digit-pad").bounding_box()
    assert box
    first, *others = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*first)
    page.mouse.down()
    for point in others:
        page.mouse.move(*point, steps=12)
    page.mouse.up()


def expect_digit(page: Page, digit: str) -> None:
    expect(page.locator("#digit-result")).to_have_attribute("data-state", "digit")
    expect(page.locator(".verdict-digit")).to_have_text(digit)


def expect_blank(page: Page) -> None:
    expect(page.locator("#digit-result")).to_have_attribute("data-state", "blank")


def until(page: Page, condition: Callable[[], bool]) -> None:
    """Lets the page's events arrive until the condition holds."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        page.wait_for_timeout(20)


def test_reads_by_call_where_sockets_are_blocked(page: Page, base: str) -> None:
    page.add_init_script(BLOCKED)
    page.goto(f"{base}/")
    expect(page.locator("#draw-line")).to_have_text("by stroke")
    draw(page, SEVEN)
    expect_digit(page, "7")
    expect(page.locator("#draw-facts")).not_to_contain_text("WebSocket")
    page.get_by_role("button", name="Clear").click()
    expect_blank(page)


def test_reads_on_after_the_service_restarts(page: Page, base: str, sockets: list[WebSocketRoute]) -> None:
    page.goto(f"{base}/")
    expect(page.locator("#draw-line")).to_have_text("live")
    draw(page, SEVEN)
    expect_digit(page, "7")
    sockets[0].close(code=1012, reason="the service restarts")
    expect(page.locator("#draw-line")).to_have_text("by stroke")
    page.get_by_role("button", name="Clear").click()
    draw(page, SEVEN)
    expect_digit(page, "7")
    expect(page.locator("#draw-line")).to_have_text("live")
    assert len(sockets) == 2


def test_rests_when_nobody_draws_and_wakes_with_a_stroke(page: Page, base: str, sockets: list[WebSocketRoute]) -> None:
    page.goto(f"{base}/")
    expect(page.locator("#draw-line")).to_have_text("live")
    sockets[0].close(code=1001, reason="no message in 300 s")
    expect(page.locator("#draw-line")).to_have_attribute("data-line", "resting")
    draw(page, SEVEN)
    expect_digit(page, "7")
    expect(page.locator("#draw-line")).to_have_text("live")


def test_has_one_frame_in_flight_and_asks_for_the_newest_next(page: Page, base: str) -> None:
    asked: list[dict[str, Any]] = []
    sockets: list[WebSocketRoute] = []

    def route(socket: WebSocketRoute) -> None:
        sockets.append(socket)
        socket.on_message(lambda message: asked.append(json.loads(message)))

    def answer(frame: dict[str, Any], prediction: int) -> None:
        shares = [float(digit == prediction) for digit in range(10)]
        told = {"prediction": prediction, "confidence": 1.0, "is_digit": True, "probabilities": shares, "model": "cnn"}
        sockets[0].send(json.dumps({**told, "box": [0, 0, 9, 9], "id": frame["id"]}))

    page.route_web_socket(f"ws{base.removeprefix('http')}/ws", route)
    page.goto(f"{base}/")
    expect(page.locator("#draw-line")).to_have_text("live")
    draw(page, SEVEN)
    until(page, lambda: len(asked) == 1)
    answer(asked[0], 4)
    expect_digit(page, "4")
    until(page, lambda: len(asked) == 2)
    assert asked[1]["image"] != asked[0]["image"]
    page.keyboard.press("Delete")
    answer(asked[1], 7)
    draw(page, ONE)
    until(page, lambda: len(asked) == 3)
    expect_blank(page)
    answer(asked[2], 1)
    expect_digit(page, "1")


def test_shows_what_is_wrong_and_tries_again(page: Page, base: str, refused: set[int]) -> None:
    refused.add(0)
    page.add_init_script(BLOCKED)
    page.goto(f"{base}/")
    expect(page.locator("#health [data-state=healthy]")).to_be_visible()
    page.context.set_offline(True)
    draw(page, SEVEN)
    expect(page.locator("#offline-bar")).to_be_visible()
    expect(page.locator("#draw-message [role=alert]")).to_contain_text("could not be reached")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, "7")
    expect(page.locator("#offline-bar")).to_be_hidden()
    expect(page.locator("#draw-message [role=alert]")).to_have_count(0)
