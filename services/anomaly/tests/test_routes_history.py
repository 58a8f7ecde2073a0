import csv
import io
import json
import threading
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

import httpx2 as httpx
import pytest
import uvicorn
from anomaly.app import create_app
from anomaly.settings import Settings
from starlette.testclient import TestClient


def put(client: Any, count: int) -> None:
    rows = [[float(i), 0.0] for i in range(count)]
    times = [f"2026-01-01T00:00:{i:02}Z" for i in range(count)]
    assert client.post("/assets/press/batch", json={"rows": rows, "timestamps": times}).status_code == 200


def test_history_is_newest_first_and_goes_on(client: TestClient) -> None:
    put(client, 5)
    first = client.get("/assets/press/history?limit=3").json()
    rest = client.get("/assets/press/history", params={"limit": 3, "cursor": first["next_cursor"]}).json()
    assert [item["values"][0] for item in [*first["items"], *rest["items"]]] == [4, 3, 2, 1, 0]
    assert rest["next_cursor"] is None
    item = first["items"][0]
    assert item["timestamp"] == "2026-01-01T00:00:04.000Z"
    assert set(item) == {
        "timestamp", "received_at", "values", "score", "threshold", "status", "reason", "quality", "fate",
        "model_version",
    }  # fmt: skip


def test_history_is_selected_by_time_and_status(client: TestClient) -> None:
    put(client, 6)

    def times(**query: str) -> list[str]:
        items = client.get("/assets/press/history", params=query).json()["items"]
        return [item["timestamp"][17:19] for item in items]

    assert times(status="anomaly") == ["05", "04"]
    assert times(**{"from": "2026-01-01T00:00:01Z", "to": "2026-01-01T01:00:03+01:00"}) == ["03", "02", "01"]
    assert times(**{"from": "1767225605000"}) == ["05"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "from=",
        "limit=1001",
        "limit=x",
        "cursor=x",
        "cursor=%00",
        "status=odd",
        "from=today",
        "to=2026-01-01",
    ],
)
def test_a_query_that_makes_no_sense_is_refused(client: TestClient, query: str) -> None:
    response = client.get(f"/assets/press/history?{query}")
    assert (response.status_code, response.json()["type"]) == (422, "urn:lineside:problem:invalid-input")


def test_history_of_an_unknown_asset_is_404(client: TestClient) -> None:
    for path in ("history", "stream"):
        assert client.get(f"/assets/nowhere/{path}").status_code == 404


def test_history_as_csv_is_oldest_first(client: TestClient) -> None:
    put(client, 5)
    response = client.get("/assets/press/history", headers={"Accept": "text/csv"})
    assert response.headers["content-type"].startswith("text/csv")
    assert response.headers["content-disposition"] == 'attachment; filename="press.csv"'
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [row["a"] for row in rows] == ["0.0", "1.0", "2.0", "3.0", "4.0"]
    assert client.get("/assets/press/history?limit=2", headers={"Accept": "text/csv"}).text.count("\r\n") == 3


@pytest.mark.parametrize("value", ["x", "-1", "", "9" * 20, "\uff11"])
def test_an_id_that_is_none_is_refused(client: TestClient, value: str) -> None:
    headers = {b"Last-Event-ID": value.encode()}
    assert client.get("/assets/press/stream", headers=headers).status_code == 422


@pytest.fixture
def server(client: TestClient) -> Iterator[tuple[str, uvicorn.Server]]:
    """The same database behind a real server, because a test client cannot read an answer that never ends."""
    url = str(client.app.state.services.settings.database_url)  # type: ignore[attr-defined]
    options: dict[str, Any] = {"database_url": url, "access_log": False}
    app = create_app(Settings(**options))
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
    server.drain = app.state.drain  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", server
    server.should_exit = True
    thread.join()


def test_a_stream_tells_of_readings_until_the_process_drains(server: tuple[str, Any]) -> None:
    url, process = server
    with httpx.Client(base_url=url, timeout=20) as client, client.stream("GET", "/assets/press/stream") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "retry: 2000"
        client.post("/assets/press", json={"values": [3, 4]})
        found = list(islice(filter(None, lines), 3))
        assert found[0].startswith("id: ")
        assert found[1] == "event: reading"
        assert json.loads(found[2].removeprefix("data: "))["score"] == 5
        process.servers[0].get_loop().call_soon_threadsafe(process.drain.start)
        assert list(lines)[-1:] in ([], [""])
