"""Who hears of alerts: webhooks and mail addresses, made from the settings."""

from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from anomaly.alerting import webhook
from anomaly.alerting.notices import Notice
from anomaly.alerting.outbound import AllowList
from anomaly.alerting.webhook import Outcome

if TYPE_CHECKING:
    from anomaly.alerting import mail


class Receiver(Protocol):
    """Something a notice can be sent to."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    async def send(self, notice: Notice, attempt: int) -> Outcome: ...


class Settings(Protocol):
    """The part of the service's settings that is about receivers."""

    webhook_urls: list[str]
    webhook_secret: SecretStr | None
    webhook_allow: list[str]
    smtp_url: SecretStr | None
    mail_from: str
    mail_to: list[str]
    public_url: str


def of(settings: Settings) -> tuple[Receiver, ...]:
    """Raises ValueError that names variable, value (never a secret) and expectation."""
    return (*_webhooks(settings), *_mails(settings))


def names(settings: Settings) -> tuple[str, ...]:
    """Returns what the column `deliveries.receiver` holds for each receiver."""
    return tuple(receiver.name for receiver in of(settings))


def _webhooks(settings: Settings) -> tuple[webhook.Webhook, ...]:
    try:
        allow = AllowList.of(settings.webhook_allow)
    except ValueError as error:
        raise ValueError(f"ANOMALY_WEBHOOK_ALLOW={','.join(settings.webhook_allow)!r}: {error}") from None
    made: list[webhook.Webhook] = []
    secret = _secret(settings.webhook_secret)
    for number, url in enumerate(settings.webhook_urls, start=1):
        try:
            receiver = webhook.parse(url, secret, allow, settings.public_url)
        except ValueError as error:
            raise ValueError(f"ANOMALY_WEBHOOK_URLS (number {number}, not shown here): {error}") from None
        if any(receiver.name == other.name for other in made):
            raise ValueError(f"ANOMALY_WEBHOOK_URLS: two differ only in their secrets, {receiver.name}")
        made.append(receiver)
    return tuple(made)


def _secret(secret: SecretStr | None) -> bytes | None:
    if secret is None:
        return None
    try:
        return webhook.parse_secret(secret.get_secret_value())
    except ValueError as error:
        raise ValueError(f"ANOMALY_WEBHOOK_SECRET (not shown here): {error}") from None


def _mails(settings: Settings) -> "tuple[mail.Mail, ...]":
    if settings.smtp_url is None:
        if settings.mail_to:
            raise ValueError("ANOMALY_MAIL_TO is set but ANOMALY_SMTP_URL is not: name the mail server")
        return ()
    try:
        from anomaly.alerting import mail  # smtplib and email take a megabyte, which a service that sends no mail keeps

        server = mail.parse_server(settings.smtp_url.get_secret_value())
    except ValueError as error:
        raise ValueError(f"ANOMALY_SMTP_URL (not shown here): {error}") from None
    for name, addresses in (("FROM", [settings.mail_from]), ("TO", settings.mail_to)):
        for address in addresses:
            try:
                mail.check_address(address)
            except ValueError as error:
                raise ValueError(f"ANOMALY_MAIL_{name}={address!r}: {error}") from None
    recipients = dict.fromkeys(settings.mail_to)
    return tuple(mail.Mail(server, settings.mail_from, to, settings.public_url) for to in recipients)
