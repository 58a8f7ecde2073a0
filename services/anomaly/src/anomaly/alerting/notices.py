"""What receivers are told about an alert: one stored notice, as Alertmanager's webhook body or as a text mail."""

import hashlib
import secrets
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Literal

import msgspec

from anomaly.alerting.alarms import iso

Status = Literal["firing", "resolved"]
NoticeKind = Literal["anomaly", "input_drift", "score_drift", "silent", "test"]

# Alertmanager's own way to say that an alert has not ended.
NOT_ENDED = "0001-01-01T00:00:00Z"
TITLES = {
    "anomaly": ("LinesideAnomaly", "anomaly"),
    "input_drift": ("LinesideInputDrift", "input drift"),
    "score_drift": ("LinesideScoreDrift", "score drift"),
    "silent": ("LinesideSilent", "no readings"),
    "test": ("LinesideTest", "test alert"),
}
MAX_SHARES = 5
WORTH_NAMING = 0.05


class Notice(msgspec.Struct, frozen=True):
    """An alert as it was when the notice was queued; `id` stays the same for every attempt."""

    id: str
    status: Status
    asset: str
    kind: NoticeKind
    severity: str
    opened_ms: int
    alert_id: int | None = None
    cleared_ms: int | None = None
    score: float | None = None
    peak_score: float | None = None
    threshold: float | None = None
    count: int = 0
    model_version: int | None = None
    contributions: list[dict[str, Any]] | None = None


def new_id() -> str:
    return f"msg_{secrets.token_hex(16)}"


def probe(now_ms: int) -> Notice:
    """Returns the notice that `POST /alerts/test` sends; it says what it is."""
    return Notice(new_id(), "firing", "test", "test", "minor", now_ms)


def fingerprint(notice: Notice) -> str:
    """Identifies an asset's alert of a kind, the same when it fires and when it is resolved."""
    return hashlib.sha256(f"{notice.asset}\0{notice.kind}".encode()).hexdigest()[:16]


def link(notice: Notice, public_url: str) -> str:
    if not public_url or notice.alert_id is None:
        return public_url
    return f"{public_url.rstrip('/')}/#alert-{notice.alert_id}"


def summary(notice: Notice) -> str:
    """Returns one line for people, as `press-4: anomaly (critical)`."""
    return f"{notice.asset}: {TITLES[notice.kind][1]} ({notice.severity})"


def description(notice: Notice) -> str:
    """Returns the numbers in a sentence or two."""
    parts = []
    if notice.kind == "silent" and notice.score is not None and notice.threshold is not None:
        parts.append(f"no reading for {notice.score:.0f} s, the limit is {notice.threshold:g} s")
    elif notice.score is not None and notice.threshold is not None:
        unit = "shift, in standard deviations" if notice.kind.endswith("drift") else "score"
        peak = f", peak {notice.peak_score:.6g}" if notice.peak_score is not None else ""
        parts.append(f"{unit} {notice.score:.6g}{peak}, limit {notice.threshold:.6g}")
    if shares := _shares(notice):
        parts.append(f"mostly {shares}")
    return "; ".join(parts) or summary(notice)


def alertmanager(notice: Notice, public_url: str) -> dict[str, Any]:
    """Returns the body of Alertmanager's webhook, version 4, with the one alert in it."""
    name = TITLES[notice.kind][0]
    labels = {
        "alertname": name,
        "asset": notice.asset,
        "kind": notice.kind,
        "service": "anomaly",
        "severity": notice.severity,
    }
    annotations = {"summary": summary(notice), "description": description(notice), **_numbers(notice)}
    alert = {
        "status": notice.status,
        "labels": labels,
        "annotations": annotations,
        "startsAt": iso(notice.opened_ms),
        "endsAt": NOT_ENDED if notice.cleared_ms is None else iso(notice.cleared_ms),
        "generatorURL": link(notice, public_url),
        "fingerprint": fingerprint(notice),
    }
    return {
        "version": "4",
        "groupKey": f'{{}}:{{alertname="{name}", asset="{notice.asset}"}}',
        "truncatedAlerts": 0,
        "status": notice.status,
        "receiver": "lineside",
        "groupLabels": {"alertname": name, "asset": notice.asset},
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": public_url,
        "alerts": [alert],
    }


def mail(notice: Notice, sender: str, recipient: str, public_url: str, now_ms: int) -> EmailMessage:
    """Returns the mail; its Message-ID stays the same for every attempt, so that mailboxes drop a repetition."""
    domain = sender.rpartition("@")[2].rstrip(">")
    message = EmailMessage()
    message["From"] = sender
    message["To"] = recipient
    message["Subject"] = f"[{notice.status}] {summary(notice)}"
    message["Date"] = format_datetime(datetime.fromtimestamp(now_ms / 1000, UTC))
    message["Message-ID"] = f"<{notice.id}@{domain}>"
    message["References"] = f"<{fingerprint(notice)}.{notice.opened_ms}@{domain}>"  # one thread for an alert
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: keeps out-of-office replies away
    message.set_content(_text(notice, public_url))
    return message


def _text(notice: Notice, public_url: str) -> str:
    lines = [summary(notice), "", description(notice), "", f"since      {iso(notice.opened_ms)}"]
    if notice.cleared_ms is not None:
        lines.append(f"resolved   {iso(notice.cleared_ms)}")
    if notice.count:
        lines.append(f"readings   {notice.count} over the limit")
    if notice.model_version is not None:
        lines.append(f"model      version {notice.model_version}")
    lines += [f"  {share['contribution']:6.1%}  {_printable(share['sensor'])}" for share in _largest(notice)]
    if address := link(notice, public_url):
        lines += ["", address]
    return "\n".join(lines) + "\n"


def _numbers(notice: Notice) -> dict[str, str]:
    numbers = {
        "score": notice.score,
        "peak_score": notice.peak_score,
        "threshold": notice.threshold,
        "count": notice.count or None,
        "model_version": notice.model_version,
        "alert_id": notice.alert_id,
    }
    known = {name: value for name, value in numbers.items() if value is not None}
    return {name: f"{value:.6g}" if isinstance(value, float) else str(value) for name, value in known.items()}


def _shares(notice: Notice) -> str:
    shares = [share for share in _largest(notice) if share["contribution"] >= WORTH_NAMING]
    return ", ".join(f"{_printable(share['sensor'])} {share['contribution']:.0%}" for share in shares)


def _largest(notice: Notice) -> list[dict[str, Any]]:
    return sorted(notice.contributions or [], key=lambda share: -share["contribution"])[:MAX_SHARES]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)[:64]
