"""weights.json: what is told of each file of weights, and of the ensemble."""

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from safetensors.numpy import load_file

FILES = ("cnn_transformer.onnx", "cnn.onnx")
ENSEMBLE = "ensemble"
MADE_BY = {"cnn_transformer.onnx": ("PyTorch", "train.torch_train"), "cnn.onnx": ("Keras", "train.keras_train")}
STATISTICS = ("running_", "moving_", "num_batches")
DATA = "MNIST (55,000 of the 60,000 training images), digits and other pictures drawn by train/strokes and fonts"


def read(folder: Path) -> dict[str, dict[str, Any]]:
    """Returns the records of a folder; none where there is no weights.json yet."""
    path = folder / "weights.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def write(folder: Path, records: dict[str, dict[str, Any]]) -> None:
    """Writes weights.json, in the order of FILES and the ensemble last."""
    ordered = {name: records[name] for name in (*FILES, ENSEMBLE) if name in records}
    text = json.dumps(ordered, indent=2, ensure_ascii=False)
    (folder / "weights.json").write_text(text + "\n", encoding="utf-8")


def parameters_of(native: Path) -> int:
    """Returns how many numbers a network learned; statistics of batches are measured and not learned."""
    arrays = load_file(native)
    return sum(array.size for name, array in arrays.items() if not any(word in name for word in STATISTICS))


def describe(folder: Path, name: str, models: Path, commit: str) -> dict[str, Any]:
    """Returns the record of a file of weights, before it is calibrated or evaluated."""
    framework, module = MADE_BY[name]
    return {
        "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        "commit": commit,
        "data": DATA,
        "made": f"python -m {module}",
        "framework": framework,
        "parameters": parameters_of((models / name).with_suffix(".safetensors")),
        "temperature": 1.0,
        "digit_threshold": 0.5,
        "accuracy": {},
    }


def head() -> str:
    """Returns the commit that is checked out, or "unknown" outside a repository."""
    asked = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)  # noqa: S607
    return asked.stdout.strip() or "unknown"
