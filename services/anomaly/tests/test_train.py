"""The PyTorch trainer beside the service: run as a user runs it, and held to NumPy's scores."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import anomaly
import numpy as np
import pytest
from anomaly import demo
from anomaly.learning import pth
from anomaly.model import Model

TRAIN = Path(__file__).parents[1] / "train"
SHIPPED = Path(anomaly.__file__).parent / "weights" / "default.safetensors"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="PyTorch is not installed: pip install -r services/anomaly/train/requirements.txt",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(demo.lines(demo.generate(1000, 3))) + "\n")
    return path


def run(script: str, *arguments: object) -> str:
    command = [sys.executable, str(TRAIN / script), *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=300).stdout


def test_the_shipped_model_scores_alike_in_numpy_and_in_pytorch(data: Path) -> None:
    found = json.loads(run("evaluate.py", "--model", SHIPPED, "--data", data))
    assert found["rows"] == 1000
    assert found["difference"] < 1e-9


@pytest.mark.parametrize("window", [1, 5])
def test_a_network_trained_in_pytorch_serves_with_the_same_scores(data: Path, tmp_path: Path, window: int) -> None:
    model = tmp_path / "model.safetensors"
    run("train.py", "--data", data, "--output", model, "--epochs", 20, "--window", window)
    assert json.loads(run("evaluate.py", "--model", model, "--data", data))["difference"] < 1e-9
    made = Model.load(model.read_bytes())
    assert made.report["trained_by"] == "PyTorch"
    assert made.window == window


def test_the_same_seed_trains_the_same_network(data: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    for path in (first, second):
        run("train.py", "--data", data, "--output", path, "--epochs", 3)
    assert first.read_bytes() == second.read_bytes()


def test_a_state_dict_that_pytorch_saves_can_be_imported(tmp_path: Path) -> None:
    """The real file, where the files of test_pth are made by hand."""
    torch = pytest.importorskip("torch")
    nn = torch.nn
    encoder = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    decoder = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    network = nn.ModuleDict({"encoder": encoder, "decoder": decoder}).double()
    torch.save(network.state_dict(), tmp_path / "model.pth")
    rows = np.random.default_rng(0).standard_normal((20, 3))
    with torch.no_grad():
        theirs = rows - decoder(encoder(torch.from_numpy(rows))).numpy()
    assert pth.read((tmp_path / "model.pth").read_bytes()).residuals(rows) == pytest.approx(theirs)
    torch.save(network, tmp_path / "whole.pth")
    with pytest.raises(pth.PthError, match="no state_dict"):
        pth.read((tmp_path / "whole.pth").read_bytes())
