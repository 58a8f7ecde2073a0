"""The file of a model: safetensors with one JSON string of metadata, the same bytes for the same model.

A file comes from a client: nothing in it is believed before it is checked.
"""

from typing import Annotated, Any, Literal

import msgspec
import numpy as np
from msgspec import Meta
from numpy.typing import NDArray
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from anomaly.preprocess import FEATURES, MAX_WINDOW

MAX_FILE_BYTES = 4 * 1024 * 1024
MAX_SENSORS = 1024
MAX_FEATURES = 2048
FORMAT = 1
KEY = "anomaly"
DTYPES = {"F32": "<f4", "F64": "<f8"}

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Number = Annotated[float, Meta(ge=-1e308, le=1e308)]
Positive = Annotated[float, Meta(ge=1e-13, le=1e12)]


class ModelFileError(ValueError):
    """A model file cannot be read; the text says why."""


class Sensor(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sensor's name, unit, and physical range, outside which a value cannot be."""

    name: Name
    unit: Annotated[str, Meta(max_length=64)] = ""
    low: Number | None = None
    high: Number | None = None


class CalibrationEntry(msgspec.Struct, frozen=True):
    method: Literal["percentile", "false_alarm_rate", "extreme_value", "manual"]
    parameters: dict[Name, Number]
    nominal_false_alarm_rate: Annotated[float, Meta(ge=0, le=1)] | None
    rows: Annotated[int, Meta(ge=0)]
    block: Annotated[int, Meta(ge=1)]
    notes: tuple[Annotated[str, Meta(max_length=1000)], ...]


class Header(msgspec.Struct, frozen=True):
    """The metadata of a model file; arrays are tensors beside it."""

    format: Literal[1]
    kind: Literal["autoencoder", "pca"]
    sensors: Annotated[tuple[Sensor, ...], Meta(min_length=1, max_length=MAX_SENSORS)]
    window: Annotated[int, Meta(ge=1, le=MAX_WINDOW)]
    features: str
    threshold: Positive
    calibration: CalibrationEntry
    report: dict[str, Any]
    relu: Annotated[tuple[bool, ...], Meta(max_length=12)] = ()
    q_limit: Positive = 1.0
    t2_limit: Positive = 1.0


def write(header: Header, tensors: dict[str, NDArray[Any]]) -> bytes:
    """Returns the bytes of a file; raises ModelFileError where they are more than MAX_FILE_BYTES."""
    text = msgspec.json.encode(header, order="sorted").decode()
    contiguous = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
    data = save(contiguous, {KEY: text})
    if len(data) > MAX_FILE_BYTES:
        raise ModelFileError(
            f"the model would have {len(data)} bytes, the limit is {MAX_FILE_BYTES}: choose a smaller window or fewer "
            "hidden units"
        )
    return data


def read(data: bytes) -> tuple[Header, dict[str, NDArray[np.float64]]]:
    """Returns a file's header and its tensors in float64; raises ModelFileError for anything that is not a model's."""
    if len(data) > MAX_FILE_BYTES:
        raise ModelFileError(f"the file has {len(data)} bytes, the limit is {MAX_FILE_BYTES}")
    # A safetensors file may begin with the same byte: its header's length. Its ninth is always the brace.
    if data[:4] == b"PK\x03\x04" or (data[:1] == b"\x80" and data[8:9] != b"{"):
        raise ModelFileError(
            "this is a PyTorch or pickle file, not safetensors: use `python -m anomaly import model.pth`"
        )
    tensors = _tensors(data)
    header = _header(data)
    if header.features not in FEATURES:
        raise ModelFileError(f"the file wants the features {header.features!r:.64}, known are {', '.join(FEATURES)}")
    return header, tensors


def _tensors(data: bytes) -> dict[str, NDArray[np.float64]]:
    try:
        found: list[tuple[str, dict[str, Any]]] = deserialize(data)  # type: ignore[no-untyped-call]  # untyped there
    except (SafetensorError, ValueError, OverflowError) as error:
        raise ModelFileError(f"this is not a whole safetensors file ({str(error)[:200]!r})") from None
    tensors: dict[str, NDArray[np.float64]] = {}
    for name, entry in found:
        if entry["dtype"] not in DTYPES:
            raise ModelFileError(f"the tensor {name!r:.64} is {entry['dtype']}, only F32 and F64 are read")
        flat: NDArray[np.floating[Any]] = np.frombuffer(entry["data"], dtype=DTYPES[entry["dtype"]])
        array = flat.reshape(entry["shape"]).astype(np.float64)
        if not np.isfinite(array).all():
            raise ModelFileError(f"the tensor {name!r:.64} holds numbers that are not finite")
        tensors[name] = array
    return tensors


def _header(data: bytes) -> Header:
    """Reads the metadata, which `deserialize` keeps to itself, from the length-prefixed JSON at the start."""
    length = int.from_bytes(data[:8], "little")
    try:
        metadata = msgspec.json.decode(data[8 : 8 + length], type=dict[str, Any]).get("__metadata__") or {}
        if KEY not in metadata:
            raise ModelFileError(f"the file has no metadata {KEY!r}: it was not made by this service")
        return msgspec.json.decode(metadata[KEY], type=Header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise ModelFileError(f"the metadata cannot be read: {str(error)[:200]}") from None
