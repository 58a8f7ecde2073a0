"""An operator's own model: a folder of `model.onnx` with `labels.json`, or as Hugging Face's Optimum exports it.

It reads the whole picture, or the region that is asked for: which vehicles such a model knows is not to be seen, so
the shipped gate does not stand before it.
"""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from servicekit.threads import Pool

from cars import postprocess, region
from cars.backends import folder_labels, folder_pixels
from cars.backends.folder_labels import FolderError
from cars.backends.folder_network import FILE, OperatorNetwork
from cars.backends.folder_pixels import Recipe
from cars.labels import Label
from cars.recognition import BackendName, Box, Recognition

__all__ = ["Folder", "FolderError"]

THRESHOLD = 0.5  # nothing is known of how well its confidences are calibrated
VERSION_DIGITS = 12  # of the sha256, enough to tell models apart


class Folder:
    """Recognises with the ONNX file of a folder; `threshold` is of the first answer's confidence."""

    name: BackendName = "folder"

    def __init__(self, pool: Pool, folder: Path, threshold: float | None = None) -> None:
        self.threshold = THRESHOLD if threshold is None else threshold
        self._pool, self._folder = pool, folder
        self._loaded: tuple[OperatorNetwork, Recipe, tuple[Label, ...]] | None = None

    async def open(self) -> None:
        """Loads and tries the model; raises FolderError."""
        self._loaded = await self._pool.run(_load, self._folder)

    async def close(self) -> None:
        self._loaded = None

    async def recognise(self, image: Image.Image, data: bytes, content_type: str, bbox: Box | None) -> Recognition:  # noqa: ARG002 - others send the file
        """Recognises a picture on the pool; raises region.BoxError."""
        return await self._pool.run(self.read, image, bbox)

    def read(self, image: Image.Image, bbox: Box | None = None) -> Recognition:
        """Recognises an upright RGB picture on the calling thread; raises region.BoxError."""
        network, recipe, labels = self._open
        box = None if bbox is None else region.checked(bbox, image.size)
        corners = None if box is None else (box.x, box.y, box.x + box.width, box.y + box.height)
        p = network.probabilities(recipe.prepared(image, corners))
        shares = postprocess.shares(labels, p)
        recognized = bool(p.max() >= self.threshold)
        return Recognition(
            predictions=postprocess.likeliest(labels, p),
            recognized=recognized,
            reason=None if recognized else "low_confidence",
            make=shares.make,
            model=shares.model,
            body=shares.body,
            year=shares.year,
            region=box,
            backend=self.name,
            model_name=self._folder.name,
            model_version=network.sha256[:VERSION_DIGITS],
        )

    def details(self) -> dict[str, Any]:
        """Returns what was read from the files, and what was assumed where they do not tell."""
        network, recipe, labels = self._open
        return {
            "backend": self.name,
            "model": self._folder.name,
            "model_version": network.sha256[:VERSION_DIGITS],
            "sha256": network.sha256,
            "size_bytes": network.size_bytes,
            "provider": network.provider,
            "classes": len(labels),
            "threshold": self.threshold,
            "layout": "NCHW" if network.input.channels_first else "NHWC",
            "size": recipe.size,
            "mean": recipe.mean,
            "std": recipe.deviation,
            "normalisation": folder_pixels.CONFIG if recipe.stated else "assumed",
            "softmax": "in the model" if network.is_softmax else "applied here",
        }

    async def probe(self) -> None:
        """Recognises a grey picture, which nothing may raise for."""
        await self._pool.run(self.read, Image.fromarray(np.full((64, 96, 3), 127, np.uint8)))

    @property
    def labels(self) -> tuple[Label, ...]:
        return self._open[2]

    @property
    def _open(self) -> tuple[OperatorNetwork, Recipe, tuple[Label, ...]]:
        if self._loaded is None:
            message = "the model is not loaded"
            raise RuntimeError(message)
        return self._loaded


def _load(folder: Path) -> tuple[OperatorNetwork, Recipe, tuple[Label, ...]]:
    labels, network = folder_labels.read(folder), OperatorNetwork(folder)
    recipe = _recipe(folder / folder_pixels.CONFIG, network)
    size = recipe.size
    if size is None:
        raise FolderError(
            f"{folder_pixels.CONFIG}: size is {recipe.resize}, the shorter side alone; without a crop each picture has "
            f"another size"
        )
    if network.input.size not in (None, size):
        raise FolderError(f"{FILE} reads {network.input.size} px, {folder_pixels.CONFIG} makes {size} (height, width)")
    network.check(size, len(labels))
    return network, recipe, labels


def _recipe(path: Path, network: OperatorNetwork) -> Recipe:
    """Returns what the file says; where there is none, the size is the network's. Raises FolderError."""
    if path.exists():
        return folder_pixels.read(path)
    if network.input.size is None:
        raise FolderError(f"{FILE} takes pictures of any size, and {path.name}, which could tell one, is not there")
    return folder_pixels.assumed(network.input.size, floating=network.input.type != "uint8")
