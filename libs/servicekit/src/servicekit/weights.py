"""Weights are data with provenance: `weights.json` beside the files says where each came from and its sha256."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class WeightsError(Exception):
    """A file of weights is missing or is not the one that `weights.json` describes."""


@dataclass(frozen=True)
class Weights:
    name: str
    data: bytes
    sha256: str
    provenance: dict[str, Any]


def load(folder: Path, name: str) -> Weights:
    """Reads one file of weights; raises WeightsError unless its sha256 is the recorded one."""
    try:
        provenance = json.loads((folder / "weights.json").read_text(encoding="utf-8"))[name]
        expected = provenance["sha256"]
        data = (folder / name).read_bytes()
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"the weights {name} cannot be read from {folder.name}/: {error!r}") from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected:
        raise WeightsError(f"{name} has the sha256 {digest}, weights.json expects {expected}")
    return Weights(name, data, digest, provenance)
