"""Settings every service has. A service subclasses ServiceSettings with its own `env_prefix`.

Each field is read from `<PREFIX>_<FIELD>`, else from `LINESIDE_<FIELD>`, which speaks to all services at once.
"""

import difflib
import ipaddress
import os
import re
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self, TypeVar

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from servicekit import auth

SHARED_PREFIX = "LINESIDE_"
MAX_SHOWN_CHARS = 100
ORIGIN = re.compile(r"\*|https?://[A-Za-z0-9.-]+(:[0-9]+)?|https?://\[[0-9A-Fa-f:]+\](:[0-9]+)?")
Settings = TypeVar("Settings", bound=BaseSettings)
CommaList = Annotated[list[str], NoDecode]


class ServiceSettings(BaseSettings):
    """`path_prefix` is where the gateway serves the service; the service itself answers with and without it."""

    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    path_prefix: str = Field("", pattern=r"^(/[a-z0-9-]+)?$", description="Prefix that the gateway serves it under.")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="Least level that is logged.")
    access_log: bool = Field(True, description="Whether each request writes a log line.")
    api_keys: CommaList = Field(
        default_factory=list, description="API keys as `name:scope:sha256`, separated by commas; none: no key is asked."
    )
    api_keys_file: Path | None = Field(None, description="File with one `name:scope:sha256` a line, beside `api_keys`.")
    allow_anonymous: bool = Field(
        False, description="Whether to listen on an address other than loopback without any API key."
    )
    publish_address: str | None = Field(
        None, description="Address of the host that a container's port is published on, which then counts as `host`."
    )
    trusted_proxies: CommaList = Field(
        default_factory=lambda: ["127.0.0.1"],
        description="Addresses or networks whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    cors_origins: CommaList = Field(
        default_factory=list, description="Origins that browsers may call from, as `https://host`; none: same origin."
    )
    max_body_bytes: int = Field(1_048_576, ge=1024, description="Largest body of a call that names no other limit.")
    body_timeout_s: float = Field(20.0, gt=0, le=3600, description="Seconds a body may take, and 1 more per 16 KiB.")
    rate_limit_per_s: float = Field(0.0, ge=0, description="Requests per second for each client; 0: no limit.")
    rate_limit_burst: int = Field(100, ge=1, description="Requests a client may send at once under the rate limit.")
    max_concurrent: int = Field(64, ge=1, description="Requests served at once; streams are not counted.")
    max_waiting: int = Field(512, ge=0, description="Requests that may wait for their turn; more are refused (503).")
    max_sockets: int = Field(64, ge=0, description="WebSockets open at once; more are refused (503).")
    socket_max_bytes: int = Field(
        1_048_576, ge=1024, description="Largest message over a WebSocket; a larger one closes it with 1009."
    )
    socket_idle_s: float = Field(
        300.0, gt=0, description="Seconds without a message after which a WebSocket is closed with 1001."
    )
    socket_ping_s: float = Field(20.0, gt=0, description="Seconds between pings over a WebSocket, and for each answer.")
    drain_s: float = Field(5.0, ge=0, le=600, description="Seconds served on after SIGTERM, while not ready.")
    shutdown_s: int = Field(30, ge=1, le=600, description="Seconds that requests have to finish after that.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - likewise
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, EnvSettingsSource(settings_cls, env_prefix=SHARED_PREFIX)

    @field_validator("*", mode="before")
    @classmethod
    def _take_empty_for_none(cls, value: object, info: ValidationInfo) -> object:
        """`NAME=` is how compose says that nothing was given."""
        is_optional = info.field_name is not None and cls.model_fields[info.field_name].default is None
        return None if value == "" and is_optional else value

    @field_validator("api_keys", "trusted_proxies", "cors_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("api_keys")
    @classmethod
    def _check_keys(cls, lines: list[str]) -> list[str]:
        for line in lines:
            auth.parse(line)
        return lines

    @field_validator("api_keys_file")
    @classmethod
    def _check_keys_file(cls, path: Path | None) -> Path | None:
        if path and not _read_keys(path):
            raise ValueError(f"{path} holds no key")
        return path

    @field_validator("cors_origins")
    @classmethod
    def _check_origins(cls, origins: list[str]) -> list[str]:
        for origin in origins:
            if not ORIGIN.fullmatch(origin):
                raise ValueError(f"{origin!r} is not an origin, expected https://host or https://host:port or *")
        return origins

    @field_validator("publish_address")
    @classmethod
    def _check_publish_address(cls, address: str | None) -> str | None:
        if address:
            ipaddress.ip_address(address)
        return address

    @model_validator(mode="after")
    def _refuse_exposure_without_keys(self) -> Self:
        address = self.publish_address or self.host
        if not (is_loopback(address) or self.keys() or self.allow_anonymous):
            prefix = self.model_config.get("env_prefix", "")
            name = f"{SHARED_PREFIX}PUBLISH_ADDRESS" if self.publish_address else f"{prefix}HOST"
            raise ValueError(
                f"{name}={address} is not loopback and there are no API keys: set {prefix}API_KEYS or "
                f"{prefix}API_KEYS_FILE, or {prefix}ALLOW_ANONYMOUS=true where another layer checks who calls"
            )
        return self

    def keys(self) -> list[auth.ApiKey]:
        """Returns all keys; raises ValueError where the file cannot be read."""
        from_file = _read_keys(self.api_keys_file) if self.api_keys_file else []
        return [auth.parse(line) for line in self.api_keys] + from_file


def _read_keys(path: Path) -> list[auth.ApiKey]:
    keys = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            try:
                keys.append(auth.parse(line))
            except ValueError as error:
                raise ValueError(f"{path}, line {number}: {error}") from None
    return keys


def split_commas(value: object) -> object:
    """Splits `a, b` as an environment variable has it; leaves a list as it is."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def is_loopback(host: str) -> bool:
    """Tells whether an address can only be reached from this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def load(settings_class: type[Settings], **overrides: Any) -> Settings:
    """Reads the settings, or ends the process with one line that names variable, value and expectation."""
    prefix = settings_class.model_config.get("env_prefix", "")
    _refuse_unknown(prefix, settings_class)
    _refuse_unknown(SHARED_PREFIX, ServiceSettings)
    try:
        return settings_class(**overrides)
    except ValidationError as error:
        refuse(_explain(prefix, error.errors(include_url=False)[0]))
    except SettingsError as error:
        refuse(str(error))


def _refuse_unknown(prefix: str, settings_class: type[BaseSettings]) -> None:
    """A misspelt variable would otherwise be a setting that silently does nothing."""
    known = [f"{prefix}{field}".upper() for field in settings_class.model_fields]
    for name in os.environ:
        if prefix and name.upper().startswith(prefix) and name.upper() not in known:
            close = difflib.get_close_matches(name.upper(), known, n=1)
            refuse(f"{name} is not a setting" + (f", did you mean {close[0]}?" if close else ""))


def _explain(prefix: str, error: ErrorDetails) -> str:
    text = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return text
    name = _variable(prefix, str(error["loc"][0]))
    secret = any(word in name.upper() for word in ("KEY", "SECRET", "PASSWORD", "TOKEN", "URL"))
    value = "(a value not shown here)" if secret else repr(error["input"])[:MAX_SHOWN_CHARS]
    return f"{name}={value}: {text}"


def _variable(prefix: str, field: str) -> str:
    """Returns the variable that a field was read from, as it was written: the service's own before the shared one."""
    own, shared = f"{prefix}{field}".upper(), f"{SHARED_PREFIX}{field}".upper()
    given = {name.upper(): name for name in os.environ}
    return given.get(own) or given.get(shared) or own


def refuse(reason: str) -> NoReturn:
    """Ends the process with one line on standard error and exit status 1."""
    print(f"lineside: {reason}", file=sys.stderr)
    raise SystemExit(1)
