"""CPU of a recognition, the whole request, against decoding the same picture and running the same networks bare.

Three sizes of one photograph by `POST /recognize`, and one of them uploaded and then recognised. The service's threads
are all counted; the rounds of service and peer take turns, one request at a time. What the peer does is told in
`bench/peers_cars.py`.
"""

import itertools
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench import load, pictures_cars, servers
from bench.peers_cars import Peer
from bench.pictures_digit import form
from bench.report import Row

NEEDS_DATA = True
ROUNDS = 5
REQUESTS = 40  # of a round
MOST = 1.3
STORED = "1280 × 960"  # the one that is uploaded too

Costs = dict[str, list[float]]  # milliseconds, by who and what


def measure(data: str) -> Iterator[Row]:
    peer = Peer()
    pictures = pictures_cars.sizes(_seen(data, peer))
    costs: Costs = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder, servers.cars(Path(folder)) as server:
        numbers = itertools.count()
        for round_ in range(ROUNDS + 1):
            for name, cost in _round(server, peer, pictures, numbers):
                if round_:  # the first warms up
                    costs[name].append(cost)
    for name in pictures:
        yield from _rows(f"CPU per /recognize, {name}", costs[name], name, costs)
    yield from _rows(f"CPU per upload and inference, {STORED}", costs["stored"], STORED, costs)


def _seen(data: str, peer: Peer) -> Path:
    """Returns the first photograph in which a car is seen, so that both networks are asked, at each size."""
    for path in pictures_cars.photographs(data):
        try:
            for picture in pictures_cars.sizes(path).values():
                peer.runs(picture)
        except RuntimeError:
            continue
        return path
    raise RuntimeError("there is no photograph of a car in the folder")


def _round(
    server: servers.Server, peer: Peer, pictures: dict[str, bytes], numbers: Iterator[int]
) -> Iterator[tuple[str, float]]:
    for name, picture in pictures.items():
        body, media_type = form("file", "car.jpg", picture)
        yield name, _cpu_ms(server, [load.request_bytes("/recognize", body, media_type, {})] * REQUESTS)
        yield f"full {name}", peer.cpu_ms(picture, draft=False, times=REQUESTS)
        yield f"draft {name}", peer.cpu_ms(picture, draft=True, times=REQUESTS)
    yield "stored", _cpu_ms(server, _stored(pictures[STORED], numbers)) * 2


def _stored(picture: bytes, numbers: Iterator[int]) -> list[bytes]:
    """Returns an upload of a picture that has not been there, and its recognition, over and over."""
    requests = []
    for number in itertools.islice(numbers, REQUESTS // 2):
        body, media_type = form("file", "car.jpg", pictures_cars.unlike(picture, number))
        requests.append(load.request_bytes("/upload/", body, media_type, {}))
        requests.append(load.request_bytes(f"/inference/{number + 1}", b"", "application/json", {}))
    return requests


def _cpu_ms(server: servers.Server, requests: list[bytes]) -> float:
    """Returns the CPU of each request."""
    before = server.cpu_s()
    done = load.run_each(server.port, requests, connections=1)
    if done.failed:
        raise RuntimeError(f"{done.failed} of {done.requests} requests failed")
    return 1000 * (server.cpu_s() - before) / done.requests


def _rows(what: str, ours: list[float], name: str, costs: Costs) -> Iterator[Row]:
    for how, told in (("full", "decoded in full"), ("draft", "decoded reduced")):
        ratio = median(own / other for own, other in zip(ours, costs[f"{how} {name}"], strict=True))
        goal = f"at most {MOST}" if how == "full" else f"for comparison; wanted {MOST}"
        yield Row(f"{what} / peer {told}", ratio, goal, ratio <= MOST)
    yield Row(f"{what}, ms", median(ours), "for the record", None)
