"""Reads the weights of an autoencoder from a PyTorch file, and runs nothing of what the file says.

`torch.save(model.state_dict(), "model.pth")` writes a ZIP of a pickle and raw tensors. The pickle is scanned opcode by
opcode before a restricted unpickler reads it, which knows four names and maps each to a function of this module.
Layout: torch/csrc/jit/serialization (BSD-3), read from its format, no code taken.
"""

import io
import math
import pickle
import pickletools
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anomaly.detector.autoencoder import Autoencoder
from anomaly.detector.modelfile import MAX_FEATURES
from anomaly.formats.tables import shown
from anomaly.model import MAX_WEIGHT
from anomaly.preprocess import FAR

Array = NDArray[np.float64]

MAX_FILE_BYTES = 64 * 1024 * 1024
MAX_ENTRIES, MAX_PICKLE_BYTES, MAX_ELEMENTS = 1024, 256 * 1024, 8 * 1024 * 1024
MAX_MEMO, MAX_LAYERS, MAX_DEPTH = 100_000, 12, 100
STORAGES: Final = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2"}
LEGACY_MAGIC = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
OPCODES: Final = re.compile(
    "PROTO|FRAME|STOP|(STACK_)?GLOBAL|REDUCE|BUILD|BINPERSID|MARK|NONE|NEWTRUE|NEWFALSE|EMPTY_(DICT|LIST|TUPLE)"
    "|TUPLE[123]?|SETITEMS?|APPENDS?|BININT[12]?|LONG1|BINFLOAT|(SHORT_)?BINUNICODE|(LONG_)?BIN(PUT|GET)|MEMOIZE"
)
LAYER = re.compile(r"(?:.+\.)?(?P<part>encoder|decoder)(?:\.(?P<place>\d{1,3}))?\.(?P<what>weight|bias)", re.ASCII)


class PthError(ValueError):
    """A PyTorch file is not one that can be imported; the text says why."""


@dataclass(frozen=True)
class _Storage:
    """A persistent id of the pickle: which entry holds a tensor's numbers, and how many."""

    dtype: str
    key: str
    elements: int


def read(data: bytes) -> Autoencoder:
    """Returns the autoencoder of a state_dict with `encoder.N.weight` and `decoder.N.weight`; raises PthError.

    A state_dict names no activations: ReLU is taken after every layer but the last. The inputs are not cut.
    """
    if len(data) > MAX_FILE_BYTES:
        raise PthError(f"the file has {len(data)} bytes, the limit is {MAX_FILE_BYTES}")
    if data[:4] != b"PK\x03\x04":
        raise PthError(_foreign(data))
    tensors = _state_dict(data)
    return _autoencoder(tensors)


def _foreign(data: bytes) -> str:
    if LEGACY_MAGIC in data[:64]:
        return "the file has PyTorch's format from before 1.6: load it there, and save it again with torch.save"
    if data[:1] == b"\x80":
        return "the file is a bare pickle, which could run anything: save model.state_dict() with torch.save"
    return "the file is not one that torch.save of PyTorch 1.6 or newer wrote: a ZIP is expected"


def _state_dict(data: bytes) -> dict[str, Array]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = _entries(archive)
            root = _unpickle(_entry(archive, entries, "data.pkl", MAX_PICKLE_BYTES))
            order = (
                _entry(archive, entries, "byteorder", 16).decode("ascii", "replace")
                if "byteorder" in entries
                else "little"
            )
            return _tensors(archive, entries, root, "<" if order != "big" else ">")
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, KeyError) as error:
        raise PthError(f"the file is damaged or cut off ({shown(str(error))})") from None


def _entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Returns the entries by name within the archive's one folder; raises PthError for what torch.save never writes."""
    infos = archive.infolist()
    if len(infos) > MAX_ENTRIES:
        raise PthError(f"the file has {len(infos)} entries, the limit is {MAX_ENTRIES}")
    if any(info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size for info in infos):
        raise PthError("the file has compressed entries, which torch.save never writes")
    if sum(info.file_size for info in infos) > MAX_FILE_BYTES:
        raise PthError(f"the entries have more than {MAX_FILE_BYTES} bytes, which is the limit")
    found = {info.filename.partition("/")[2]: info for info in infos}
    if "data.pkl" not in found:
        raise PthError("the ZIP holds no data.pkl: torch.save did not write it")
    return found


def _entry(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], name: str, most: int) -> bytes:
    if name not in entries:
        raise PthError(f"the entry {shown(name)} is missing")
    if entries[name].file_size > most:
        raise PthError(f"the entry {shown(name)} has {entries[name].file_size} bytes, the limit is {most}")
    return archive.read(entries[name])


def _unpickle(pickled: bytes) -> Any:
    _scan(pickled)
    try:
        return _Unpickler(io.BytesIO(pickled)).load()
    except PthError:
        raise
    except (pickle.UnpicklingError, ValueError, TypeError, EOFError, IndexError, AttributeError, KeyError) as error:
        raise PthError(f"the pickle is damaged ({shown(str(error))})") from None


def _scan(pickled: bytes) -> None:
    """Refuses opcodes that a state_dict never needs, and memo places that would take memory, before reading."""
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(pickled)):
            if not OPCODES.fullmatch(opcode.name):
                raise PthError(f"the pickle holds the instruction {opcode.name}, which no state_dict needs")
            place = argument if isinstance(argument, int) and opcode.name.endswith("BINPUT") else 0
            if max(place, count) > MAX_MEMO:
                raise PthError(f"the pickle remembers more than {MAX_MEMO} things, which is the limit")
    except PthError:
        raise
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise PthError(f"the pickle is damaged ({shown(str(error))})") from None


class _Unpickler(pickle.Unpickler):
    """Knows the names of a state_dict and no other; none of them is PyTorch's or Python's own."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _StateDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _Tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return _parameter
        if module == "torch" and name in STORAGES:
            return STORAGES[name]
        called = f"{module}.{name}"
        if module == "torch" and name.endswith("Storage"):
            raise PthError(f"the file holds tensors of {shown(called)}, only float16, float32 and float64 are read")
        raise PthError(
            f"the file wants to call {shown(called)}: it is no state_dict. Save torch.save(model.state_dict(), ...), "
            "not the model"
        )

    def persistent_load(self, pid: Any) -> _Storage:
        match pid:
            case ("storage", str(dtype), str(key), str(), int(elements)) if dtype in STORAGES.values():
                if re.fullmatch(r"\d{1,6}", key, re.ASCII) and 0 <= elements <= MAX_ELEMENTS:
                    return _Storage(dtype, key, elements)
        raise PthError("the file refers to a tensor in a way that torch.save never writes")


class _StateDict(dict[Any, Any]):
    """Stands in for an OrderedDict; the attributes that torch hangs on it (`_metadata`) are dropped."""

    def __setstate__(self, state: Any) -> None:
        return None


class _Tensor:
    """A tensor as its pickle describes it; checked and read only where it belongs to a layer."""

    def __init__(self, storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> None:
        numbers = (offset, *size, *stride)
        if not isinstance(storage, _Storage) or len(size) != len(stride) or len(size) > 2:
            raise PthError("the file holds a tensor that is not a vector or a matrix")
        if any(type(number) is not int or number < 0 for number in numbers) or math.prod(size) > MAX_ELEMENTS:
            raise PthError("the file holds a tensor of an impossible size")
        last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
        if math.prod(size) and last >= storage.elements:
            raise PthError("the file holds a tensor that reaches beyond its numbers")
        self.storage, self.offset, self.size, self.stride = storage, offset, tuple(size), tuple(stride)


def _parameter(data: Any, *_rest: Any) -> Any:
    return data


def _tensors(
    archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], root: Any, order: str
) -> dict[str, Array]:
    if isinstance(root, dict):
        root = next((root[key] for key in ("state_dict", "model_state_dict") if isinstance(root.get(key), dict)), root)
    if not isinstance(root, dict) or not root or not all(isinstance(name, str) for name in root):
        raise PthError("the file holds no state_dict: names with tensors are expected")
    odd = [name for name, tensor in root.items() if not (LAYER.fullmatch(name) and isinstance(tensor, _Tensor))]
    if odd:
        raise PthError(
            f"the file holds {shown(odd[0])}: only linear layers named encoder.N.weight, encoder.N.bias, "
            "decoder.N.weight and decoder.N.bias are read"
        )
    return {name: _numbers(archive, entries, tensor, order) for name, tensor in root.items()}


def _numbers(archive: zipfile.ZipFile, entries: Mapping[str, zipfile.ZipInfo], tensor: _Tensor, order: str) -> Array:
    dtype = np.dtype(order + tensor.storage.dtype)
    raw = _entry(archive, entries, f"data/{tensor.storage.key}", MAX_FILE_BYTES)
    if len(raw) != tensor.storage.elements * dtype.itemsize:
        raise PthError(f"the entry data/{tensor.storage.key} has {len(raw)} bytes, not what its tensor needs")
    flat = np.frombuffer(raw, dtype)
    strides = tuple(step * dtype.itemsize for step in tensor.stride)
    view = np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.size, strides, writeable=False)
    numbers = view.astype(np.float64)
    if not np.isfinite(numbers).all() or (numbers.size and float(np.abs(numbers).max()) > MAX_WEIGHT):
        raise PthError(f"the file holds weights that are not finite numbers of at most {MAX_WEIGHT:g}")
    return numbers


def _autoencoder(tensors: Mapping[str, Array]) -> Autoencoder:
    layers: dict[tuple[bool, int], dict[str, Array]] = {}
    for name, tensor in tensors.items():
        found = LAYER.fullmatch(name)
        if not found:  # _tensors has refused it
            continue
        place = (found["part"] == "decoder", int(found["place"] or 0))
        if found["what"] in layers.setdefault(place, {}):
            raise PthError(f"two tensors are the {found['what']} of the same layer, one of them {shown(name)}")
        layers[place][found["what"]] = tensor
    if not any(decoder for decoder, _ in layers) or all(decoder for decoder, _ in layers) or len(layers) > MAX_LAYERS:
        raise PthError(f"the file must hold an encoder and a decoder with at most {MAX_LAYERS} linear layers together")
    weights, biases = _chain([layers[place] for place in sorted(layers)])
    p = weights[0].shape[1]
    relu = (True,) * (len(weights) - 1) + (False,)
    return Autoencoder(tuple(weights), tuple(biases), relu, np.full(p, -FAR), np.full(p, FAR))


def _chain(layers: Sequence[Mapping[str, Array]]) -> tuple[list[Array], list[Array]]:
    """Checks that each layer takes what the one before it gives, and that the last gives what the first takes."""
    weights: list[Array] = []
    biases: list[Array] = []
    for layer in layers:
        weight = layer.get("weight", np.zeros(0))
        if weight.ndim != 2 or not weight.size:
            raise PthError("a layer has no weight matrix")
        bias = layer.get("bias", np.zeros(len(weight)))
        if bias.shape != (len(weight),) or (weights and weight.shape[1] != len(weights[-1])):
            raise PthError(f"the layers do not fit each other: one has the shape {weight.shape}")
        weights.append(weight)
        biases.append(bias)
    if len(weights[-1]) != weights[0].shape[1] or weights[0].shape[1] > MAX_FEATURES:
        raise PthError(
            f"the network takes {weights[0].shape[1]} values and gives back {len(weights[-1])}: no autoencoder"
        )
    return weights, biases
