from pathlib import Path

import pytest
from ocr.model import ModelError, config, load
from ocr.model.files import V6, standard
from ocr.settings import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the three models of v6 and a dictionary."""
    for role in V6:
        (tmp_path / f"{role}.onnx").write_bytes(standard(Settings(precision="float"), role).data)
    (tmp_path / "keys.txt").write_text("a\nb\u2028\n\u3000\n", encoding="utf-8")
    return tmp_path


def written(folder: Path, text: str) -> Path:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return path


PLAIN = "det: det.onnx\ncls: cls.onnx\nrec: rec.onnx\n"
RAPIDOCR = """
Global: {text_score: 0.5}
Det: {model_path: det.onnx, thresh: 0.3}
Cls: {model_path: cls.onnx}
Rec: {model_path: rec.onnx, rec_batch_num: 6}
"""


@pytest.mark.parametrize("text", [PLAIN, RAPIDOCR], ids=["plain", "rapidocr"])
def test_both_layouts_name_the_models(folder: Path, text: str) -> None:
    found = config.load(written(folder, text))
    assert [found.models[role].name for role in ("det", "cls", "rec")] == ["det.onnx", "cls.onnx", "rec.onnx"]
    assert found.dictionary is None


def test_own_models_are_loaded_and_called_custom(folder: Path) -> None:
    models = load(Settings(model_config_path=written(folder, PLAIN)))
    assert models.version == "custom"
    assert len(models.dictionary) == 18710


def test_a_dictionary_that_does_not_fit_is_refused(folder: Path) -> None:
    path = written(folder, RAPIDOCR.replace("rec.onnx,", "rec.onnx, rec_keys_path: keys.txt,"))
    assert config.load(path).dictionary == folder / "keys.txt"
    with pytest.raises(ModelError, match=r"rec\.onnx tells 18710 classes apart, its dictionary makes 5"):
        load(Settings(model_config_path=path))


def test_a_network_of_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"cls\.onnx does not run as a det model|cls\.onnx answers 2 dimensions"):
        load(Settings(model_config_path=written(folder, PLAIN.replace("det.onnx", "cls.onnx"))))


def test_a_file_that_is_no_model_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"keys\.txt cannot be loaded"):
        load(Settings(model_config_path=written(folder, PLAIN.replace("det.onnx", "keys.txt"))))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("det: [", "is not YAML"),
        ("- det", "the file is .* expected is a mapping"),
        ("", "the file is None"),
        (PLAIN + "lang: ch\n", "the key 'lang' is not known, known are cls, det, dictionary, rec"),
        ("det: det.onnx\ncls: cls.onnx\n", "rec is None, expected is the path"),
        (PLAIN.replace("rec.onnx", "7"), "rec is 7, expected is the path"),
        (PLAIN.replace("rec.onnx", "no.onnx"), "rec is 'no.onnx', but there is no file"),
        (PLAIN + "dictionary: no.txt\n", "dictionary is 'no.txt', but there is no file"),
        (RAPIDOCR.replace("Cls: {model_path: cls.onnx}", "Cls: 3"), "Cls is 3, expected is a mapping"),
        (RAPIDOCR.replace("model_path: cls.onnx", ""), "Cls.model_path is None"),
        ("!!python/object/apply:os.getcwd []", "is not YAML"),
    ],
)
def test_whatever_is_wrong_is_said_with_file_key_and_value(folder: Path, text: str, reason: str) -> None:
    path = written(folder, text)
    with pytest.raises(ModelError, match=reason) as refused:
        config.load(path)
    assert str(path) in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"OCR_MODEL_CONFIG_PATH=.*none\.yaml cannot be read: No such file"):
        load(Settings(model_config_path=tmp_path / "none.yaml"))


def test_dictionaries_are_split_at_line_feeds_only() -> None:
    assert config.split("a\r\nb\u2028\n\u3000\n") == ["a", "b\u2028", "\u3000"]
