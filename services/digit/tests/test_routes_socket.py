"""Pictures over a WebSocket: every kind of frame, good and bad, on one socket that stays open."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import hostile
import pytest
from digit.app import create_app
from digit.settings import Settings
from starlette.testclient import TestClient, WebSocketTestSession

SEVEN = hostile.jpeg(hostile.seven())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(Settings(access_log=False))) as client:
        yield client


@pytest.fixture
def socket(client: TestClient) -> Iterator[WebSocketTestSession]:
    """Yields an open socket, which must still answer at the end."""
    with client.websocket_connect("/digit/ws") as socket:
        yield socket
        assert ask(socket, SEVEN)["prediction"] == 7


def encoded(picture: bytes) -> str:
    return base64.b64encode(picture).decode()


def ask(socket: WebSocketTestSession, frame: str | bytes | dict[str, Any]) -> dict[str, Any]:
    if isinstance(frame, bytes):
        socket.send_bytes(frame)
    else:
        socket.send_text(frame if isinstance(frame, str) else json.dumps(frame))
    answer: dict[str, Any] = json.loads(socket.receive_text())
    return answer


@pytest.mark.parametrize(
    "frame",
    [
        encoded(SEVEN),
        base64.encodebytes(SEVEN).decode(),  # with line breaks
        "data:image/jpeg;base64," + encoded(SEVEN),
        SEVEN,
        {"image": encoded(SEVEN)},
        {"image": "data:image/png;base64," + encoded(SEVEN), "model": "cnn"},
    ],
    ids=["base64", "base64 in lines", "data URL", "binary", "JSON", "JSON with a model"],
)
def test_reads_a_picture_however_it_is_framed(socket: WebSocketTestSession, frame: Any) -> None:
    answer = ask(socket, frame)
    assert set(answer) == {"prediction", "confidence", "is_digit"}
    assert (answer["prediction"], answer["is_digit"]) == (7, True)
    assert 0.5 < answer["confidence"] <= 1


@pytest.mark.parametrize("identity", ["a1", 17, 0, ""])
def test_echoes_the_id(socket: WebSocketTestSession, identity: str | int) -> None:
    assert ask(socket, {"image": encoded(SEVEN), "id": identity})["id"] == identity
    bad = ask(socket, {"image": "?", "id": identity})
    assert bad["id"] == identity
    assert "base64" in bad["error"]


def test_detail_tells_all_probabilities_and_the_place(socket: WebSocketTestSession) -> None:
    answer = ask(socket, {"image": encoded(SEVEN), "detail": True, "model": "ensemble"})
    assert len(answer["probabilities"]) == 10
    assert answer["model"] == "ensemble"
    assert len(answer["box"]) == 4


def test_the_handshake_can_choose_the_model_of_all_frames(client: TestClient) -> None:
    with client.websocket_connect("/ws?model=cnn") as socket:
        assert ask(socket, {"image": encoded(SEVEN), "detail": True})["model"] == "cnn"
        assert ask(socket, {"image": encoded(SEVEN), "detail": True, "model": "ensemble"})["model"] == "ensemble"


def test_an_empty_canvas_is_no_digit_and_no_error(socket: WebSocketTestSession) -> None:
    blank = hostile.blank(64, 64)
    assert ask(socket, {"image": encoded(blank), "id": "b"}) == {
        "prediction": None,
        "confidence": 0.0,
        "is_digit": False,
        "id": "b",
    }


BAD: dict[str, tuple[Any, str]] = {
    "no base64": ("hello, world!", "neither base64 nor a data URL"),
    "letters beyond ASCII": ("héllo", "not base64"),
    "a URL": ("https://example.com/seven.png", "not base64"),
    "another data URL": ("data:text/plain,seven", "neither base64 nor a data URL"),
    "text as a picture": (encoded(b"seven"), "File is not an image"),
    "bytes of no picture": (b"seven", "File is not an image"),
    "nothing": (b"", "File is not an image"),
    "an empty text": ("", "File is not an image"),
    "broken JSON": ('{"image":', "not JSON"),
    "no image": ({"id": 1}, "image"),
    "an unknown field": ({"image": "", "pen": 3}, "pen"),
    "a repeated key": ('{"image":"a","image":"b"}', "repeated"),
    "a model that is not there": ({"image": encoded(SEVEN), "model": "svm"}, "there is no model 'svm'"),
    "a truncated picture": (SEVEN[:100], "File is not an image"),
    "too many pixels": (hostile.claims(20_000, 20_000), "400.0 million pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_frame_is_answered_and_the_socket_stays(socket: WebSocketTestSession, name: str) -> None:
    frame, expected = BAD[name]
    answer = ask(socket, frame)
    assert set(answer) == {"error"}
    assert expected in answer["error"]
    assert len(answer["error"]) < 500


def test_frames_are_answered_in_their_order(socket: WebSocketTestSession) -> None:
    for number in range(20):
        picture = "?" if number % 3 == 0 else encoded(SEVEN)
        socket.send_text(json.dumps({"image": picture, "id": number}))
    answers = [json.loads(socket.receive_text()) for _ in range(20)]
    assert [answer["id"] for answer in answers] == list(range(20))
    assert ["error" in answer for answer in answers] == [number % 3 == 0 for number in range(20)]


@pytest.mark.parametrize(("query", "slug"), [("model=svm", "unknown-model"), ("modell=cnn", "invalid-input")])
def test_a_handshake_that_asks_for_what_is_not_there_is_refused(client: TestClient, query: str, slug: str) -> None:
    from starlette.testclient import WebSocketDenialResponse

    with pytest.raises(WebSocketDenialResponse) as caught, client.websocket_connect(f"/ws?{query}"):
        pass
    assert caught.value.status_code == 422
    assert caught.value.json()["type"] == f"urn:lineside:problem:{slug}"


def test_sockets_are_counted_like_every_reading(client: TestClient) -> None:
    with client.websocket_connect("/ws?model=cnn") as socket:
        before = counted(client)
        ask(socket, SEVEN)
        assert counted(client) == before + 1


def counted(client: TestClient) -> float:
    name = 'digit_images_total{model="cnn",route="/ws"'
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))
