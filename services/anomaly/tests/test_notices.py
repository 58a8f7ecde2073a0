"""What receivers read: Alertmanager's shape, and a mail."""

from email import message_from_bytes, policy

import msgspec
import pytest
from anomaly.alerting import notices
from anomaly.alerting.notices import Notice, NoticeKind

OPENED = 1_767_225_600_000
FIRING = Notice(
    id="msg_1",
    status="firing",
    asset="press-4",
    kind="anomaly",
    severity="critical",
    opened_ms=OPENED,
    alert_id=12,
    score=3.25,
    peak_score=4.5,
    threshold=0.5,
    count=7,
    model_version=3,
    contributions=[{"sensor": "flow", "contribution": 0.7}, {"sensor": "evil\r\nBcc: x@y", "contribution": 0.3}],
)
RESOLVED = msgspec.structs.replace(FIRING, id="msg_2", status="resolved", severity="minor", cleared_ms=OPENED + 60_000)
MEMBERS_OF_VERSION_4 = {
    "version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels", "commonAnnotations",
    "externalURL", "alerts",
}  # fmt: skip


def test_a_webhook_has_the_members_of_alertmanagers_version_4() -> None:
    body = notices.alertmanager(FIRING, "https://line.example/anomaly")
    assert set(body) == MEMBERS_OF_VERSION_4
    assert (body["version"], body["status"], body["truncatedAlerts"]) == ("4", "firing", 0)
    (alert,) = body["alerts"]
    assert set(alert) == {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}
    assert alert["labels"] == {
        "alertname": "LinesideAnomaly",
        "asset": "press-4",
        "kind": "anomaly",
        "service": "anomaly",
        "severity": "critical",
    }
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-01-01T00:00:00.000Z", "0001-01-01T00:00:00Z")
    assert alert["generatorURL"] == "https://line.example/anomaly/#alert-12"
    assert alert["annotations"]["description"].startswith("score 3.25, peak 4.5, limit 0.5; mostly flow 70%")


def test_labels_and_annotations_are_strings_as_receivers_expect() -> None:
    (alert,) = notices.alertmanager(FIRING, "")["alerts"]
    assert all(isinstance(value, str) for value in [*alert["labels"].values(), *alert["annotations"].values()])


def test_a_resolved_alert_has_the_fingerprint_of_the_firing_one() -> None:
    firing, resolved = (notices.alertmanager(notice, "")["alerts"][0] for notice in (FIRING, RESOLVED))
    assert firing["fingerprint"] == resolved["fingerprint"]
    assert len(firing["fingerprint"]) == 16
    assert resolved["endsAt"] == "2026-01-01T00:01:00.000Z"
    other = msgspec.structs.replace(FIRING, asset="press-5")
    assert notices.fingerprint(other) != firing["fingerprint"]


def test_a_mail_says_what_happened_and_where_to_look() -> None:
    mail = notices.mail(FIRING, "lineside@factory.example", "kim@factory.example", "https://line.example", OPENED)
    read = message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert read["Subject"] == "[firing] press-4: anomaly (critical)"
    assert read["Message-ID"] == "<msg_1@factory.example>"
    assert read["Auto-Submitted"] == "auto-generated"
    assert read["Date"] == "Thu, 01 Jan 2026 00:00:00 +0000"
    text = read.get_content()
    for part in (
        "score 3.25, peak 4.5, limit 0.5",
        "70.0%  flow",
        "https://line.example/#alert-12",
        "7 over the limit",
    ):
        assert part in text


def test_mails_of_one_alert_are_one_thread() -> None:
    firing, resolved = (notices.mail(n, "a@b.example", "c@d.example", "", OPENED) for n in (FIRING, RESOLVED))
    assert firing["References"] == resolved["References"]
    assert firing["Message-ID"] != resolved["Message-ID"]


def test_only_the_largest_shares_are_told_largest_first() -> None:
    shares = [{"sensor": f"s{number}", "contribution": number / 45} for number in range(10)]
    told = notices.description(msgspec.structs.replace(FIRING, contributions=shares))
    assert told.endswith("mostly s9 20%, s8 18%, s7 16%, s6 13%, s5 11%")


def test_a_sensors_name_cannot_forge_lines_or_headers() -> None:
    mail = notices.mail(FIRING, "a@b.example", "c@d.example", "", OPENED)
    assert mail["Bcc"] is None
    assert "\nBcc" not in mail.get_content()
    assert "\n" not in notices.description(FIRING)


@pytest.mark.parametrize("kind", ["input_drift", "score_drift", "silent", "test", "anomaly"])
@pytest.mark.parametrize("bare", [True, False])
def test_every_kind_can_be_told_with_and_without_numbers(kind: NoticeKind, bare: bool) -> None:
    notice = (
        Notice("msg_1", "firing", "a", kind, "minor", OPENED) if bare else msgspec.structs.replace(FIRING, kind=kind)
    )
    assert notices.alertmanager(notice, "")["alerts"][0]["annotations"]["summary"]
    assert notices.mail(notice, "a@b.example", "c@d.example", "", OPENED).get_content()


def test_silence_is_told_in_seconds() -> None:
    silent = Notice("msg_1", "firing", "a", "silent", "major", OPENED, score=95.4, threshold=60.0)
    assert notices.description(silent) == "no reading for 95 s, the limit is 60 s"


def test_a_notice_survives_its_json() -> None:
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(FIRING)), Notice) == FIRING


def test_every_notice_has_an_id_of_its_own_without_a_full_stop() -> None:
    ids = {notices.new_id() for _ in range(100)}
    assert len(ids) == 100
    assert not any("." in identifier for identifier in ids)  # Standard Webhooks joins the signed parts with it
