import json
import sys
from pathlib import Path

import pytest
from ocr.model import ModelError, files, load
from ocr.pipeline import Pipeline
from ocr.settings import Settings


def test_the_shipped_files_are_those_of_the_tables(pipeline: Pipeline) -> None:
    described = json.loads((files.SHIPPED / "weights.json").read_text(encoding="utf-8"))
    assert pipeline.sha256s["det"] == described[files.INT8["det"]]["sha256"]
    assert described[files.INT8["det"]]["source_sha256"] == files.V6["det"][1]
    assert (pipeline.sha256s["cls"], pipeline.sha256s["rec"]) == (files.V6["cls"][1], files.V6["rec"][1])
    assert (pipeline.version, pipeline.providers) == ("v6", ("CPUExecutionProvider",))


@pytest.mark.parametrize(("precision", "integers"), [("float", set()), ("int8-det", {"det"}), ("int8", {"det", "rec"})])
def test_the_precision_chooses_the_files(precision: str, integers: set[str]) -> None:
    settings = Settings(precision=precision)  # type: ignore[arg-type]  # one of the three
    chosen = {role for role in files.ROLES if files.standard(settings, role).name in files.INT8.values()}
    assert chosen == integers


def test_another_file_is_refused_with_both_digests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / files.V4_FOLDER
    folder.mkdir(parents=True)
    (folder / files.V4["det"][0]).write_bytes(b"something else")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ModelError, match=f"has the sha256 [0-9a-f]{{64}}, expected is {files.V4['det'][1]}"):
        load(Settings(model_version="v4"))


def test_missing_models_of_v4_are_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    with pytest.raises(ModelError, match=r"OCR_MODEL_VERSION=v4: there are no models in .*`make run`.*models-v4\.lock"):
        load(Settings(model_version="v4"))


@pytest.mark.skipif(not (Path(sys.prefix) / files.V4_FOLDER).is_dir(), reason="v4's models are not installed")
def test_v4_is_loaded() -> None:
    models = load(Settings(model_version="v4"))
    assert models.version == "v4"
    assert len(models.dictionary) == 6625


def test_a_gpu_that_is_not_there_is_a_refusal() -> None:
    with pytest.raises(ModelError, match=r"OCR_USE_GPU=true, but PP-OCRv6_det_small\.onnx cannot run on a GPU: "):
        load(Settings(use_gpu=True))
