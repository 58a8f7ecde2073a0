"""What the routes work with, opened and closed together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from servicekit.problems import NotReady
from servicekit.weights import WeightsError

from digit import preprocess
from digit.model import read_records
from digit.reader import Reader
from digit.settings import Settings

KNOWN_DIGIT = 7
LIMITS = (
    "max_file_bytes",
    "max_pixels",
    "max_upload_bytes",
    "max_images",
    "max_digits",
    "max_unpacked_bytes",
    "socket_max_bytes",
)


class Services:
    """The service's parts; raises ValueError for a setting that only its part can judge."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.reader = Reader(settings)
        _check_model(settings)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Loads the models and infers once with each, so that no client waits for it."""
        try:
            await asyncio.to_thread(self._open)
            yield
        finally:
            self.reader.close()

    def _open(self) -> None:
        self.reader.open()
        for name in self.reader.models.names:
            self._check(name)

    def probe(self) -> None:
        """Reads a drawn digit with the default model; raises the Problem that says why it cannot."""
        self._check(self.reader.models.default)

    def _check(self, name: str) -> None:
        prepared = preprocess.prepare_grey(drawn())
        read = int(self.reader.predict(prepared.pixels[None], name).probabilities.argmax())
        if read != KNOWN_DIGIT:
            raise NotReady(f"the model {name} reads a drawn {KNOWN_DIGIT} as {read}")

    def details(self) -> dict[str, Any]:
        """Returns what `/health` tells of this service."""
        models = self.reader.models
        default = models.find(models.default)
        return {
            "model": default.name,
            "models": list(models.names),
            "sha256": default.sha256,
            "provider": default.networks[0].provider,
            "queue_depth": self.reader.depth,
            "limits": {name: getattr(self.settings, name) for name in LIMITS},
        }


def drawn() -> NDArray[np.uint8]:
    """Returns a picture (56, 56) of a seven, dark on white."""
    picture = Image.new("L", (56, 56), 255)
    ImageDraw.Draw(picture).line([(14, 12), (40, 12), (24, 46)], fill=0, width=4, joint="curve")
    return np.asarray(picture)


def _check_model(settings: Settings) -> None:
    try:
        names = read_records(settings.weights)
    except WeightsError as error:
        raise ValueError(f"DIGIT_WEIGHTS={settings.weights}: {error}") from error
    if settings.model not in names:
        raise ValueError(f"DIGIT_MODEL={settings.model!r}: there are {', '.join(names)}")
