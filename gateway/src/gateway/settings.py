"""Everything an operator can set of the gateway, each read from `GATEWAY_<FIELD>`."""

from pydantic import Field, field_validator
from pydantic_settings import SettingsConfigDict
from servicekit.settings import CommaList, ServiceSettings, split_commas

from gateway import upstreams
from gateway.routes import ROUTES


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="GATEWAY_", extra="ignore", hide_input_in_errors=True)

    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    required: CommaList = Field(
        default_factory=lambda: [route.name for route in ROUTES],
        description="Services without which `/health` is unhealthy (503); the others only degrade it.",
    )

    upstreams: CommaList = Field(
        default_factory=list,
        description="Of `front` only: an address of each service, as `digit=http://digit:8000`; more than one for a "
        "service are separated by blanks.",
    )

    @field_validator("required", "upstreams", mode="before")
    @classmethod
    def _split_lists(cls, value: object) -> object:
        return split_commas(value)

    @field_validator("required")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        known = [route.name for route in ROUTES]
        for name in names:
            if name not in known:
                raise ValueError(f"{name!r} is not a service, expected some of {', '.join(known)}")
        return names

    @field_validator("upstreams")
    @classmethod
    def _addresses(cls, entries: list[str]) -> list[str]:
        upstreams.parse(entries, [route.name for route in ROUTES])
        return entries
