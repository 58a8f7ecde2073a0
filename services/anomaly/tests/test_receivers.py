"""Receivers from the settings, and what is refused at start."""

from dataclasses import dataclass, field

import pytest
from anomaly.alerting import receivers
from pydantic import SecretStr


@dataclass
class Settings:
    """The part of the service's settings that is about receivers."""

    webhook_urls: list[str] = field(default_factory=list)
    webhook_secret: SecretStr | None = None
    webhook_allow: list[str] = field(default_factory=lambda: ["hooks.example"])
    smtp_url: SecretStr | None = None
    mail_from: str = "lineside@localhost"
    mail_to: list[str] = field(default_factory=list)
    public_url: str = ""


def test_nothing_set_is_nobody() -> None:
    assert receivers.of(Settings(webhook_allow=[])) == ()


def test_names_each_receiver_without_its_secrets() -> None:
    settings = Settings(
        webhook_urls=["https://kim:hidden@hooks.example/a?token=hidden", "http://hooks.example:81"],
        smtp_url=SecretStr("smtps://kim:hidden@mail.example"),
        mail_to=["kim@factory.example", "jo@factory.example", "kim@factory.example"],
    )
    assert receivers.names(settings) == (
        "webhook:https://hooks.example/a",
        "webhook:http://hooks.example:81",
        "mail:kim@factory.example",
        "mail:jo@factory.example",
    )
    assert [receiver.kind for receiver in receivers.of(settings)] == ["webhook", "webhook", "mail", "mail"]


def test_a_mail_server_without_recipients_is_checked_and_unused() -> None:
    assert receivers.of(Settings(smtp_url=SecretStr("smtp://mail.example"))) == ()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(["ftp://hidden"]), r"ANOMALY_WEBHOOK_URLS \(number 1, not shown here\): expected https://host/path"),
        (Settings(["https://hooks.example/?hidden"], webhook_allow=[]), "ANOMALY_WEBHOOK_ALLOW is empty"),
        (Settings(webhook_allow=["10.0.0.1/8"]), "ANOMALY_WEBHOOK_ALLOW='10.0.0.1/8': expected"),
        (Settings(["https://hooks.example/a?hidden", "https://hooks.example/a"]), "differ only in their secrets"),
        (Settings(webhook_secret=SecretStr("hidden")), r"ANOMALY_WEBHOOK_SECRET \(not shown here\): expected whsec_"),
        (Settings(mail_to=["kim@factory.example"]), "ANOMALY_MAIL_TO is set but ANOMALY_SMTP_URL is not"),
        (Settings(smtp_url=SecretStr("imap://hidden")), r"ANOMALY_SMTP_URL \(not shown here\): expected smtp://"),
        (Settings(smtp_url=SecretStr("smtp://m"), mail_to=["kim"]), "ANOMALY_MAIL_TO='kim': expected a mail address"),
        (Settings(smtp_url=SecretStr("smtp://m"), mail_from="kim"), "ANOMALY_MAIL_FROM='kim': expected a mail address"),
    ],
)
def test_refuses_with_variable_and_expectation_and_without_secrets(settings: Settings, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        receivers.of(settings)
    assert "hidden" not in str(refused.value)
