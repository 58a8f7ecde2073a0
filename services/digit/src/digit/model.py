"""The networks: ONNX files run by ONNX Runtime, alone or as an ensemble. Nothing here knows of HTTP."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from servicekit import onnx, weights
from servicekit.weights import Weights, WeightsError

from digit.postprocess import Outputs, averaged, calibrated, joined

Pixels = NDArray[np.float32]

OUTPUTS = ("logits", "digit_logit")
MAX_BATCH = 16  # larger ones are no faster for each picture and take memory
SUFFIX = ".onnx"


class Record(msgspec.Struct, frozen=True):
    """What `weights.json` says of a file of weights, or of an ensemble, which has `members` instead of a file."""

    temperature: float
    digit_threshold: float  # probability from which on it is a digit
    accuracy: dict[str, float]  # by the name of the set of pictures
    framework: str = ""
    parameters: int = 0
    members: tuple[str, ...] = ()


class Network:
    """One ONNX file: `pixels` in, `logits` (n, 10) and `digit_logit` (n,) out."""

    def __init__(self, file: Weights, record: Record) -> None:
        self.sha256 = file.sha256
        self.size_bytes = len(file.data)
        self.record = record
        self._session = onnx.session(file.data)
        self.provider: str = self._session.get_providers()[0]
        shape = self._session.get_inputs()[0].shape  # (n, 1, 28, 28) from PyTorch, (n, 28, 28, 1) from Keras
        self._channel_axis = 1 if shape[1] == 1 else 3

    def run(self, pixels: Pixels) -> Outputs:
        feed = {"pixels": np.expand_dims(pixels, self._channel_axis)}
        logits, digit_logit = self._session.run(OUTPUTS, feed)
        return calibrated(logits, digit_logit, self.record.temperature)


@dataclass(frozen=True, eq=False)
class Model:
    """One network, or several whose probabilities are averaged and calibrated once more."""

    name: str
    networks: tuple[Network, ...]
    record: Record

    @property
    def framework(self) -> str:
        return self.record.framework or " + ".join(sorted({network.record.framework for network in self.networks}))

    @property
    def parameters(self) -> int:
        return sum(network.record.parameters for network in self.networks)

    @property
    def size_bytes(self) -> int:
        return sum(network.size_bytes for network in self.networks)

    @property
    def sha256(self) -> str:
        """The file's; an ensemble's is that of its members' digests, one after the other."""
        if not self.record.members:
            return self.networks[0].sha256
        return hashlib.sha256("".join(network.sha256 for network in self.networks).encode()).hexdigest()

    def predict(self, pixels: Pixels) -> Outputs:
        """Infers pictures (n, 28, 28) in [0, 1], white ink on black, on the calling thread and MAX_BATCH at a time."""
        return joined([self._run(pixels[i : i + MAX_BATCH]) for i in range(0, len(pixels), MAX_BATCH)])

    def _run(self, pixels: Pixels) -> Outputs:
        outputs = [network.run(pixels) for network in self.networks]
        return averaged(outputs, self.record.temperature) if self.record.members else outputs[0]


class Models:
    """All models of a folder, loaded; `default` answers where none is named."""

    def __init__(self, folder: Path, default: str) -> None:
        """Raises WeightsError for a file that is missing or not the recorded one."""
        records = read_records(folder)
        networks = {
            name: Network(weights.load(folder, name + SUFFIX), record)
            for name, record in records.items()
            if not record.members
        }
        self._models = {
            name: Model(name, tuple(networks[member] for member in record.members or (name,)), record)
            for name, record in records.items()
        }
        self.names = tuple(self._models)
        self.default = self._models[default].name

    def find(self, name: str) -> Model:
        """Returns a model; raises KeyError."""
        return self._models[name]

    def predict(self, name: str, pixels: Pixels) -> Outputs:
        return self._models[name].predict(pixels)


def read_records(folder: Path) -> dict[str, Record]:
    """Returns what `weights.json` says, by the models' names; raises WeightsError."""
    try:
        described = msgspec.json.decode((folder / "weights.json").read_bytes(), type=dict[str, Record])
    except (OSError, msgspec.DecodeError) as error:
        raise WeightsError(f"weights.json cannot be read from {folder.name}/: {error}") from error
    records = {name.removesuffix(SUFFIX): record for name, record in described.items()}
    for name, record in records.items():
        missing = [member for member in record.members if member not in records or records[member].members]
        if missing:
            raise WeightsError(f"the ensemble {name} has the member {missing[0]}, which is no file in weights.json")
    return records
