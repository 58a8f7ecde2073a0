import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx2
from starlette.testclient import TestClient

Png = Callable[..., bytes]
Zipped = Callable[..., bytes]
File = tuple[str, bytes]
CSV, NDJSON = {"Accept": "text/csv"}, {"Accept": "application/x-ndjson"}


def post(client: TestClient, *files: File, query: str = "", **options: Any) -> Any:
    return client.post(f"/predict_batch{query}", files=[("files", file) for file in files], **options)


def lines(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def hundred(png: Png) -> list[File]:
    return [(f"img_{i}_label_{i % 10}.png", png(i % 10, seed=i)) for i in range(100)]


def test_a_stream_has_a_line_for_each_picture_in_order_and_a_last_one(
    client: TestClient, png: Png, zipped: Zipped
) -> None:
    files = hundred(png)
    *told, last = lines(post(client, ("all.zip", zipped(*files)), headers=NDJSON))
    assert [line["name"] for line in told] == [name for name, _ in files]
    assert [line["prediction"] for line in told] == [i % 10 for i in range(100)]
    assert all(set(line) == {"name", "prediction", "confidence", "is_digit"} for line in told)
    assert last == {"done": True, "total": 100, "failed": 0}


def test_a_stream_tells_detail_where_it_is_asked_for(client: TestClient, png: Png) -> None:
    first, _ = lines(post(client, ("a.png", png(6)), query="?detail=true", headers=NDJSON))
    assert {"probabilities", "model", "box"} <= set(first)


def test_a_stream_that_has_begun_ends_with_the_error(client: TestClient, png: Png, zipped: Zipped) -> None:
    files = [*hundred(png), ("bad.png", b"text")]
    *told, last = lines(post(client, ("all.zip", zipped(*files)), headers=NDJSON))
    assert len(told) == 100
    assert last == {"done": False, "total": 100, "failed": 0, "error": "Zip contains non-image file: bad.png"}


def test_lines_come_while_the_rest_is_still_read(server: Any, png: Png, zipped: Zipped) -> None:
    data = png(3, 400)
    body = {"files": ("a.zip", zipped(*((f"{i}.png", data) for i in range(300))))}
    with httpx2.stream("POST", f"{server.url}/predict_batch", files=body, headers=NDJSON, timeout=60) as answer:
        arrivals = answer.iter_lines()
        assert json.loads(next(arrivals))["name"] == "0.png"
        assert images_read(server.url) < 300
        assert json.loads(list(arrivals)[-1]) == {"done": True, "total": 300, "failed": 0}


def test_a_client_that_goes_stops_the_work(server: Any, png: Png, zipped: Zipped) -> None:
    data = png(3, 400)
    before = images_read(server.url)
    body = {"files": ("a.zip", zipped(*((f"{i}.png", data) for i in range(1000))))}
    with httpx2.stream("POST", f"{server.url}/predict_batch", files=body, headers=NDJSON, timeout=60) as answer:
        next(answer.iter_lines())
    settled = asyncio.run(until_settled(server.url))
    assert 0 < settled - before < 1000


def images_read(url: str) -> float:
    text = httpx2.get(f"{url}/metrics").text
    found = [line for line in text.splitlines() if line.startswith("digit_images_total") and "/predict_batch" in line]
    return sum(float(line.rpartition(" ")[2]) for line in found)


async def until_settled(url: str) -> float:
    """Returns how many were read when no more are."""
    last, now = -1.0, images_read(url)
    while now != last:
        await asyncio.sleep(1)
        last, now = now, images_read(url)
    return now
