"""Everything an operator can set, each read from `CARS_<FIELD>`; the descriptions are the documentation."""

from pathlib import Path
from typing import Literal, Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict
from servicekit.database.engine import with_password
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="CARS_", extra="ignore", hide_input_in_errors=True)

    path_prefix: str = Field(
        "/cars", pattern=r"^(/[a-z0-9-]+)?$", description="Prefix that the gateway serves it under."
    )
    backend: Literal["local", "huggingface"] = Field("local", description="What recognises the cars.")
    model_dir: Path | None = Field(
        None, description="Folder with an ONNX model of your own and its labels, in place of the shipped one."
    )
    threshold: float | None = Field(
        None, ge=0, le=1, description="Least certainty of an answer that counts as recognized; none: the model's own."
    )
    threads: int = Field(0, ge=0, le=256, description="Pictures recognised at once; 0: as many as there are CPUs.")
    database_url: str = Field(
        "sqlite:///var/cars/cars.db", description="SQLite or PostgreSQL, as `sqlite:///path` or `postgresql://…`."
    )
    database_password_file: Path | None = Field(
        None, description="File with the database's password, in place of the one in the URL."
    )
    storage_url: str = Field(
        "var/cars/pictures", description="Folder of the pictures, or `s3://bucket/prefix?endpoint=https://host`."
    )
    s3_access_key: SecretStr | None = Field(None, description="Access key of the bucket.")
    s3_secret_key: SecretStr | None = Field(None, description="Secret key of the bucket.")
    s3_secret_key_file: Path | None = Field(None, description="File with the secret key, in place of it.")
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    max_file_bytes: int = Field(10_485_760, ge=1024, description="Largest picture file.")
    max_pixels: int = Field(50_000_000, ge=1024, le=178_000_000, description="Pixels of the largest picture.")
    max_files: int = Field(100, ge=1, le=10_000, description="Pictures of one batch.")
    max_upload_bytes: int = Field(268_435_456, ge=1024, description="Largest body of a batch of pictures.")
    job_after: int = Field(20, ge=1, le=10_000, description="Pictures of a batch beyond which it becomes a job.")
    max_queue: int = Field(1024, ge=1, le=65_536, description="Changes that may wait for the database; more: 503.")
    retention_days: float = Field(0, ge=0, description="Days after which a picture is deleted; 0: never.")
    retention_bytes: int = Field(0, ge=0, description="Bytes of pictures beyond which the oldest go; 0: no limit.")
    hf_api_token: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("CARS_HF_API_TOKEN", "HF_API_TOKEN"),
        description="Token of Hugging Face; `HF_API_TOKEN` is read too.",
    )
    hf_token_file: Path | None = Field(None, description="File with that token, in place of it.")
    hf_model: str = Field(
        "google/vit-base-patch16-224",
        pattern=r"^[\w.-]{1,96}/[\w.-]{1,96}$",
        description="Model that Hugging Face is asked for.",
    )
    hf_endpoint: str | None = Field(
        None,
        description="Address to ask in place of Hugging Face's: `{model}` in it is replaced, and one that ends in "
        "`/models` or `/hf-inference` is completed; https, or http on loopback.",
    )
    hf_timeout_s: float = Field(30.0, gt=0, le=600, description="Seconds for one picture there, with all retries.")
    hf_retries: int = Field(3, ge=0, le=10, description="Times that a picture is sent again after a failure.")

    @model_validator(mode="after")
    def _add_password(self) -> Self:
        try:
            self.database_url = with_password(self.database_url, self.database_password_file)
        except ValueError as error:
            raise ValueError(f"CARS_DATABASE_PASSWORD_FILE: {error}") from None
        return self
