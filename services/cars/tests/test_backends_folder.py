"""An operator's folder, with small ONNX files that are written here byte by byte.

Their network takes the mean colour of the picture and multiplies it with a matrix: a red picture is of the first class,
a green one of the second, a blue one of the third.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cars.backends.folder import Folder, FolderError
from cars.recognition import Box, Recognition
from cars.region import BoxError
from PIL import Image
from servicekit.threads import Pool

FLOAT, UINT8, INT64, FLOAT16 = 1, 2, 7, 10  # of ONNX's TensorProto.DataType
NAMES = ["Fiat Panda Hatchback 2019", "Seat Ibiza Hatchback 2017", "Seat Leon Wagon 2017"]
Shape = tuple[int | str, ...]


def varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(rest) if rest else bytes([low])


def field(number: int, *values: int | str | bytes) -> bytes:
    """Returns a field of protobuf, as often as there are values."""
    made = b""
    for value in values:
        if isinstance(value, int):
            made += varint(number << 3) + varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            made += varint(number << 3 | 2) + varint(len(content)) + content
    return made


def described(name: str, kind: int, shape: Shape) -> bytes:
    sides = [field(2, side) if isinstance(side, str) else field(1, side) for side in shape]
    tensor = field(1, kind) + field(2, field(1, *sides))
    return field(1, name) + field(2, field(1, tensor))


def node(operation: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    return field(1, *inputs) + field(2, output) + field(4, operation) + field(5, *attributes)


def whole(name: str, value: int) -> bytes:
    return field(1, name) + field(3, value) + field(20, 2)


def wholes(name: str, *values: int) -> bytes:
    return field(1, name) + field(8, *values) + field(20, 7)


def onnx(
    shape: Shape,
    kind: int = FLOAT,
    axes: tuple[int, int] = (2, 3),
    gain: float = 10.0,
    softmax: bool = False,
    outputs: tuple[str, ...] = ("logits",),
    classes: int = 3,
    inputs: tuple[str, ...] = ("pixel_values",),
) -> bytes:
    """Returns a model: cast, mean over both axes, times a matrix, perhaps softmax."""
    matrix = (np.eye(3, classes) * gain).astype("<f4")
    last = "sums" if softmax else outputs[0]
    nodes = [
        node("Cast", [inputs[0]], "floating", whole("to", FLOAT)),
        node("ReduceMean", ["floating"], "colour", wholes("axes", *axes), whole("keepdims", 0)),
        node("MatMul", ["colour", "matrix"], last),
        *([node("Softmax", [last], outputs[0], whole("axis", 1))] if softmax else []),
        *(node("Identity", ["colour"], name) for name in outputs[1:]),
    ]
    tensor = field(1, 3, classes) + field(2, FLOAT) + field(8, "matrix") + field(9, matrix.tobytes())
    graph = field(1, *nodes) + field(2, "made") + field(5, tensor)
    graph += field(11, *(described(name, kind, shape) for name in inputs))
    graph += field(12, *(described(name, FLOAT, (1, classes if not i else 3)) for i, name in enumerate(outputs)))
    return field(1, 8) + field(7, graph) + field(8, field(2, 13))


NCHW: Shape = (1, 3, 32, 32)
OPTIMUM: Shape = ("batch_size", "num_channels", "height", "width")
VIT = {
    "do_resize": True,
    "size": {"height": 48, "width": 64},
    "resample": 2,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
    "image_processor_type": "ViTImageProcessor",
}


@pytest.fixture
def pool() -> Iterator[Pool]:
    made = Pool("reading", 1)
    yield made
    made.close()


def write(folder: Path, model: bytes, labels: Any = NAMES, config: Any = None, processor: Any = None) -> Path:
    (folder / "model.onnx").write_bytes(model)
    for name, content in (("labels", labels), ("config", config), ("preprocessor_config", processor)):
        if content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


def opened(pool: Pool, folder: Path, threshold: float | None = None) -> Folder:
    backend = Folder(pool, folder, threshold)
    asyncio.run(backend.open())
    return backend


def painted(colour: str, size: tuple[int, int] = (120, 80)) -> Image.Image:
    return Image.new("RGB", size, colour)


def first(found: Recognition) -> str:
    return found.predictions[0].label


@pytest.mark.parametrize(
    ("model", "processor"),
    [
        (onnx(NCHW), None),
        (onnx(("n", 3, 32, 32), FLOAT16), None),
        (onnx((1, 32, 32, 3), axes=(1, 2)), None),
        (onnx((1, 32, 32, 3), UINT8, axes=(1, 2), gain=0.1), None),
        (onnx((1, 3, 32, 32), UINT8, gain=0.1), None),
        (onnx(OPTIMUM), VIT),
        (onnx(("batch", "height", "width", "channels"), axes=(1, 2)), VIT),
        (onnx(NCHW, softmax=True), None),
    ],
    ids=["NCHW", "FP16", "NHWC", "uint8 NHWC", "uint8 NCHW", "Optimum", "Optimum NHWC", "softmax inside"],
)
def test_each_layout_and_type_is_read_from_the_file(pool: Pool, tmp_path: Path, model: bytes, processor: Any) -> None:
    backend = opened(pool, write(tmp_path, model, processor=processor))
    for colour, name in zip(("red", "lime", "blue"), NAMES, strict=True):
        found = backend.read(painted(colour))
        assert first(found) == name
        assert found.recognized
        assert sum(each.confidence for each in found.predictions) == pytest.approx(1)


def test_an_answer_says_who_made_it_and_what_its_names_share(pool: Pool, tmp_path: Path) -> None:
    backend = opened(pool, write(tmp_path, onnx(NCHW, gain=0.2)), threshold=0.1)
    found = backend.read(painted("blue"))
    assert (found.backend, found.model_name, found.region) == ("folder", tmp_path.name, None)
    assert found.model_version == backend.details()["sha256"][:12]
    assert found.make is not None
    assert found.make.value == "Seat"
    assert found.make.confidence > found.predictions[0].confidence


def test_probabilities_are_taken_as_they_are(pool: Pool, tmp_path: Path) -> None:
    softmax = opened(pool, write(tmp_path, onnx(NCHW, gain=1.0, softmax=True)))
    inside = softmax.read(painted("red")).predictions
    assert softmax.details()["softmax"] == "in the model"
    logits = opened(pool, write(tmp_path, onnx(NCHW, gain=1.0)))
    assert logits.details()["softmax"] == "applied here"
    outside = logits.read(painted("red")).predictions
    assert [each.confidence for each in inside] == pytest.approx([each.confidence for each in outside], abs=1e-6)


def test_less_than_the_threshold_is_not_recognized(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, onnx(NCHW, gain=0.01))
    found = opened(pool, tmp_path).read(painted("red"))
    assert (found.recognized, found.reason) == (False, "low_confidence")
    assert opened(pool, tmp_path, threshold=0.0).read(painted("red")).reason is None


def test_only_the_region_that_is_asked_for_is_read(pool: Pool, tmp_path: Path) -> None:
    picture = painted("red")
    picture.paste("blue", (60, 0, 120, 80))
    backend = opened(pool, write(tmp_path, onnx(NCHW)))
    box = Box(70, 10, 40, 60)
    found = asyncio.run(backend.recognise(picture, b"", "image/png", box))
    assert (first(found), found.region) == (NAMES[2], box)
    with pytest.raises(BoxError):
        backend.read(picture, Box(100, 0, 40, 60))


def test_a_crop_about_the_middle_leaves_the_edges_out(pool: Pool, tmp_path: Path) -> None:
    picture = painted("red", (300, 100))
    picture.paste("lime", (110, 0, 190, 100))
    cropping = VIT | {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": 30}
    assert first(opened(pool, write(tmp_path, onnx(OPTIMUM), processor=cropping)).read(picture)) == NAMES[1]
    assert first(opened(pool, write(tmp_path, onnx(OPTIMUM), processor=VIT)).read(picture)) == NAMES[0]


def test_colours_are_turned_round_where_the_file_says_so(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, onnx(OPTIMUM), processor=VIT | {"do_flip_channel_order": True})
    assert first(opened(pool, tmp_path).read(painted("red"))) == NAMES[2]


def test_pixels_are_scaled_and_normalised_as_the_file_says(pool: Pool, tmp_path: Path) -> None:
    plain = VIT | {"do_rescale": False, "do_normalize": False}
    write(tmp_path, onnx(OPTIMUM, gain=0.01), processor=plain)
    assert opened(pool, tmp_path).read(painted("red")).predictions[0].confidence == pytest.approx(
        np.exp(2.55) / (np.exp(2.55) + 2), abs=1e-3
    )
    write(tmp_path, onnx(OPTIMUM, gain=1.0), processor=VIT)
    assert opened(pool, tmp_path).read(painted("red")).predictions[0].confidence == pytest.approx(
        np.exp(1) / (np.exp(1) + 2 * np.exp(-1)), abs=1e-3
    )


def test_what_was_assumed_is_told(pool: Pool, tmp_path: Path) -> None:
    assumed = opened(pool, write(tmp_path, onnx(NCHW))).details()
    assert (assumed["normalisation"], assumed["layout"], assumed["size"]) == ("assumed", "NCHW", (32, 32))
    assert assumed["mean"] == pytest.approx((0.485, 0.456, 0.406))
    stated = opened(pool, write(tmp_path, onnx(OPTIMUM), processor=VIT)).details()
    assert (stated["normalisation"], stated["size"]) == ("preprocessor_config.json", (48, 64))


@pytest.mark.parametrize(
    ("labels", "config"),
    [
        (NAMES, None),
        ({"2": NAMES[2], "0": NAMES[0], "1": NAMES[1]}, None),
        (None, {"id2label": {str(i): name for i, name in enumerate(NAMES)}, "model_type": "vit"}),
        (
            [
                {"make": "Fiat", "model": "Panda", "body": "Hatchback", "year": 2019},
                {"make": "Seat", "model": "Ibiza", "body": "Hatchback", "year": 2017},
                {"name": NAMES[2], "make": "Seat", "model": "Leon", "body": "Wagon", "year": 2017},
            ],
            None,
        ),
    ],
    ids=["list", "by number", "Optimum", "objects"],
)
def test_names_are_read_in_each_form(pool: Pool, tmp_path: Path, labels: Any, config: Any) -> None:
    backend = opened(pool, write(tmp_path, onnx(NCHW), labels, config))
    assert [label.name for label in backend.labels] == NAMES
    assert [label.make for label in backend.labels] == ["Fiat", "Seat", "Seat"]
    assert [label.year for label in backend.labels] == [2019, 2017, 2017]


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ([], r"labels\.json is \[\]"),
        ("Audi", r"labels\.json is 'Audi'"),
        (["a", 5, "c"], r"labels\.json: entry 0 is 'a'"),
        ([{"make": 7}], r"entry 0 has the make 7"),
        ([{"make": "Audi", "year": "new"}], r"entry 0 has the year 'new'"),
        ([{}], "neither a name nor a make"),
        ({"0": "a", "2": "b"}, "has the key '2'"),
        (["a", "b"], "logits has 3 values, there are 2 names"),
        (["x" * 5000, 1], "…"),
    ],
)
def test_names_that_cannot_be_read_are_refused_with_the_value(
    pool: Pool, tmp_path: Path, labels: Any, says: str
) -> None:
    with pytest.raises(FolderError, match=says) as raised:
        opened(pool, write(tmp_path, onnx(NCHW), labels))
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"size": None}, "size is None"),
        ({"size": {"height": 0, "width": 5}}, "size is 0"),
        ({"size": {"longest_edge": 5}}, "size is {'longest_edge': 5}"),
        ({"size": {"shortest_edge": 32}}, "the shorter side alone"),
        ({"image_mean": [0.5]}, r"image_mean is \[0\.5\]"),
        ({"image_std": [0, 1, 1]}, r"image_std is \[0, 1, 1\]"),
        ({"image_std": None}, "image_std is None"),
        ({"rescale_factor": "much"}, "rescale_factor is 'much'"),
        ({"resample": 9}, "resample is 9"),
        ({"do_resize": "yes"}, "do_resize is 'yes'"),
        ({"do_pad": True}, "do_pad is True, which is not known here"),
        ({"rescale_offset": True}, "rescale_offset is True"),
        ({"do_center_crop": True}, "crop_size is None"),
    ],
)
def test_a_preprocessor_that_cannot_be_followed_is_refused_with_key_and_value(
    pool: Pool, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    with pytest.raises(FolderError, match=r"^preprocessor_config\.json: ") as raised:
        opened(pool, write(tmp_path, onnx(OPTIMUM), processor=VIT | change))
    assert raised.match(says)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (b"", "does not load"),
        (b"not a model", "does not load"),
        (onnx(OPTIMUM), "takes pictures of any size"),
        (onnx((1, "a", 32, "b")), "which axis has the colours"),
        (onnx((1, 3, 32, 3)), "which axis has the colours"),
        (onnx((8, 3, 32, 32)), "one picture"),
        (onnx((3, 32, "b"), axes=(1, 2)), "one picture"),
        (onnx(NCHW, INT64), r"tensor\(int64\)"),
        (onnx(NCHW, inputs=("pixels", "mask")), "has the inputs"),
        (onnx(NCHW, outputs=("classes", "features")), "has the outputs"),
        (onnx(NCHW, classes=5), "logits has 5 values, there are 3 names"),
        (onnx(NCHW, gain=float("nan")), "not finite"),
    ],
)
def test_a_network_that_cannot_be_asked_is_refused_with_the_reason(
    pool: Pool, tmp_path: Path, model: bytes, says: str
) -> None:
    with pytest.raises(FolderError, match=says):
        opened(pool, write(tmp_path, model))


def test_the_output_that_is_called_logits_is_taken(pool: Pool, tmp_path: Path) -> None:
    backend = opened(pool, write(tmp_path, onnx(NCHW, outputs=("logits", "features"))))
    assert first(backend.read(painted("lime"))) == NAMES[1]


def test_a_size_that_disagrees_with_the_network_is_refused(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(
        FolderError, match=r"model\.onnx reads \(32, 32\) px, preprocessor_config\.json makes \(48, 64\)"
    ):
        opened(pool, write(tmp_path, onnx(NCHW), processor=VIT))


@pytest.mark.parametrize(
    ("missing", "says"), [("model.onnx", "model.onnx cannot be read"), ("labels.json", "has neither")]
)
def test_a_missing_file_is_told(pool: Pool, tmp_path: Path, missing: str, says: str) -> None:
    (write(tmp_path, onnx(NCHW)) / missing).unlink()
    with pytest.raises(FolderError, match=says):
        opened(pool, tmp_path)


def test_a_configuration_without_names_and_one_that_is_no_json_are_told(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, onnx(NCHW), labels=None, config={"model_type": "vit"})
    with pytest.raises(FolderError, match=r"config\.json has no key id2label"):
        opened(pool, tmp_path)
    (tmp_path / "labels.json").write_text("[")
    with pytest.raises(FolderError, match=r"labels\.json cannot be read"):
        opened(pool, tmp_path)


def test_a_probe_recognises_a_picture_and_a_closed_backend_does_not(pool: Pool, tmp_path: Path) -> None:
    backend = opened(pool, write(tmp_path, onnx(NCHW)))
    asyncio.run(backend.probe())
    asyncio.run(backend.close())
    with pytest.raises(RuntimeError, match="not loaded"):
        asyncio.run(backend.probe())
