"""From anomalous readings to a signed webhook and a mail, with real servers, and over the death of the process."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope, Session
from deployments import Deployment, free_port

NORMAL, FAR = [1.2, 0.9, 1.1], [50.0, 50.0, 50.0]
SECRET = bytes(range(32))
ARRIVE_S = 40  # a failed attempt is followed by the next one after at most 5 s, then 10 s

Deploy = Callable[..., contextlib.AbstractContextManager[Deployment]]


class Hook(ThreadingHTTPServer):
    """A webhook receiver that keeps what it is sent."""

    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []

    def statuses(self) -> list[str]:
        return [json.loads(body)["status"] for _, body in self.requests]


class _Handler(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Says nothing."""


class Mailbox:
    def __init__(self) -> None:
        self.messages: list[bytes] = []

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  aiosmtpd's
        assert isinstance(envelope.content, bytes)
        self.messages.append(envelope.content)
        return "250 OK"

    def subjects(self) -> list[str]:
        return [str(message_from_bytes(data, policy=policy.default)["Subject"]) for data in self.messages]


@pytest.fixture(autouse=True)
def _reachable(deployment: str) -> None:
    if deployment == "compose":
        pytest.skip("containers on an internal network reach no webhook and no mail server on this machine's loopback")


@contextlib.contextmanager
def hooked(port: int) -> Iterator[Hook]:
    hook = Hook(port)
    thread = threading.Thread(target=hook.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hook
    finally:
        hook.shutdown()
        thread.join()
        hook.server_close()


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box, port = Mailbox(), free_port()
    controller = Controller(box, "127.0.0.1", port)
    controller.start()
    yield box, port
    controller.stop()


def settings(folder: Path, hook_port: int, smtp_port: int | None = None) -> dict[str, str]:
    made = {
        "ANOMALY_DATABASE_URL": f"sqlite:///{folder}/kept.db",
        "ANOMALY_WEBHOOK_URLS": f"http://127.0.0.1:{hook_port}/hook",
        "ANOMALY_WEBHOOK_ALLOW": "127.0.0.1",
        "ANOMALY_WEBHOOK_SECRET": f"whsec_{base64.b64encode(SECRET).decode()}",
    }
    if smtp_port is None:
        return made
    mail = {"ANOMALY_SMTP_URL": f"smtp://127.0.0.1:{smtp_port}", "ANOMALY_MAIL_TO": "kim@factory.example"}
    return made | mail


@contextlib.contextmanager
def speaking(gateway: Deployment) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"{gateway.base_url}/anomaly", timeout=30) as api:
        yield api


def install(api: httpx2.Client) -> None:
    """Gives the asset `press` the model that answers the stateless calls."""
    active = next(version for version in api.get("/models/default").json()["items"] if version["active"])
    file = api.get(f"/models/default/versions/{active['version']}/file").content
    assert api.put("/models/press?activate=true", content=file).status_code == 201


def post(api: httpx2.Client, values: list[float], times: int) -> None:
    for _ in range(times):
        assert api.post("/assets/press", json={"values": values}).status_code == 200


def until(found: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + ARRIVE_S
    while time.monotonic() < deadline:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError(f"it did not happen within {ARRIVE_S} s")


def verified(headers: dict[str, str], body: bytes) -> Any:
    """Returns a webhook's JSON once its signature after the Standard Webhooks specification is right."""
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.digest(SECRET, signed, hashlib.sha256)).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    return json.loads(body)


def test_an_alarm_is_told_by_signed_webhook_and_mail_and_so_is_its_end(
    deploy: Deploy, mailbox: tuple[Mailbox, int], tmp_path: Path
) -> None:
    box, smtp_port = mailbox
    with contextlib.ExitStack() as stack:
        hook = stack.enter_context(hooked(0))
        gateway = stack.enter_context(deploy(**settings(tmp_path, hook.server_address[1], smtp_port)))
        api = stack.enter_context(speaking(gateway))
        install(api)
        post(api, NORMAL, 5)
        assert api.get("/alerts?asset=press&kind=anomaly").json()["items"] == []
        post(api, FAR, 3)
        (alert,) = api.get("/alerts?asset=press&kind=anomaly").json()["items"]
        assert (alert["state"], alert["severity"]) == ("active", "critical")
        until(lambda: len(hook.requests) == 1 and len(box.messages) == 1)
        post(api, NORMAL, 5)
        assert api.get(f"/alerts/{alert['id']}").json()["state"] == "cleared"
        until(lambda: len(hook.requests) == 2 and len(box.messages) == 2)
        until(lambda: _delivered(api) == ["delivered"] * 4)
    firing, resolved = (verified(*request) for request in hook.requests)
    assert (firing["status"], resolved["status"]) == ("firing", "resolved")
    assert firing["alerts"][0]["labels"]["asset"] == "press"
    assert firing["alerts"][0]["fingerprint"] == resolved["alerts"][0]["fingerprint"]
    assert len({headers["webhook-id"] for headers, _ in hook.requests}) == 2
    assert box.subjects() == ["[firing] press: anomaly (critical)", "[resolved] press: anomaly (critical)"]


def _delivered(api: httpx2.Client) -> list[str]:
    return [delivery["status"] for delivery in api.get("/alerts/deliveries").json()["items"]]


def test_a_notice_outlives_the_process_while_its_receiver_is_away(deploy: Deploy, tmp_path: Path) -> None:
    port = free_port()
    kept = settings(tmp_path, port)
    with deploy(**kept) as gateway:
        with speaking(gateway) as api:
            install(api)
            post(api, FAR, 3)
            until(lambda: api.get("/alerts/deliveries").json()["items"][0]["last_error"])
        gateway.kill()
    with hooked(port) as hook, deploy(**kept) as gateway, speaking(gateway) as api:
        until(lambda: _delivered(api) == ["delivered"])
        assert hook.statuses() == ["firing"]
        verified(*hook.requests[0])
        post(api, NORMAL, 5)  # the alarm was remembered too
        until(lambda: hook.statuses() == ["firing", "resolved"])
