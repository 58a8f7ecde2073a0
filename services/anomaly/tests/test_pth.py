"""Files as torch.save writes them, made here byte by byte, and files that only look so."""

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from anomaly.learning import pth
from anomaly.learning.pth import PthError
from numpy.typing import NDArray

Array = NDArray[np.float32]

GENERATOR = np.random.default_rng(0)
LAYERS: dict[str, Array] = {
    "encoder.0.weight": GENERATOR.standard_normal((4, 3), np.float32),
    "encoder.0.bias": GENERATOR.standard_normal(4, np.float32),
    "encoder.2.weight": GENERATOR.standard_normal((2, 4), np.float32),
    "encoder.2.bias": GENERATOR.standard_normal(2, np.float32),
    "decoder.0.weight": GENERATOR.standard_normal((4, 2), np.float32),
    "decoder.0.bias": GENERATOR.standard_normal(4, np.float32),
    "decoder.2.weight": GENERATOR.standard_normal((3, 4), np.float32),
    "decoder.2.bias": GENERATOR.standard_normal(3, np.float32),
}


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"J" + struct.pack("<i", value)


def numbers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def called(name: str) -> bytes:
    module, _, attribute = name.rpartition(".")
    return b"c" + f"{module}\n{attribute}\n".encode()


ORDERED = called("collections.OrderedDict") + b")R"


def tensor_opcodes(
    key: str,
    size: Sequence[int],
    stride: Sequence[int],
    *,
    storage: str = "torch.FloatStorage",
    elements: int,
    offset: int = 0,
) -> bytes:
    persistent = b"(" + text("storage") + called(storage) + text(key) + text("cpu") + number(elements) + b"tQ"
    arguments = persistent + number(offset) + numbers(size) + numbers(stride) + b"\x89" + ORDERED
    return called("torch._utils._rebuild_tensor_v2") + b"(" + arguments + b"tR"


def state_dict(tensors: Mapping[str, bytes]) -> bytes:
    """A pickled OrderedDict with the attribute `_metadata` that PyTorch hangs on it."""
    items = b"".join(text(name) + opcodes for name, opcodes in tensors.items())
    metadata = b"}" + text("_metadata") + ORDERED + b"sb"
    return b"\x80\x02" + ORDERED + b"(" + items + b"u" + metadata + b"."


def opcodes_of(layers: Mapping[str, Array]) -> dict[str, bytes]:
    return {
        name: tensor_opcodes(
            str(i), array.shape, [step // array.itemsize for step in array.strides], elements=array.size,
            storage={"f": "torch.FloatStorage", "d": "torch.DoubleStorage", "e": "torch.HalfStorage"}[array.dtype.char],
        )
        for i, (name, array) in enumerate(layers.items())
    }  # fmt: skip


def archive(
    pickled: bytes, blobs: Sequence[bytes] = (), *, order: str | None = "little", compression: int = 0
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as file:
        file.writestr("model/data.pkl", pickled)
        if order is not None:
            file.writestr("model/byteorder", order)
        for i, blob in enumerate(blobs):
            file.writestr(f"model/data/{i}", blob)
        file.writestr("model/version", "3\n")
    return stream.getvalue()


def saved(layers: Mapping[str, Array] = LAYERS) -> bytes:
    return archive(state_dict(opcodes_of(layers)), [array.tobytes() for array in layers.values()])


def test_reads_the_layers_in_their_order() -> None:
    network = pth.read(saved())
    assert network.layers == [3, 4, 2, 4, 3]
    assert network.relu == (True, True, True, False)
    assert np.array_equal(network.weights[0], LAYERS["encoder.0.weight"])
    assert np.array_equal(network.biases[3], LAYERS["decoder.2.bias"])


def test_scores_as_the_layers_say() -> None:
    rows = GENERATOR.standard_normal((10, 3))
    hidden = rows
    for i, part in enumerate(["encoder.0", "encoder.2", "decoder.0", "decoder.2"]):
        hidden = hidden @ LAYERS[f"{part}.weight"].T.astype(np.float64) + LAYERS[f"{part}.bias"]
        hidden = np.maximum(hidden, 0) if i < 3 else hidden
    assert pth.read(saved()).residuals(rows) == pytest.approx(rows - hidden)


@pytest.mark.parametrize("prefix", ["model.", "module.net."])
def test_names_may_have_a_prefix(prefix: str) -> None:
    assert pth.read(saved({prefix + name: array for name, array in LAYERS.items()})).layers == [3, 4, 2, 4, 3]


def test_a_single_layer_each_and_no_bias_are_read() -> None:
    network = pth.read(
        saved({"encoder.weight": LAYERS["encoder.0.weight"], "decoder.weight": LAYERS["decoder.2.weight"]})
    )
    assert network.layers == [3, 4, 3]
    assert not np.concatenate(network.biases).any()


@pytest.mark.parametrize("dtype", [np.float16, np.float64])
def test_half_and_double_are_read(dtype: type) -> None:
    network = pth.read(saved({name: array.astype(dtype) for name, array in LAYERS.items()}))
    assert network.weights[0] == pytest.approx(LAYERS["encoder.0.weight"], abs=2e-3)


def test_transposed_and_shared_storages_are_read() -> None:
    """A tensor may be a view: with an offset, or strides the other way round."""
    matrix = LAYERS["encoder.0.weight"]
    blob = np.concatenate([[np.float32(7)], matrix.T.ravel()]).astype(np.float32)
    layers = opcodes_of(LAYERS) | {"encoder.0.weight": tensor_opcodes("0", [4, 3], [1, 4], elements=13, offset=1)}
    blobs = [blob.tobytes(), *(array.tobytes() for array in list(LAYERS.values())[1:])]
    assert np.array_equal(pth.read(archive(state_dict(layers), blobs)).weights[0], matrix)


def test_big_endian_files_are_read() -> None:
    swapped = [array.astype(">f4").tobytes() for array in LAYERS.values()]
    network = pth.read(archive(state_dict(opcodes_of(LAYERS)), swapped, order="big"))
    assert np.array_equal(network.weights[0], LAYERS["encoder.0.weight"])


def test_a_checkpoint_with_a_state_dict_inside_is_read() -> None:
    inner = state_dict(opcodes_of(LAYERS))[2:-1]
    pickled = b"\x80\x02}(" + text("epoch") + number(3) + text("model_state_dict") + inner + b"u."
    assert pth.read(archive(pickled, [array.tobytes() for array in LAYERS.values()])).layers == [3, 4, 2, 4, 3]


class Evil:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_pickle_that_would_run_a_command_runs_nothing(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "ran"
    pickled = pickle.dumps({"encoder.0.weight": Evil(marker)}, protocol)
    for data in (archive(pickled), pickled):
        with pytest.raises(PthError):
            pth.read(data)
    assert not marker.exists()


@pytest.mark.parametrize(
    "name", ["builtins.eval", "builtins.getattr", "torch.load", "anomaly_model.AutoEncoder", "torch.serialization.load"]
)
def test_every_other_name_is_refused_by_its_name(name: str) -> None:
    with pytest.raises(PthError, match=f"wants to call '{name}'.*state_dict"):
        pth.read(archive(b"\x80\x02" + called(name) + b")R."))


@pytest.mark.parametrize("storage", ["torch.BFloat16Storage", "torch.LongStorage", "torch.QInt8Storage"])
def test_other_kinds_of_numbers_are_refused(storage: str) -> None:
    opcodes = tensor_opcodes("0", [1, 1], [1, 1], elements=1, storage=storage)
    with pytest.raises(PthError, match="only float16, float32 and float64"):
        pth.read(archive(state_dict({"encoder.0.weight": opcodes}), [b"\0" * 8]))


@pytest.mark.parametrize(
    "opcodes",
    [
        tensor_opcodes("0", [4, 3], [3, 1], elements=11),
        tensor_opcodes("0", [4, 3], [4, 1], elements=12),
        tensor_opcodes("0", [4, 3], [3, 1], elements=12, offset=1),
        tensor_opcodes("0", [4, 3], [3, 1], elements=12, offset=-1),
        tensor_opcodes("0", [4, 3], [3, -1], elements=12),
        tensor_opcodes("0", [4, -3], [3, 1], elements=12),
        tensor_opcodes("0", [2**31 - 1, 2**31 - 1], [0, 0], elements=12),
        tensor_opcodes("0", [4, 3], [3, 1], elements=2**31 - 1),
        tensor_opcodes("../../etc/passwd", [4, 3], [3, 1], elements=12),
        tensor_opcodes("99", [4, 3], [3, 1], elements=12),
        tensor_opcodes("0", [4, 3, 1], [3, 1, 1], elements=12),
        tensor_opcodes("0", [4, 3], [3], elements=12),
        number(3),
        text("weights"),
        b"N",
    ],
)  # fmt: skip
def test_a_tensor_that_reaches_beyond_its_numbers_is_refused(opcodes: bytes) -> None:
    layers = opcodes_of(LAYERS) | {"encoder.0.weight": opcodes}
    with pytest.raises(PthError):
        pth.read(archive(state_dict(layers), [array.tobytes() for array in LAYERS.values()]))


@pytest.mark.parametrize(
    ("pickled", "reason"),
    [
        (b"\x80\x02}r\xff\xff\xff\x7f.", "remembers more than"),
        (b"\x80\x02\x82\x01.", "the instruction EXT1"),
        (b"\x80\x02(cos\nsystem\nX\x02\x00\x00\x00lso.", "the instruction OBJ"),
        (b"(S'ls'\nios\nsystem\n.", "instruction"),
        (b"\x80\x02" + b"(" * 200_000 + b".", "remembers more than"),
        (b"\x80\x02", "damaged"),
        (b"", "damaged"),
        (b"\x80\x02N.", "no state_dict"),
        (b"\x80\x02}.", "no state_dict"),
        (b"\x80\x02]q\x00h\x00a.", "no state_dict"),
        (b"\x80\x02R.", "damaged"),
        (b"\x80\x02h\x05.", "damaged"),
        (b"\x80\x02" + text("x") + b"Q.", "in a way that torch.save never writes"),
        (b"\x80\x02" + called("torch._utils._rebuild_tensor_v2") + b"(tR.", "damaged"),
    ],
)
def test_a_pickle_that_no_state_dict_needs_is_refused(pickled: bytes, reason: str) -> None:
    with pytest.raises(PthError, match=reason):
        pth.read(archive(pickled))


def renamed(**names: str) -> bytes:
    return saved({names.get(name.replace(".", "_"), name): array for name, array in LAYERS.items()})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (renamed(encoder_0_weight="fc1.weight"), "'fc1.weight'"),
        (renamed(encoder_0_weight="encoder.1.running_mean"), "only linear layers"),
        (saved({**LAYERS, "x.encoder.0.weight": LAYERS["encoder.0.weight"]}), "two tensors are the weight"),
        (saved({k: v for k, v in LAYERS.items() if k.startswith("encoder")}), "an encoder and a decoder"),
        (saved({k: v for k, v in LAYERS.items() if k != "encoder.2.weight"}), "no weight matrix"),
        (saved({**LAYERS, "encoder.2.weight": np.ones((2, 5), np.float32)}), "do not fit"),
        (saved({**LAYERS, "encoder.2.bias": np.ones(3, np.float32)}), "do not fit"),
        (
            saved(LAYERS | {"decoder.2.weight": np.ones((2, 4), np.float32), "decoder.2.bias": np.ones(2, np.float32)}),
            "no autoencoder",
        ),
        (saved({**LAYERS, "decoder.2.bias": np.full(3, np.nan, np.float32)}), "not finite"),
        (saved({**LAYERS, "decoder.2.bias": np.full(3, 1e30, np.float32)}), "not finite numbers of at most"),
    ],
)  # fmt: skip
def test_a_network_of_another_kind_is_refused_with_a_sentence(data: bytes, reason: str) -> None:
    with pytest.raises(PthError, match=reason):
        pth.read(data)


def test_a_file_cut_off_or_damaged_anywhere_is_refused() -> None:
    whole = saved()
    for length in range(0, len(whole), 97):
        with pytest.raises(PthError):
            pth.read(whole[:length])
    changed = 0
    for place in range(0, len(whole), 61):
        try:
            pth.read(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        except PthError:
            changed += 1
    assert changed > 0  # some bytes are padding; none may raise anything else


def test_compressed_entries_are_refused_so_that_nothing_can_unfold() -> None:
    bomb = archive(b"\x80\x02}.", [b"\0" * 10_000_000], compression=zipfile.ZIP_DEFLATED)
    assert len(bomb) < 20_000
    with pytest.raises(PthError, match="compressed entries"):
        pth.read(bomb)


def test_too_many_entries_and_too_large_a_pickle_are_refused() -> None:
    with pytest.raises(PthError, match="entries, the limit"):
        pth.read(archive(b"\x80\x02}.", [b""] * 2000))
    with pytest.raises(PthError, match="bytes, the limit"):
        pth.read(archive(b"\x80\x02}." + b"\0" * pth.MAX_PICKLE_BYTES))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.", "from before 1.6"),
        (pickle.dumps({"a": 1}), "bare pickle"),
        (b"", "a ZIP is expected"),
        (b"\x93NUMPY", "a ZIP is expected"),
        (b"PK\x03\x04" + b"\0" * 100, "damaged"),
    ],
)
def test_other_formats_are_refused_by_what_they_are(data: bytes, reason: str) -> None:
    with pytest.raises(PthError, match=reason):
        pth.read(data)


def test_a_zip_of_something_else_is_refused() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("readme.txt", "hello")
    with pytest.raises(PthError, match=r"no data\.pkl"):
        pth.read(stream.getvalue())
