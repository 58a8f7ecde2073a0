"""The ocr service over HTTP: requests per second against `rapidocr_api`, and what memory does over 2,000 requests."""

import http.client
import json
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from bench import load, peers_ocr, pictures_ocr, servers
from bench.peers_ocr import Pythons
from bench.pictures_digit import form
from bench.report import Row

NEEDS_DATA = True
NEEDS_RAPIDOCR = True
CLIENTS = 4
ROUNDS = 3
EACH = 8  # requests of a picture in a round
TIMES = 2
FIRST, SECOND, MOST_MB, MOST_GROWTH_MB = 1000, 1000, 600, 15
SOME = ("receipts", "signs", "labels", "lines", "plates", "words")

# The access log stays on: the peer has its own.
UNLIMITED = {"rate_limit_per_s": "1000000", "rate_limit_burst": "1000000"}


@dataclass(frozen=True)
class Kind:
    """A request, how many of it are sent in a row, and the status of its answer."""

    path: str
    body: bytes
    media_type: str
    count: int
    status: int = 200


def measure(data: str, pythons: Pythons) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        yield from _throughput(data, Path(folder), pythons)
        yield from _memory(data, Path(folder))


def _throughput(data: str, folder: Path, pythons: Pythons) -> Iterator[Row]:
    paths = [sample.path for group, sample in pictures_ocr.of_each_group(data).items() if group in SOME]
    with ExitStack() as stack:
        running = {"ours": stack.enter_context(servers.ocr(folder, **UNLIMITED))}
        if pythons.rapidocr_api:
            running["rapidocr_api"] = stack.enter_context(peers_ocr.start(pythons.rapidocr_api))
        rates = _rates(running, paths)
    for name, each in rates.items():
        yield Row(f"requests per second, {CLIENTS} clients, {name}", median(each), "for the record", None)
    what = f"requests per second, {CLIENTS} clients, ours / rapidocr_api"
    if "rapidocr_api" not in rates:
        yield Row(what, None, "skipped: no Python with rapidocr_api, give --rapidocr-python", None)
        return
    ratio = median(own / other for own, other in zip(rates["ours"], rates["rapidocr_api"], strict=True))
    yield Row(what, ratio, f"at least {TIMES}", ratio >= TIMES)


def _rates(running: Mapping[str, servers.Server], paths: list[Path]) -> dict[str, list[float]]:
    """Returns the requests per second of each server, for each round; the servers take turns picture by picture."""
    calls = {"ours": ("/upload", "file"), "rapidocr_api": ("/ocr", "image_file")}
    rates: dict[str, list[float]] = {name: [] for name in running}
    for round_ in range(ROUNDS + 1):
        seconds = dict.fromkeys(running, 0.0)
        for path in paths:
            for name, server in running.items():
                seconds[name] += _seconds(server, *calls[name], path, EACH if round_ else CLIENTS)
        if round_:  # the first warms up
            for name, each in seconds.items():
                rates[name].append(EACH * len(paths) / each)
    return rates


def _seconds(server: servers.Server, call: str, field: str, path: Path, requests: int) -> float:
    body, media_type = pictures_ocr.form(field, path)
    done = load.run(server.port, load.request_bytes(call, body, media_type, {}), connections=CLIENTS, requests=requests)
    if done.failed:
        raise RuntimeError(f"{done.failed} of {done.requests} requests for {path.name} failed")
    return done.seconds


def _memory(data: str, folder: Path) -> Iterator[Row]:
    kinds = _mixed(data)
    with servers.ocr(folder, **UNLIMITED) as server:
        idle = server.family_mb()
        _send(server, kinds, FIRST)
        first = server.family_mb()
        _send(server, kinds, SECOND)
        second = server.family_mb()
    yield Row("resident MB when ready, with its processes", idle, "for the record", None)
    what = f"resident MB after {FIRST + SECOND:,} mixed requests"
    yield Row(what, second, f"at most {MOST_MB}", second <= MOST_MB)
    grown = second - first
    yield Row("MB grown in the second thousand", grown, f"at most {MOST_GROWTH_MB}", grown <= MOST_GROWTH_MB)


def _mixed(data: str) -> list[Kind]:
    """Returns what is sent over and over: 100 requests, of which 6 are refused."""
    smallest = {group: sample.path for group, sample in pictures_ocr.of_each_group(data).items()}
    pdf = (pictures_ocr.folder_of(data) / "pdf" / "digital_latex4.pdf").read_bytes()
    return [
        *(
            Kind("/upload", *_file(smallest[group]), count)
            for group, count in (("plates", 28), ("words", 28), ("lines", 12))
        ),
        Kind("/upload?format=hocr", *_file(smallest["signs"]), 2),
        Kind("/upload?format=pdf", *_file(smallest["receipts"]), 2),
        Kind("/v1/ocr", pictures_ocr.json_body(smallest["words"]), "application/json", 12),
        Kind("/upload_pdf", *form("file", "a.pdf", pdf), 10),
        Kind("/v1/ocr", json.dumps({"image": "no base64"}).encode(), "application/json", 2, status=422),
        Kind("/upload", *form("file", "a.png", b"\x89PNG\r\n\x1a\n" + bytes(9_000)), 2, status=422),
        Kind("/upload_pdf", *form("file", "a.pdf", b"%PDF-1.7\n" + b"broken " * 999), 2, status=422),
    ]


def _file(path: Path) -> tuple[bytes, str]:
    return pictures_ocr.form("file", path)


def _send(server: servers.Server, kinds: list[Kind], requests: int) -> None:
    sequence = [kind for kind in kinds for _ in range(kind.count)]
    rounds = requests // len(sequence)
    with ThreadPoolExecutor(CLIENTS) as clients:
        for status, kind in clients.map(partial(_status, server), sequence * rounds):
            if status != kind.status:
                raise RuntimeError(f"{kind.path} answered {status} instead of {kind.status}")


def _status(server: servers.Server, kind: Kind) -> tuple[int, Kind]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    connection.request("POST", kind.path, kind.body, {"Content-Type": kind.media_type})
    response = connection.getresponse()
    response.read()
    connection.close()
    return response.status, kind
