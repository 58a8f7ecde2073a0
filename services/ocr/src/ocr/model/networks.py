"""The three networks of PP-OCR in ONNX Runtime; thread-safe, and nothing is kept between calls."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from servicekit import onnx
from servicekit.onnx import Cpu, Device, Gpu, GpuError

from ocr.model import config, files
from ocr.model.errors import ModelError, ModelFault
from ocr.model.files import ROLES, ModelFile, Role
from ocr.preprocess import LINE_HEIGHT, STRIDE, Tensor
from ocr.settings import Settings

SPACE = " "
OUTPUT_DIMENSIONS: Mapping[Role, int] = {"det": 4, "cls": 2, "rec": 3}
TRIAL: Mapping[Role, tuple[int, ...]] = {
    "det": (1, 3, 2 * STRIDE, 2 * STRIDE),
    "cls": (1, 3, LINE_HEIGHT, 192),
    "rec": (1, 3, LINE_HEIGHT, 96),
}


class Network:
    """One ONNX file with one input and one output."""

    def __init__(self, role: Role, file: ModelFile, device: Device) -> None:
        """Raises ModelError where the file is not such a network, or there is no session on the GPU asked for."""
        self.file = file
        self._on_gpu = isinstance(device, Gpu)
        try:
            self._session = onnx.session(file.data, device)
        except GpuError as error:
            raise ModelError(f"OCR_USE_GPU=true, but {file.name} cannot run on a GPU: {error}") from error
        except Exception as error:
            raise ModelError(f"{file.name} cannot be loaded: {str(error)[:500]}") from error
        self.provider: str = self._session.get_providers()[0]
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ModelError(f"{file.name} has {len(inputs)} inputs, expected is 1: it is no {role} model of PP-OCR")
        self._input: str = inputs[0].name

    def characters(self) -> list[str] | None:
        """Returns the characters that a recogniser's file carries."""
        carried: str | None = self._session.get_modelmeta().custom_metadata_map.get("character")
        return config.split(carried) if carried else None

    def run(self, tensor: Tensor) -> NDArray[np.float32]:
        """Raises ModelFault where the GPU fails."""
        try:
            answer: NDArray[np.float32] = self._session.run(None, {self._input: tensor})[0]
        except Exception as error:
            if not self._on_gpu:
                raise
            raise ModelFault(f"{self.file.name} on {self.provider}: {str(error)[:500]}") from error
        return answer


@dataclass(frozen=True, eq=False)
class Models:
    """The networks by what they do, and the recogniser's classes: the blank, its characters, the space."""

    det: Network
    cls: Network
    rec: Network
    dictionary: tuple[str, ...]
    version: str

    @property
    def by_role(self) -> Mapping[Role, Network]:
        return {"det": self.det, "cls": self.cls, "rec": self.rec}

    @property
    def on_gpu(self) -> bool:
        return self.det.provider != onnx.CPU


def load(settings: Settings) -> Models:
    """Loads what the settings ask for; raises ModelError."""
    own = config.load(settings.model_config_path) if settings.model_config_path else None
    networks = {}
    for role in ROLES:
        file = files.read(own.models[role]) if own else files.standard(settings, role)
        networks[role] = Network(role, file, _device(settings, file))
        if own and not settings.use_gpu:
            _try(role, networks[role])
    rec = networks["rec"]
    characters = config.characters(own.dictionary) if own and own.dictionary else rec.characters()
    if characters is None:
        raise ModelError(f"{rec.file.name} carries no characters: name a dictionary in {settings.model_config_path}")
    models = Models(networks["det"], networks["cls"], rec, ("", *characters, SPACE), _version(settings))
    if not models.on_gpu:
        _check_dictionary(models)
    return models


def _version(settings: Settings) -> str:
    return "custom" if settings.model_config_path else settings.model_version


def _device(settings: Settings, file: ModelFile) -> Device:
    if not settings.use_gpu:
        return Cpu(arena=False)
    cache = onnx.program_folder(settings.cache_dir, file.data, settings.hip_index)
    return Gpu(settings.hip_index, cache)


def _try(role: Role, network: Network) -> None:
    """Refuses an operator's file that is a network of another kind."""
    try:
        answer = network.run(np.zeros(TRIAL[role], np.float32))
    except Exception as error:
        raise ModelError(f"{network.file.name} does not run as a {role} model: {str(error)[:500]}") from error
    if answer.ndim != OUTPUT_DIMENSIONS[role]:
        raise ModelError(
            f"{network.file.name} answers {answer.ndim} dimensions, a {role} model of PP-OCR {OUTPUT_DIMENSIONS[role]}"
        )


def _check_dictionary(models: Models) -> None:
    classes = models.rec.run(np.zeros(TRIAL["rec"], np.float32)).shape[2]
    if classes != len(models.dictionary):
        raise ModelError(
            f"{models.rec.file.name} tells {classes} classes apart, its dictionary makes {len(models.dictionary)}: "
            "the blank, one for each line, and the space"
        )
