"""What a command line asks for: the service's settings and one call's options."""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from servicekit.settings import load
from servicekit.threads import effective_cpus

from ocr.options import Options
from ocr.settings import Settings

LOOPBACK = "127.0.0.1"
MAX_PASSWORD_BYTES = 4096
Mode = Literal["auto", "text", "ocr"]


@dataclass(frozen=True)
class Request:
    """How files are read; `pages` and what follows it speak of PDFs."""

    settings: Settings
    options: Options = Options()  # noqa: RUF009 - it is frozen
    workers: int = 1
    mode: Mode = "auto"
    pages: str | None = None
    dpi: int | None = None
    password: str | None = None


def of(arguments: argparse.Namespace) -> Request:
    """Returns what the options mean; a bad setting ends the process, a password's file raises OSError or ValueError."""
    settings = local(
        load(Settings, host=LOOPBACK)
    )  # no server: keys need not be set where the variables are a server's
    return Request(
        settings,
        options_of(arguments, settings),
        arguments.workers or settings.work_count or effective_cpus(),
        arguments.mode,
        arguments.pages,
        arguments.dpi,
        _password(arguments.password_file) if arguments.password_file else None,
    )


def local(settings: Settings) -> Settings:
    """Returns settings with the limits of a job: somebody's own files are no strangers' requests."""
    limits = {"max_file_size": settings.jobs_max_file_size, "pdf_max_pages": settings.jobs_max_pages}
    return settings.model_copy(update=limits)


def options_of(arguments: argparse.Namespace, settings: Settings) -> Options:
    chosen = {
        name: value if (value := getattr(arguments, name)) is not None else getattr(settings, name)
        for name in ("text_score", "box_thresh", "unclip_ratio")
    }
    return replace(
        Options(use_det=not arguments.no_det, use_cls=not arguments.no_cls, use_rec=not arguments.no_rec), **chosen
    )


def _password(path: Path) -> str:
    with path.open("rb") as file:
        line = file.readline(MAX_PASSWORD_BYTES)
    try:
        return line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: the password is not UTF-8") from error
