"""The shipped model: the gate, the region, the 196 cars, and whether the answer is to be believed."""

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from servicekit.threads import Pool

from cars import model, postprocess, refusal, region
from cars.labels import LABELS
from cars.model import FOLDER, Model, Outputs
from cars.postprocess import Shares
from cars.preprocess import SIDE
from cars.recognition import BackendName, Box, Reason, Recognition

VERSION_DIGITS = 12  # of the sha256, enough to tell models apart


class Local:
    """Recognises with the ONNX files of a folder; `threshold` replaces the shipped one of the first confidence."""

    name: BackendName = "local"

    def __init__(self, pool: Pool, folder: Path = FOLDER, threshold: float | None = None) -> None:
        self._pool, self._folder, self._threshold = pool, folder, threshold
        self._model: Model | None = None

    async def open(self) -> None:
        """Loads the files; raises WeightsError."""
        self._model = await self._pool.run(model.load, self._folder)

    async def close(self) -> None:
        self._model = None

    async def recognise(self, image: Image.Image, data: bytes, content_type: str, bbox: Box | None) -> Recognition:  # noqa: ARG002 - others send the file
        """Recognises a picture on the pool; raises region.BoxError."""
        return await self._pool.run(self.read, image, bbox)

    def read(self, image: Image.Image, bbox: Box | None = None) -> Recognition:
        """Recognises an upright RGB picture on the calling thread; raises region.BoxError."""
        if bbox is None:
            seen = self.model.gate.look(image)
            score, box = seen.score, seen.regions[0]
        else:
            box = region.checked(bbox, image.size)
            score = self.model.gate.score(image, box)
        if score < self.model.gate.how.threshold:
            return self._answer((), Shares(), "no_car", None)
        outputs = self.model.network.read(image, box)
        p = postprocess.probabilities(outputs.logits[0], self.model.network.how.temperature)
        return self._answer(
            postprocess.likeliest(LABELS, p), postprocess.shares(LABELS, p), self._doubt(outputs, float(p.max())), box
        )

    def details(self) -> dict[str, Any]:
        """Returns what the files say of themselves."""
        how, network = self.model.network.how, self.model.network
        return {
            "backend": self.name,
            "model": how.name,
            "model_version": self._version,
            "sha256": network.sha256,
            "size_bytes": self.model.size_bytes,
            "provider": network.provider,
            "classes": len(LABELS),
            "threshold": self.threshold,
            "provisional": how.provisional,
            "figures": how.figures,
        }

    async def probe(self) -> None:
        """Asks both networks for a grey picture, which nothing may raise for."""
        await self._pool.run(self._probe)

    @property
    def model(self) -> Model:
        if self._model is None:
            message = "the model is not loaded"
            raise RuntimeError(message)
        return self._model

    @property
    def threshold(self) -> float:
        """The least confidence of a first answer that counts as recognized."""
        return self.model.network.how.threshold if self._threshold is None else self._threshold

    @property
    def _version(self) -> str:
        return self.model.network.sha256[:VERSION_DIGITS]

    def _doubt(self, outputs: Outputs, confidence: float) -> Reason | None:
        weighing = self.model.network.how.refusal
        measured = refusal.measures(self.model.memory, outputs.logits, outputs.features)
        if refusal.certainty(weighing, measured)[0] < weighing.threshold:
            return "unknown_model"
        return "low_confidence" if confidence < self.threshold else None

    def _answer(
        self, predictions: tuple[Any, ...], shares: Shares, reason: Reason | None, box: Box | None
    ) -> Recognition:
        return Recognition(
            predictions=predictions,
            recognized=reason is None,
            reason=reason,
            make=shares.make,
            model=shares.model,
            body=shares.body,
            year=shares.year,
            region=box,
            backend=self.name,
            model_name=self.model.network.how.name,
            model_version=self._version,
        )

    def _probe(self) -> None:
        grey = np.full((1, SIDE, SIDE, 3), 127, np.uint8)
        self.model.gate.run(grey)
        self.model.network.run(grey, mirrored=False)
