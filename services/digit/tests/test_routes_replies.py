import asyncio
from typing import Any

import msgspec
import pytest
from digit.commands.rows import Row
from digit.postprocess import Reading
from digit.routes import replies
from digit.routes.replies import Csv, Json, Lines
from starlette.requests import ClientDisconnect

READING = Reading(7, 0.91, [0.01] * 7 + [0.91, 0.01, 0.01], True, "cnn", (1, 2, 3, 4))
ROWS = [Row("a.png", READING), Row("b.png", error="it is text")]


@pytest.mark.parametrize("detail", [False, True])
def test_json_has_errors_only_where_pictures_may_fail(detail: bool) -> None:
    strict, lax = Json(detail=detail, errors=False), Json(detail=detail, errors=True)
    strict.add(ROWS[0])
    for row in ROWS:
        lax.add(row)
    told = msgspec.json.decode(lax.body())
    assert told["errors"] == {"b.png": "it is text"}
    assert msgspec.json.decode(strict.body()) == {"predictions": told["predictions"]}
    assert (told["predictions"]["a.png"]["box"] == [1, 2, 3, 4]) if detail else (told["predictions"] == {"a.png": 7})


def test_csv_has_a_line_for_each_picture() -> None:
    answer = Csv(detail=False)
    for row in ROWS:
        answer.add(row)
    assert answer.body().decode().splitlines()[1:] == ["a.png,7,0.91,true,cnn,", "b.png,,,,,it is text"]


def test_lines_begin_with_their_head_and_come_as_they_are_written() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def scenario() -> None:
        lines = Lines(send)
        assert not lines.begun
        await lines.write([{"a": 1}, {"b": 2}])
        await lines.write([{"c": 3}])
        await lines.end()

    asyncio.run(scenario())
    assert sent[0]["status"] == 200
    assert [message["body"] for message in sent[1:]] == [b'{"a":1}\n{"b":2}\n', b'{"c":3}\n', b""]
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, False]


def test_a_client_that_takes_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.Event().wait()

    monkeypatch.setattr(replies, "STALL_S", 0.01)
    with pytest.raises(ClientDisconnect):
        asyncio.run(Lines(send).write([{"a": 1}]))
