"""An operator's `model.onnx`: what its inputs and outputs tell of themselves, checked before a picture comes."""

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from servicekit import onnx

from cars.backends.folder_labels import FolderError, shown
from cars.postprocess import probabilities

FILE = "model.onnx"
TYPES = {"tensor(uint8)": "uint8", "tensor(float)": "float32", "tensor(float16)": "float16"}
PREFERRED = "logits"
SUM_TOLERANCE = 1e-3  # of outputs that are probabilities
PROBES = 4  # pictures of noise that outputs are judged by
Array = NDArray[np.float64]


class Input(NamedTuple):
    name: str
    type: str  # as NumPy calls it
    channels_first: bool
    size: tuple[int, int] | None  # height, width; None: any


class OperatorNetwork:
    """Pixels (height, width, 3) to probabilities (classes,)."""

    def __init__(self, folder: Path) -> None:
        """Raises FolderError where the file is missing, does not load, or does not take one picture."""
        try:
            data = (folder / FILE).read_bytes()
        except OSError as error:
            raise FolderError(f"{FILE} cannot be read: {error.strerror}") from error
        self.sha256, self.size_bytes = hashlib.sha256(data).hexdigest(), len(data)
        try:
            self._session = onnx.session(data)
        except Exception as error:
            raise FolderError(f"{FILE} does not load: {shown(str(error))}") from error
        self.provider: str = self._session.get_providers()[0]
        self.input = _input(self._session.get_inputs())
        self._output = _output(self._session.get_outputs())
        self._is_softmax = False

    def check(self, size: tuple[int, int], classes: int) -> None:
        """Runs noise of (height, width) and learns whether the outputs are probabilities; raises FolderError."""
        noise = np.random.default_rng(0).normal(size=(PROBES, *size, 3))
        scaled = noise * 60 + 127 if self.input.type == "uint8" else noise
        found = np.stack([self._run(np.clip(each, -128, 255).astype(np.float32)) for each in scaled])
        if found.shape != (PROBES, classes):
            raise FolderError(f"{FILE}: {self._output} has {found.shape[-1]} values, there are {classes} names")
        if not np.isfinite(found).all():
            raise FolderError(f"{FILE}: {self._output} is not finite for a picture of noise")
        sums_to_one = np.abs(found.sum(1) - 1).max() < SUM_TOLERANCE
        self._is_softmax = bool(found.min() >= 0 and sums_to_one)

    @property
    def is_softmax(self) -> bool:
        """Whether the file answers probabilities, which `check` has found out."""
        return self._is_softmax

    def probabilities(self, pixels: NDArray[np.float32]) -> Array:
        found = self._run(pixels)
        return found if self._is_softmax else probabilities(found)

    def _run(self, pixels: NDArray[np.float32]) -> Array:
        """Returns the outputs (classes,); raises FolderError where the file does not take the picture."""
        ordered = pixels.transpose(2, 0, 1) if self.input.channels_first else pixels
        if self.input.type == "uint8":
            ordered = np.clip(np.rint(ordered), 0, 255)
        feed = {self.input.name: np.ascontiguousarray(ordered[None], self.input.type)}
        try:
            (found,) = self._session.run((self._output,), feed)
        except Exception as error:
            raise FolderError(f"{FILE} does not take a picture of {pixels.shape}: {shown(str(error))}") from error
        if found.ndim != 2 or len(found) != 1:
            raise FolderError(f"{FILE}: {self._output} has the shape {found.shape}; (1, classes) is read")
        return np.asarray(found[0], np.float64)


def _input(inputs: list[Any]) -> Input:
    if len(inputs) != 1:
        raise FolderError(f"{FILE} has the inputs {shown([each.name for each in inputs])}; one of pixels is read")
    name, shape, kind = inputs[0].name, inputs[0].shape, inputs[0].type
    if kind not in TYPES:
        raise FolderError(f"{FILE}: {name} is {kind}; {', '.join(TYPES)} are read")
    if len(shape) != 4 or not (shape[0] in (1, None) or isinstance(shape[0], str)):
        raise FolderError(f"{FILE}: {name} has the shape {shown(shape)}; one picture, (1 or any, …), is read")
    first = _channels_first(name, shape)
    sides = shape[2:] if first else shape[1:3]
    size = (sides[0], sides[1]) if all(isinstance(side, int) for side in sides) else None
    return Input(name, TYPES[kind], first, size)


def _channels_first(name: str, shape: list[Any]) -> bool:
    """Tells (n, 3, height, width) from (n, height, width, 3), by number or, as Optimum writes it, by name."""
    first, last = (axis == 3 or "channel" in str(axis) for axis in (shape[1], shape[3]))
    if first == last:
        raise FolderError(f"{FILE}: {name} has the shape {shown(shape)}; which axis has the colours is not told")
    return first


def _output(outputs: list[Any]) -> str:
    """Returns the name of the output with the classes: `logits`, or the only one."""
    names = [str(each.name) for each in outputs]
    if PREFERRED in names:
        return PREFERRED
    if len(names) != 1:
        raise FolderError(f"{FILE} has the outputs {shown(names)}; one, or one that is called {PREFERRED}, is read")
    return names[0]
