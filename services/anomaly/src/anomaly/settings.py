"""Everything an operator can set, each read from `ANOMALY_<FIELD>`; the descriptions are the documentation."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import SettingsConfigDict
from servicekit.database.engine import parse_url, with_password
from servicekit.settings import CommaList, ServiceSettings, split_commas

from anomaly.alerting import delivery


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="ANOMALY_", extra="ignore", hide_input_in_errors=True)

    path_prefix: str = Field(
        "/anomaly", pattern=r"^(/[a-z0-9-]+)?$", description="Prefix that the gateway serves it under."
    )
    database_url: str = Field(
        "sqlite:///var/anomaly.db", description="SQLite or PostgreSQL, as `sqlite:///path` or `postgresql://…`."
    )
    database_password_file: Path | None = Field(
        None, description="File with the database's password, in place of the one in the URL."
    )
    model_file: Path | None = Field(
        None, description="Model (.safetensors) that the asset `default` answers with from the next start on."
    )
    max_queue: int = Field(4096, ge=1, description="Writes that may wait for the disk; more are refused (503).")
    max_rows: int = Field(10_000, ge=1, le=1_000_000, description="Rows in one batch.")
    max_batch_bytes: int = Field(16_777_216, ge=1024, description="Largest body of a batch.")
    max_train_bytes: int = Field(67_108_864, ge=1024, description="Largest CSV to train on.")
    max_assets: int = Field(10_000, ge=1, description="Assets at most.")
    max_versions: int = Field(200, ge=2, description="Versions of one asset's model at most.")
    late_tolerance_s: float = Field(3600.0, ge=0, description="Seconds that a reading may be older than the newest.")
    future_tolerance_s: float = Field(300.0, ge=0, description="Seconds that a reading may be ahead of the clock.")
    history_max_rows: int = Field(1_000_000, ge=100, description="Readings kept for each asset.")
    history_max_age_days: float = Field(365.0, gt=0, description="Days that readings are kept.")
    idempotency_hours: float = Field(24.0, gt=0, le=720, description="Hours that an Idempotency-Key is remembered.")
    train_timeout_s: float = Field(3600.0, gt=0, description="Seconds that a training may take.")
    train_memory_mb: int = Field(2048, ge=256, le=65536, description="Memory (MiB) that one training may take.")
    train_workers: int = Field(1, ge=1, le=16, description="Trainings at the same time.")
    webhook_urls: CommaList = Field(default_factory=list, description="Webhooks that alerts are sent to.")
    webhook_secret: SecretStr | None = Field(
        None, description="Signs webhooks (Standard Webhooks): `whsec_` and the base64 of 24 to 64 bytes."
    )
    webhook_allow: CommaList = Field(
        default_factory=list, description="Hosts and networks that webhooks may be sent to; none: nowhere."
    )
    smtp_url: SecretStr | None = Field(
        None, description="Mail server as `smtp://user:password@host:port`, `?starttls=1`, or `smtps://…`."
    )
    mail_from: str = Field("lineside@localhost", description="Sender of alert mails.")
    mail_to: CommaList = Field(default_factory=list, description="Addresses that alert mails are sent to.")
    delivery_max_attempts: int = Field(12, ge=1, le=100, description="Attempts before a delivery counts as failed.")
    public_url: str = Field("", description="Address of this service as people reach it, for links in alerts.")

    @field_validator("webhook_urls", "webhook_allow", "mail_to", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return split_commas(value)

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        """Lets the parts judge what only they understand; they name the variable and never a secret."""
        delivery.check(self)
        try:
            parse_url(self.database_url)
        except ValueError as error:
            raise ValueError(f"ANOMALY_DATABASE_URL (not shown here): {error}") from None
        try:
            self.database_url = with_password(self.database_url, self.database_password_file)
        except ValueError as error:
            raise ValueError(f"ANOMALY_DATABASE_PASSWORD_FILE: {error}") from None
        return self
