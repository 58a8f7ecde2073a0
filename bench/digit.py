"""Server CPU and p50 of `POST /predict`, a PNG of 28 × 28 pixels, the whole request, against the seeds' stacks."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median

from bench import load, peers_digit, pictures_digit, servers
from bench.report import Row

NEEDS_PEERS = True
ROUNDS = 5
CONNECTIONS = 8
REQUESTS = {"ours": 2000, "torch": 1000, "keras": 100}  # of a round; Keras takes tens of milliseconds for one
MODELS = {"torch": "cnn_transformer", "keras": "cnn"}
GOALS = {"torch": 1 / 3, "keras": 1 / 10}
P50_MS = 2.0


@dataclass(frozen=True)
class Cost:
    """Of one request: the server's CPU with CONNECTIONS at once, and how long a client alone waits for half of them."""

    cpu_ms: float
    p50_ms: float


def measure(pythons: Mapping[str, str]) -> Iterator[Row]:
    for peer, model in MODELS.items():
        with ExitStack() as stack:
            running = {"ours": stack.enter_context(servers.digit(model=model, **UNLIMITED))}
            if peer in pythons:
                running[peer] = stack.enter_context(peers_digit.start(peer, pythons[peer]))
            yield from _rows(peer, model, _costs(running))


# The access log stays on: the peers have theirs.
UNLIMITED = {"rate_limit_per_s": "1000000", "rate_limit_burst": "1000000"}


def _costs(running: Mapping[str, servers.Server]) -> dict[str, list[Cost]]:
    """Returns what a request costs each server, for each round; the servers take turns within a round."""
    body, media_type = pictures_digit.form("file", "7.png", pictures_digit.made_pngs(8)[7])
    request = load.request_bytes("/predict", body, media_type, {})
    costs: dict[str, list[Cost]] = {name: [] for name in running}
    for round_ in range(ROUNDS + 1):
        for name, server in running.items():
            cost = _cost(name, server, request)
            if round_:  # the first warms up
                costs[name].append(cost)
    return costs


def _cost(name: str, server: servers.Server, request: bytes) -> Cost:
    before = server.cpu_s()
    crowd = load.run(server.port, request, connections=CONNECTIONS, requests=REQUESTS[name])
    cpu_s = (server.cpu_s() - before) / crowd.requests
    alone = load.run(server.port, request, connections=1, requests=REQUESTS[name] // 4)
    if crowd.failed or alone.failed:
        raise RuntimeError(f"{crowd.failed + alone.failed} requests to {name} failed")
    return Cost(1000 * cpu_s, 1000 * alone.percentile(50))


def _rows(peer: str, model: str, costs: Mapping[str, list[Cost]]) -> Iterator[Row]:
    what, ours = f"CPU per /predict, {model}, ours / {peer}", costs["ours"]
    theirs = costs.get(peer)
    if theirs:
        ratio = median(own.cpu_ms / other.cpu_ms for own, other in zip(ours, theirs, strict=True))
        yield Row(what, ratio, f"at most {GOALS[peer]:.3f}", ratio <= GOALS[peer])
    else:
        yield Row(what, None, f"skipped: no Python with {peer}, give --{peer}-python", None)
    p50_ms = median(cost.p50_ms for cost in ours)
    yield Row(f"p50 of /predict in ms, one client, {model}", p50_ms, f"at most {P50_MS}", p50_ms <= P50_MS)
    if theirs:
        yield Row(f"the same of {peer}", median(cost.p50_ms for cost in theirs), "for comparison", None)
