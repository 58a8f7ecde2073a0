"""Everything an operator can set, each read from `DIGIT_<FIELD>`; the descriptions are the documentation."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from servicekit.settings import ServiceSettings

SHIPPED = Path(__file__).parent / "weights"


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="DIGIT_", extra="ignore", hide_input_in_errors=True)

    path_prefix: str = Field(
        "/digit", pattern=r"^(/[a-z0-9-]+)?$", description="Prefix that the gateway serves it under."
    )
    model: str = Field("ensemble", description="Model that answers where a call names none.")
    weights: Path = Field(SHIPPED, description="Folder with weights.json and the ONNX files that it describes.")
    threads: int = Field(0, ge=0, le=256, description="Pictures read at once; 0: as many as there are CPUs.")
    max_file_bytes: int = Field(10_485_760, ge=1024, description="Largest picture file, sent alone or in a ZIP.")
    max_pixels: int = Field(25_000_000, ge=784, le=178_000_000, description="Pixels of the largest picture.")
    max_upload_bytes: int = Field(67_108_864, ge=1024, description="Largest body of a batch.")
    max_images: int = Field(5_000, ge=1, le=1_000_000, description="Pictures in one batch, those in ZIPs included.")
    max_digits: int = Field(32, ge=1, le=256, description="Digits of one written number.")
    max_unpacked_bytes: int = Field(536_870_912, ge=1024, description="Bytes that a batch's ZIPs may unpack to.")
