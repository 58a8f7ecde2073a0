"""Every answer that a remote can give, over the wire, and where the token goes: nowhere else."""

import asyncio
import gzip
import json
import logging
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import hub
import pytest
from cars.backends.hub_client import MAX_ANSWER_BYTES
from cars.problems import BackendAnswerInvalid, BackendMisconfigured, BackendRefused, BackendTimeout, BackendUnavailable
from hub import CARS, Answer, Hub
from hub_asked import GOOD, SECRET, asked, failed, made, using
from servicekit.logs import TALKATIVE
from servicekit.problems import Problem


@pytest.fixture(autouse=True)
def without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_API_TOKEN", "CARS_HF_API_TOKEN", "CARS_HF_TOKEN_FILE", "CARS_HF_ENDPOINT", "CARS_HF_MODEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("HF_API_TOKEN", SECRET)
    return SECRET


ERROR = {"error": "something"}
BOMB = gzip.compress(b" " * 20_000_000)  # 20 kB
FATES: list[tuple[str, Answer, type[Problem], str]] = [
    ("200 with an error", hub.says(ERROR), BackendAnswerInvalid, "200 with an error: 'something'"),
    ("200 with another shape", hub.says({"predictions": []}), BackendAnswerInvalid, "no list"),
    ("200 with NaN", hub.says([{"label": "a", "score": float("nan")}]), BackendAnswerInvalid, "no list"),
    ("200 with a negative score", hub.says([{"label": "a", "score": -0.5}]), BackendAnswerInvalid, "score -0.5"),
    ("200 with a logit", hub.says([{"label": "a", "score": 9.5}]), BackendAnswerInvalid, "score 9.5"),
    (
        "200 with a long label",
        hub.says([{"label": "x" * 10_000, "score": 1}]),
        BackendAnswerInvalid,
        "10000 characters",
    ),
    ("200 with JSON cut short", hub.reply(200, json.dumps(CARS)[:-9]), BackendAnswerInvalid, "no list"),
    ("200 in HTML", hub.html(200), BackendAnswerInvalid, "no list"),
    ("200 compressed", hub.reply(200, BOMB, "Content-Encoding: gzip"), BackendAnswerInvalid, "compressed"),
    ("204", hub.reply(204), BackendAnswerInvalid, "it answered 204"),
    ("100 MB", hub.flood, BackendAnswerInvalid, f"more than {MAX_ANSWER_BYTES} bytes"),
    ("307", hub.reply(307, "", "Location: http://localhost:1/"), BackendMisconfigured, "not followed"),
    ("400", hub.says(ERROR, 400), BackendRefused, "it answered 400 'something'"),
    ("401", hub.says(ERROR, 401), BackendMisconfigured, "does not accept the token"),
    ("402", hub.says(ERROR, 402), BackendMisconfigured, "no credit left"),
    ("403", hub.says(ERROR, 403), BackendMisconfigured, "may not use the model"),
    ("404 in plain text", hub.plain(404, "Not Found"), BackendMisconfigured, "it answered 404 'Not Found'"),
    ("410", hub.says(ERROR, 410), BackendMisconfigured, "no longer serves"),
    ("413", hub.html(413), BackendRefused, "it answered 413"),
    ("422", hub.says({"error": ["bad"]}, 422), BackendRefused, "it answered 422 'bad'"),
    ("429", hub.reply(429), BackendUnavailable, "it answered 429"),
    ("500", hub.says(ERROR, 500), BackendUnavailable, "it answered 500 'something'"),
    ("502 in HTML", hub.html(502), BackendUnavailable, "it answered 502"),
    ("503", hub.reply(503), BackendUnavailable, "it answered 503"),
    ("504 in HTML", hub.html(504), BackendTimeout, "it answered 504"),
    ("a reset", hub.reset, BackendUnavailable, "broke"),
    ("a body cut short", hub.cut, BackendUnavailable, "broke off"),
    ("no HTTP", hub.raw(b"SSH-2.0-OpenSSH\r\n\r\n"), BackendUnavailable, "no HTTP"),
    ("a head without end", hub.raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 3_000_000), BackendUnavailable, "no HTTP"),
]


@pytest.mark.parametrize(("answer", "problem", "detail"), [each[1:] for each in FATES], ids=[each[0] for each in FATES])
def test_each_answer_becomes_one_clear_problem(answer: Answer, problem: type[Problem], detail: str) -> None:
    with Hub([answer]) as remote:
        backend = made(remote.url, hf_model="kim/cars")
        told = failed(backend)
    assert type(told) is problem
    assert told.status == (503 if problem is BackendUnavailable else 424)
    assert told.detail.startswith("the remote model 'kim/cars' gave no answer: ")
    assert detail in told.detail
    assert len(told.detail) < 300
    assert "<" not in told.detail
    assert ("Retry-After" in (told.headers or {})) is (problem is BackendUnavailable)
    assert backend.counts.pictures == {problem.slug: 1}
    assert backend.counts.in_flight == 0


def test_a_huge_answer_is_not_read_to_its_end() -> None:
    sent = 0

    def flood(talking: socket.socket, _ended: threading.Event) -> None:
        nonlocal sent
        talking.settimeout(10)
        talking.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        while sent < 100_000_000:
            talking.sendall(b" " * 100_000)
            sent += 100_000

    with Hub([flood]) as remote:
        failed(made(remote.url))
        assert remote.gone.wait(10)
    assert sent < 50_000_000


PASSING = [("429", hub.reply(429)), ("500", hub.reply(500)), ("502", hub.html(502)), ("503", hub.reply(503)),
           ("504", hub.html(504)), ("a reset", hub.reset), ("a body cut short", hub.cut)]  # fmt: skip
LASTING = [each for each in FATES if not issubclass(each[2], BackendUnavailable | BackendTimeout)]


@pytest.mark.parametrize("answer", [each[1] for each in PASSING], ids=[each[0] for each in PASSING])
def test_what_may_pass_is_tried_again(answer: Answer) -> None:
    with Hub([answer, answer, GOOD]) as remote:
        backend = made(remote.url, retries=2)
        assert using(backend, asked).recognized
    assert len(remote.requests) == backend.counts.attempts == 3
    assert backend.counts.pictures == {"ok": 1}


@pytest.mark.parametrize("answer", [each[1] for each in LASTING], ids=[each[0] for each in LASTING])
def test_what_will_not_pass_is_not_tried_again(answer: Answer) -> None:
    with Hub([answer]) as remote:
        failed(made(remote.url, retries=3))
    assert len(remote.requests) == 1


@pytest.mark.parametrize(
    ("answer", "retry_after"),
    [
        (hub.reply(429, "", "Retry-After: 40"), "40"),
        (hub.reply(429, "", "Retry-After: Fri, 31 Dec 9999 23:59:59 GMT"), "3600"),
        (hub.reply(429, "", 'RateLimit: "api";r=0;t=55'), "55"),
        (hub.says({"error": "Model kim/cars is currently loading", "estimated_time": 61.2}, 503), "62"),
    ],
)
def test_who_must_wait_longer_than_the_budget_is_told_for_how_long(answer: Answer, retry_after: str) -> None:
    with Hub([answer]) as remote:
        told = failed(made(remote.url, retries=3, within_s=10.0))
    assert told.headers == {"Retry-After": retry_after}
    assert len(remote.requests) == 1


def test_a_short_time_that_the_remote_asks_for_is_waited(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def recorded(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    monkeypatch.setattr("cars.backends.hub_retry.asyncio.sleep", recorded)
    loading = hub.says({"error": "loading", "estimated_time": 6}, 503)
    with Hub([hub.reply(429, "", "Retry-After: 2"), loading, GOOD]) as remote:
        using(made(remote.url, retries=3), asked)
    assert [int(seconds) for seconds in pauses] == [2, 6]


@pytest.mark.parametrize("answer", [hub.hang, hub.drip], ids=["a hang", "a slow body"])
def test_what_takes_too_long_ends_with_the_budget(answer: Answer) -> None:
    with Hub([answer]) as remote:
        backend = made(remote.url, retries=3, within_s=0.5)
        told = failed(backend)
        assert remote.gone.wait(10)
    assert type(told) is BackendTimeout
    assert len(remote.requests) == 1
    assert backend.counts.in_flight == 0


def test_a_refused_connection() -> None:
    told = failed(made(f"http://localhost:{hub.closed_port()}/"))
    assert type(told) is BackendUnavailable
    assert "no connection to it could be made" in told.detail


def test_a_name_that_does_not_resolve() -> None:
    told = failed(made("https://no-such-host.invalid/models"))
    assert type(told) is BackendUnavailable
    assert "its name does not resolve" in told.detail


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "localhost.pem"
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(path)]
    name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    command = ["openssl", "req", "-x509", *key, *name, "-out", str(path.with_suffix(".crt"))]
    subprocess.run(command, check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_private_authority_is_trusted_where_the_machine_trusts_it(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_suffix(".crt")))
    with Hub([GOOD], server_context(certificate)) as remote:
        assert using(made(remote.url), asked).recognized


def test_a_certificate_that_nobody_vouches_for_is_refused_once(certificate: Path, token: str) -> None:
    with Hub([GOOD], server_context(certificate)) as remote:
        told = failed(made(remote.url, retries=3))
    assert type(told) is BackendMisconfigured
    assert "does not trust its certificate" in told.detail
    assert remote.requests == []


def test_a_host_that_speaks_no_tls() -> None:
    with Hub([GOOD], greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as remote:
        told = failed(made(remote.url.replace("http:", "https:")))
    assert type(told) is BackendUnavailable
    assert "no connection to it could be made" in told.detail


def test_the_token_does_not_leave_to_where_a_redirect_points(token: str) -> None:
    with Hub([GOOD]) as other, Hub([hub.reply(302, "", f"Location: {other.url}")]) as remote:
        assert type(failed(made(remote.url, retries=3))) is BackendMisconfigured
        assert other.requests == []
        assert other.connections == 0


ECHOES = [hub.says({"error": f"bad token {SECRET}"}, 401), hub.plain(404, SECRET), hub.says({"error": [SECRET]}),
          hub.reply(500, SECRET, f"X-Echo: {SECRET}"), hub.raw(SECRET.encode() + b"\r\n\r\n"), hub.reset]  # fmt: skip


@pytest.mark.parametrize("answer", ECHOES)
def test_the_token_is_in_no_answer_no_log_and_no_exception(
    answer: Answer, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in TALKATIVE:  # as where a service is started: they repeat headers
        caplog.set_level(logging.WARNING, name)
    with Hub([answer]) as remote:
        backend = made(remote.url)
        told = failed(backend)
    records = [str(vars(record)) for record in caplog.records if record.name.startswith("cars")]
    assert records
    assert told.__cause__ is told.__context__ is None
    shown = [told.detail, told.encode("id").decode(), caplog.text, *records, repr(told), str(told)]
    shown += [str(backend.details()), repr(backend), repr(vars(backend)), repr(backend.client.token)]
    assert [text for text in shown if token in text] == []


def test_no_proxy_out_of_the_environment_is_asked(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Hub([GOOD]) as proxy, Hub([GOOD]) as remote:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://localhost:{proxy.port}")
        using(made(remote.url), asked)
        assert proxy.requests == []
        assert len(remote.requests) == 1


def test_a_label_that_echoes_the_token_does_not_show_it(token: str) -> None:
    with Hub([hub.says([{"label": f"Bearer {token}", "score": 1}])]) as remote:
        assert using(made(remote.url), asked).predictions[0].label == "Bearer [hidden]"


@pytest.mark.parametrize("endpoint", ["https://256.256.256.256/", "https://[v1.x]/"])
def test_refuses_to_start_with_an_address_that_no_request_can_be_made_to(endpoint: str) -> None:
    with pytest.raises(ValueError, match="CARS_HF_ENDPOINT"):
        made(endpoint)


@pytest.mark.parametrize("endpoint", ["https://exa_mple..invalid/", "https://xn--/", f"https://{'a' * 64}.invalid/"])
def test_a_host_that_no_name_can_be_is_one_that_does_not_resolve(endpoint: str) -> None:
    assert "its name does not resolve" in failed(made(endpoint)).detail
