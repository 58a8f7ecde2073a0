"""Where the files of a set of models are, and which ones they have to be."""

import hashlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from servicekit import weights

from ocr.model.errors import ModelError
from ocr.settings import Settings

Role = Literal["det", "cls", "rec"]  # finds text, tells upright from upside down, reads
ROLES: tuple[Role, ...] = get_args(Role)

SHIPPED = Path(__file__).parent.parent / "weights"
INT8: Mapping[Role, str] = {"det": "PP-OCRv6_det_small.int8.onnx", "rec": "PP-OCRv6_rec_small.int8.onnx"}
V4_FOLDER = Path("share/lineside/ocr-v4/rapidocr_onnxruntime/models")  # within the environment

V6: Mapping[Role, tuple[str, str]] = {
    "det": ("PP-OCRv6_det_small.onnx", "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"),
    "cls": ("ch_ppocr_mobile_v2.0_cls_mobile.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    "rec": ("PP-OCRv6_rec_small.onnx", "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"),
}
V4: Mapping[Role, tuple[str, str]] = {
    "det": ("ch_PP-OCRv4_det_infer.onnx", "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9"),
    "cls": ("ch_ppocr_mobile_v2.0_cls_infer.onnx", "e47acedf663230f8863ff1ab0e64dd2d82b838fceb5957146dab185a89d6215c"),
    "rec": ("ch_PP-OCRv4_rec_infer.onnx", "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b"),
}


@dataclass(frozen=True, eq=False)
class ModelFile:
    """The content of one ONNX file."""

    name: str
    data: bytes
    sha256: str


def standard(settings: Settings, role: Role) -> ModelFile:
    """Returns a network of the chosen version of PP-OCR; raises ModelError."""
    if settings.model_version == "v4":
        return _checked(_v4_folder(), *V4[role])
    integers = {"int8-det": ("det",), "int8": ("det", "rec"), "float": ()}[settings.precision]
    if role in integers and not settings.use_gpu:
        return _shipped(INT8[role])
    return _checked(_v6_folder(), *V6[role])


def read(path: Path) -> ModelFile:
    """Reads any file; raises ModelError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    return ModelFile(path.name, data, hashlib.sha256(data).hexdigest())


def _checked(folder: Path, name: str, sha256: str) -> ModelFile:
    file = read(folder / name)
    if file.sha256 != sha256:
        raise ModelError(f"{folder / name} has the sha256 {file.sha256}, expected is {sha256}")
    return file


def _shipped(name: str) -> ModelFile:
    try:
        file = weights.load(SHIPPED, name)
    except weights.WeightsError as error:
        raise ModelError(str(error)) from error
    return ModelFile(name, file.data, file.sha256)


def _v6_folder() -> Path:
    """Finds the package's folder without running the package, which would load much that is not used."""
    found = importlib.util.find_spec("rapidocr")
    if found is None or not found.submodule_search_locations:
        raise ModelError("PP-OCRv6's models are part of the package rapidocr, which is not installed")
    return Path(found.submodule_search_locations[0]) / "models"


def _v4_folder() -> Path:
    folder = Path(sys.prefix) / V4_FOLDER
    if not folder.is_dir():
        raise ModelError(
            f"OCR_MODEL_VERSION=v4: there are no models in {folder}; `make run` puts them there, elsewhere "
            f"`pip install --no-deps --require-hashes --target {folder.parent.parent} -r services/ocr/models-v4.lock`"
        )
    return folder
