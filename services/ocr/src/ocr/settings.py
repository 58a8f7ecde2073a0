"""Everything an operator can set, each read from `OCR_<FIELD>`; the descriptions are the documentation."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict
from servicekit.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="OCR_", extra="ignore", hide_input_in_errors=True)

    path_prefix: str = Field(
        "/ocr", pattern=r"^(/[a-z0-9-]+)?$", description="Prefix that the gateway serves it under."
    )
    environment: str = Field("production", pattern=r"^[a-z0-9_-]{1,32}$", description="What `/health` answers to that.")
    work_count: int = Field(0, ge=0, le=256, description="Pictures read at once; 0: as many as there are CPUs.")
    use_gpu: bool = Field(False, description="Whether to read on an AMD GPU; without a working one the start fails.")
    hip_index: int = Field(0, ge=0, le=63, description="The GPU, counted as HIP counts them.")
    model_version: Literal["v6", "v4"] = Field("v6", description="PP-OCR's models to read with.")
    model_config_path: Path | None = Field(None, description="YAML file that names models of your own.")
    precision: Literal["int8-det", "float", "int8"] = Field(
        "int8-det", description="Which networks compute in 8-bit integers on a CPU: the detector, none, both."
    )
    cache_dir: Path = Field(Path("var/ocr/cache"), description="Folder for what a GPU's compiler makes of the models.")
    text_score: float = Field(0.5, ge=0, le=1, description="Least confidence of a line that is answered.")
    box_thresh: float = Field(0.5, ge=0, le=1, description="Least mean probability within a line's box.")
    unclip_ratio: float = Field(1.6, ge=1, le=4, description="How far the detected core of a line is widened.")
    max_file_size: int = Field(10_485_760, ge=1024, description="Largest file in bytes.")
    max_image_width: int = Field(4096, ge=16, le=20_000, description="Pixels of the widest image.")
    max_image_height: int = Field(4096, ge=16, le=20_000, description="Pixels of the highest image.")
    det_batch_size: int = Field(1, ge=1, le=1, description="Pictures that the detector reads at once.")
    cls_batch_size: int = Field(6, ge=1, le=64, description="Lines whose direction is judged at once.")
    rec_batch_size: int = Field(6, ge=1, le=64, description="Lines that are recognised at once, on a GPU.")
    max_frames: int = Field(64, ge=1, le=10_000, description="Pages of the longest TIFF.")
    pdf_engine: Literal["pdfium", "pymupdf"] = Field("pdfium", description="What opens PDFs.")
    pdf_dpi: int = Field(200, ge=72, le=600, description="Resolution at which a page is read, where nothing says else.")
    pdf_max_pages: int = Field(200, ge=1, le=100_000, description="Pages of one call of a document.")
    pdf_page_s: float = Field(20.0, gt=0, le=600, description="Seconds that opening or drawing one page may take.")
    pdf_memory_bytes: int = Field(536_870_912, ge=134_217_728, description="Memory of the process that opens a PDF.")
    jobs_dir: Path = Field(Path("var/ocr/jobs"), description="Folder of the jobs: their files and their results.")
    jobs_max_pages: int = Field(5_000, ge=1, le=1_000_000, description="Pages of one job's document.")
    jobs_max_file_size: int = Field(268_435_456, ge=1024, description="Largest file of a job in bytes.")
    jobs_at_once: int = Field(1, ge=1, le=64, description="Jobs read at once; the rest wait, and other calls go on.")
    jobs_max_stored: int = Field(1_000, ge=1, le=1_000_000, description="Jobs kept at once; more are refused (503).")
    jobs_retention_s: float = Field(86_400.0, ge=60, description="Seconds that an ended job is kept.")
