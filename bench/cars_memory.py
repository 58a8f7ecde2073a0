"""Resident memory of the cars service alone after mixed requests, with those processes that it has started.

Over and over: uploads, recognitions of what is stored and of what is not, thumbnails, pictures, lists, statistics, the
report, CSV and XLSX, on an archive of several thousand files.
"""

import http.client
import itertools
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import pictures_cars, rows_cars, servers
from bench.pictures_digit import form
from bench.report import Row

NEEDS_DATA = True
FILES = 5_000
ROUNDS = 20
CLIENTS = 4
MOST_MB, MOST_GROWTH_MB = 250, 10
SIZES = ("300 px, from the web",) * 6 + ("1280 × 960",) * 6 + ("4000 × 3000, a phone's",)  # of a round's uploads
READS = ("/files/?limit=200", "/files/?q=sedan", "/visualization/stats", "/", "/docs", "/openapi.json", "/metrics")
EXPORTS = ("/visualization/report", "/visualization/export/csv", "/visualization/export/xlsx")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    body: bytes = b""
    media_type: str = "application/json"


def measure(data: str) -> Iterator[Row]:
    pictures = pictures_cars.sizes(pictures_cars.photographs(data)[0])
    with tempfile.TemporaryDirectory() as folder:
        rows_cars.fill(f"sqlite:///{folder}/cars.db", FILES)
        with servers.cars(Path(folder)) as server:
            idle, after = server.family_mb(), []
            numbers = itertools.count(1)
            for _ in range(ROUNDS):
                _round(server, pictures, list(itertools.islice(numbers, len(SIZES))))
                after.append(server.family_mb())
    sent = ROUNDS * (len(SIZES) * 5 + len(READS) + len(EXPORTS))
    half = after[ROUNDS // 2 - 1]
    yield Row("resident MB when ready", idle, "for the record", None)
    yield Row(f"resident MB after {sent:,} mixed requests", after[-1], f"at most {MOST_MB}", after[-1] <= MOST_MB)
    yield Row("resident MB, the most after a round", max(after), f"at most {MOST_MB}", max(after) <= MOST_MB)
    grown = after[-1] - half
    yield Row("MB grown in the second half", grown, f"at most {MOST_GROWTH_MB}", grown <= MOST_GROWTH_MB)


def _round(server: servers.Server, pictures: dict[str, bytes], numbers: list[int]) -> None:
    uploads, recognitions = [], []
    for number, size in zip(numbers, SIZES, strict=True):
        body, media_type = form("file", f"{number}.jpg", pictures_cars.unlike(pictures[size], number))
        uploads.append(Request("POST", "/upload/", body, media_type))
        recognitions.append(Request("POST", "/recognize", body, media_type))
    stored = [FILES + number for number in numbers]
    steps = (
        uploads,
        [Request("POST", f"/inference/{file_id}") for file_id in stored] + recognitions,
        [Request("GET", f"/files/{file_id}/{what}") for file_id in stored for what in ("thumbnail", "image")],
        [Request("GET", path) for path in READS],
        [Request("GET", path) for path in EXPORTS],
    )
    with ThreadPoolExecutor(CLIENTS) as clients:
        for requests in steps:
            list(clients.map(partial(_send, server), requests))


def _send(server: servers.Server, request: Request) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)
    headers = {"Content-Type": request.media_type} if request.method == "POST" else {}
    connection.request(request.method, request.path, request.body, headers)
    answer = connection.getresponse()
    told = answer.read()
    connection.close()
    if answer.status not in (200, 201):
        raise RuntimeError(f"{request.path} answered {answer.status}: {told[:300]!r}")
