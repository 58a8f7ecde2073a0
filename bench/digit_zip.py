"""Pictures per second: 500 in one ZIP, against one by one over one connection, ours and FastAPI with torch."""

import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from http.client import HTTPConnection
from statistics import median

from bench import peers_digit, pictures_digit, servers
from bench.report import Row

NEEDS_PEERS = True
ROUNDS = 5
PICTURES = 500
PER_SECOND = 1000
TIMES = 10


def measure(pythons: Mapping[str, str]) -> Iterator[Row]:
    pngs = pictures_digit.made_pngs(PICTURES)
    with ExitStack() as stack:
        ours = stack.enter_context(servers.digit(rate_limit_per_s="1000000", rate_limit_burst="1000000"))
        torch = stack.enter_context(peers_digit.start("torch", pythons["torch"])) if "torch" in pythons else None
        peers = {"ours": ours, **({"torch": torch} if torch else {})}
        zipped = []
        single: dict[str, list[float]] = {name: [] for name in peers}
        for round_ in range(ROUNDS + 1):
            rate = PICTURES / _time_zip(ours, pngs)
            ones = {name: PICTURES / _time_one_by_one(server, pngs) for name, server in peers.items()}
            if round_:  # the first warms up
                zipped.append(rate)
                for name, one in ones.items():
                    single[name].append(one)
    yield from _rows(zipped, single)


def _time_zip(server: servers.Server, pngs: Sequence[bytes]) -> float:
    body, media_type = pictures_digit.form("files", "scans.zip", pictures_digit.zipped(list(pngs)))
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/predict_batch", body, {"Content-Type": media_type}, method="POST"
    )
    started = time.perf_counter()
    with urllib.request.urlopen(request, timeout=120) as answer:
        found = answer.read().count(b".png")
    seconds = time.perf_counter() - started
    if found != len(pngs):
        raise RuntimeError(f"{found} of {len(pngs)} pictures were answered")
    return seconds


def _time_one_by_one(server: servers.Server, pngs: Sequence[bytes]) -> float:
    forms = [pictures_digit.form("file", "x.png", png) for png in pngs]
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    started = time.perf_counter()
    for body, media_type in forms:
        connection.request("POST", "/predict", body, {"Content-Type": media_type})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"a picture was answered with {answer.status}")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


def _rows(zipped: Sequence[float], single: Mapping[str, Sequence[float]]) -> Iterator[Row]:
    rate = median(zipped)
    yield Row(f"pictures per second, ZIP of {PICTURES}", rate, f"at least {PER_SECOND}", rate >= PER_SECOND)
    for name, goal in (("ours", TIMES), ("torch", None)):
        what = f"ZIP of {PICTURES} / one by one, {name}"
        if name not in single:
            yield Row(what, None, f"skipped: no Python with {name}, give --{name}-python", None)
            continue
        ratio = median(many / one for many, one in zip(zipped, single[name], strict=True))
        yield Row(what, ratio, f"at least {goal}" if goal else "for comparison", ratio >= goal if goal else None)
