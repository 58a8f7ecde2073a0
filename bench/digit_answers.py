"""MNIST's test images as PNG files: how many `POST /predict` reads right, and whether a ZIP is answered the same."""

import gzip
import io
import json
import struct
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench import pictures_digit, servers
from bench.report import Row

NEEDS_MNIST = True
PER_ZIP = 2500
EXACT = ("prediction", "is_digit", "box", "model")
LAST_PLACE = 2e-6
GOALS = {"cnn_transformer": 0.996, "cnn": 0.9955}

Answers = list[dict[str, Any]]


def measure(mnist: str) -> Iterator[Row]:
    pixels, labels = (_read(Path(mnist, f"t10k-{name}-ubyte.gz")) for name in ("images-idx3", "labels-idx1"))
    pngs = [_png(each) for each in pixels]
    with servers.digit(rate_limit_per_s="1000000", rate_limit_burst="1000000", access_log="false") as server:
        connection = HTTPConnection("127.0.0.1", server.port, timeout=300)
        for model, goal in GOALS.items():
            single = _one_by_one(connection, model, pngs)
            right = float(np.mean([answer["prediction"] for answer in single] == labels))
            yield Row(f"MNIST test through /predict, {model}, share right", right, f"at least {goal}", right >= goal)
            zipped = _zipped(connection, model, pngs)
            unequal = sum(not _is_equal(*pair) for pair in zip(single, zipped, strict=True))
            what = f"answers of {len(pngs):,} that differ in a ZIP, {model}"
            yield Row(what, unequal, "none", unequal == 0)
        connection.close()


def _is_equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """A larger batch adds up in another order: probabilities may differ in the last of the places that are told."""
    apart = np.subtract(one["probabilities"], other["probabilities"])
    return bool(np.abs(apart).max() < LAST_PLACE) and all(one[name] == other[name] for name in EXACT)


def _read(path: Path) -> NDArray[np.uint8]:
    """Reads an IDX file: (n, 28, 28) pixels or (n,) labels."""
    data = gzip.decompress(path.read_bytes())
    n_axes = data[3]
    shape = struct.unpack(f">{n_axes}I", data[4 : 4 + 4 * n_axes])
    return np.frombuffer(data, np.uint8, offset=4 + 4 * n_axes).reshape(shape)


def _png(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _one_by_one(connection: HTTPConnection, model: str, pngs: Sequence[bytes]) -> Answers:
    path = f"/predict?detail=true&model={model}"
    return [_post(connection, path, *pictures_digit.form("file", "x.png", png)) for png in pngs]


def _zipped(connection: HTTPConnection, model: str, pngs: Sequence[bytes]) -> Answers:
    answers: Answers = []
    path = f"/predict_batch?detail=true&model={model}"
    for start in range(0, len(pngs), PER_ZIP):
        archive = pictures_digit.zipped(list(pngs[start : start + PER_ZIP]))
        predictions = _post(connection, path, *pictures_digit.form("files", "x.zip", archive))["predictions"]
        answers += [predictions[f"{i}.png"] for i in range(len(predictions))]
    return answers


def _post(connection: HTTPConnection, path: str, body: bytes, media_type: str) -> dict[str, Any]:
    connection.request("POST", path, body, {"Content-Type": media_type})
    response = connection.getresponse()
    answer: dict[str, Any] = json.loads(response.read())
    if response.status != 200:
        raise RuntimeError(f"{path} answered {response.status}: {answer.get('error')}")
    return answer
