import hashlib
import json
from pathlib import Path

import pytest
from servicekit import weights


def write(folder: Path, data: bytes, sha256: str) -> None:
    (folder / "model.bin").write_bytes(data)
    provenance = {"model.bin": {"sha256": sha256, "made_by": "train.py"}}
    (folder / "weights.json").write_text(json.dumps(provenance), encoding="utf-8")


def test_reads_weights_that_are_the_ones_described(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"abc").hexdigest()
    write(tmp_path, b"abc", digest)
    loaded = weights.load(tmp_path, "model.bin")
    assert (loaded.data, loaded.sha256, loaded.provenance["made_by"]) == (b"abc", digest, "train.py")


def test_refuses_weights_that_somebody_changed(tmp_path: Path) -> None:
    write(tmp_path, b"abd", hashlib.sha256(b"abc").hexdigest())
    with pytest.raises(weights.WeightsError, match=r"model\.bin has the sha256 .*, weights\.json expects"):
        weights.load(tmp_path, "model.bin")


@pytest.mark.parametrize("description", [None, "{", "[]", "{}", '{"model.bin": {}}', '{"model.bin": 3}'])
def test_says_what_is_missing(tmp_path: Path, description: str | None) -> None:
    if description:
        (tmp_path / "weights.json").write_text(description, encoding="utf-8")
    with pytest.raises(weights.WeightsError, match=r"the weights model\.bin cannot be read from"):
        weights.load(tmp_path, "model.bin")
