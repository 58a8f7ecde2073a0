"""The way over a GPU's buckets, computed on the CPU: what is read must not depend on the way."""

import numpy as np
import pytest
from numpy.typing import NDArray
from ocr import model
from ocr.model.classifier import Classifier
from ocr.model.detector import Detector
from ocr.model.recogniser import Recogniser
from ocr.options import Options
from ocr.pipeline import Pipeline
from ocr.settings import Settings
from texts import SENTENCES, bgr, drawn

LINES = [bgr(drawn([text], size, margin=4)) for text in (*SENTENCES, "A 7") for size in (20, 48)]


@pytest.fixture(scope="module")
def models() -> model.Models:
    return model.load(Settings())


def test_batches_of_few_widths_read_what_single_lines_read(
    models: model.Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Recogniser(models, 1).read(LINES)
    monkeypatch.setattr(model.Models, "on_gpu", True)
    batched = Recogniser(models, 4).read(LINES)
    for one, other in zip(alone, batched, strict=True):
        assert "".join(each.text for each in one) == "".join(each.text for each in other)
        if len(one) < 8:
            continue  # of a line that is shorter than its padding the network sees the letters elsewhere
        assert [each.centre for each in one] == pytest.approx([each.centre for each in other], abs=0.06)


def test_a_gpu_sees_only_the_shapes_of_its_warm_up(models: model.Models, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model.Models, "on_gpu", True)
    shapes: set[tuple[int, ...]] = set()

    def run(_: object, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        shapes.add(tensor.shape)
        n, _, height, width = tensor.shape
        if height > 48:
            return np.zeros((n, 1, height, width), np.float32)
        return np.zeros((n, 2) if width == 192 else (n, width // 8, len(models.dictionary)), np.float32)

    monkeypatch.setattr("ocr.model.networks.Network.run", run)
    detector, classifier, recogniser = Detector(models.det, on_gpu=True), Classifier(models, 4), Recogniser(models, 4)
    for trial in (*detector.trials(), *classifier.trials(), *recogniser.trials()):
        trial()
    warmed = set(shapes)
    recogniser.read(LINES)
    classifier.upside_down(LINES)
    for shape in [(3, 4000, 3), (4096, 4096, 3), (600, 800, 3), (24, 94, 3), (4000, 900, 3)]:
        detector.find(np.zeros(shape, np.uint8), Options())
    assert shapes == warmed


def test_the_classifier_tells_lines_on_their_heads(models: model.Models) -> None:
    upright = LINES[:8]
    turned = [np.ascontiguousarray(line[::-1, ::-1]) for line in upright]
    classifier = Classifier(models, 6)
    assert np.median(classifier.upside_down(upright)) < 0.1
    assert np.median(classifier.upside_down(turned)) > 0.9


def test_a_gpu_that_fails_is_a_fault_and_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = Pipeline(Settings())

    def fail(*_: object) -> None:
        raise model.ModelFault("PP-OCRv6_det_small.onnx on MIGraphXExecutionProvider: hipErrorIllegalAddress")

    monkeypatch.setattr("ocr.model.networks.Network.run", fail)
    with pytest.raises(model.ModelFault):
        pipeline.read(LINES[0], Options())
    assert pipeline.fault is not None
    assert "hipErrorIllegalAddress" in pipeline.fault
