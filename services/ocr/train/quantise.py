"""Makes the 8-bit networks: static quantisation (QDQ, per channel) of PP-OCRv6 small, calibrated on drawn pages.

python -m train.quantise det --fonts /usr/share/fonts/truetype --folder src/ocr/weights
python -m train.quantise rec --fonts /usr/share/fonts/truetype --folder src/ocr/weights
"""

import argparse
import hashlib
import itertools
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from ocr.model.files import INT8, V6, Role, standard
from ocr.preprocess import detector_input, line_input, line_width
from ocr.settings import Settings
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from train.pages import lines, pages

OPSET = 13  # the first with scales per channel
SEED = 6
PAGES, LINES = 24, 300
# Sums and products of the detector's large maps as well: else each would be turned to floats and back.
QUANTISED: dict[Role, tuple[str, ...]] = {
    "det": ("Conv", "ConvTranspose", "Add", "Mul", "Relu", "Concat", "Resize", "GlobalAveragePool"),
    "cls": (),
    "rec": ("Conv", "MatMul"),
}
FONTS = ("DejaVuSans.ttf", "DejaVuSerif-Bold.ttf", "LiberationMono-Regular.ttf", "DroidSansFallbackFull.ttf")


class Drawn(CalibrationDataReader):
    """Hands the quantiser one drawn picture after the other."""

    def __init__(self, name: str, tensors: Iterator[NDArray[np.float32]]) -> None:
        self._tensors = ({name: tensor} for tensor in tensors)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self._tensors, None)


def tensors(role: Role, fonts: list[Path]) -> Iterator[NDArray[np.float32]]:
    if role == "det":
        return (detector_input(page).tensor for page in pages(fonts, PAGES, SEED))
    return (line_input(line, line_width(line))[None] for line in lines(fonts, LINES, SEED))


def quantise(role: Role, source: bytes, fonts: list[Path], target: Path) -> None:
    """Quantises what takes the time."""
    with tempfile.TemporaryDirectory() as folder:
        raised, prepared = Path(folder, "raised.onnx"), Path(folder, "prepared.onnx")
        onnx.save(onnx.version_converter.convert_version(onnx.load_from_string(source), OPSET), raised)
        quant_pre_process(raised, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            target,
            Drawn(onnx.load(prepared).graph.input[0].name, tensors(role, fonts)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=list(QUANTISED[role]),
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax,
        )
    _without_shapes(target)


def _without_shapes(path: Path) -> None:
    """Takes the shapes that were inferred out again: they are those of one size, and only fill the file."""
    model = onnx.load(path)
    del model.graph.value_info[:]
    onnx.save(model, path)


def record(role: Role, source: bytes, target: Path) -> None:
    """Writes the origin into weights.json beside the file."""
    path = target.with_name("weights.json")
    described = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    described[target.name] = {
        **described.get(target.name, {}),
        "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
        "source": f"{V6[role][0]} of the package rapidocr 3.10.0",
        "source_sha256": hashlib.sha256(source).hexdigest(),
        "licence": "Apache-2.0, PaddlePaddle/PaddleOCR",
        "made": f"python -m train.quantise {role}",
        "data": f"{PAGES} pages drawn by train/pages.py" if role == "det" else f"{LINES} lines drawn by train/pages.py",
    }
    path.write_text(json.dumps(described, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("det", "rec"))
    parser.add_argument("--fonts", type=Path, required=True, help="folder in which DejaVu and others are looked for")
    parser.add_argument("--folder", type=Path, default=Path("src/ocr/weights"))
    chosen = parser.parse_args(arguments)
    fonts = list(itertools.chain.from_iterable(sorted(chosen.fonts.rglob(name)) for name in FONTS))
    source = standard(Settings(precision="float"), chosen.role).data
    target = chosen.folder / INT8[chosen.role]
    quantise(chosen.role, source, fonts, target)
    record(chosen.role, source, target)


if __name__ == "__main__":
    main(sys.argv[1:])
