import hashlib
import json
import subprocess
import sys
from pathlib import Path

import anomaly
import numpy as np
import pytest
from anomaly import demo
from anomaly.formats import readers
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model

WEIGHTS = Path(anomaly.__file__).parent / "weights"


def table(rows: int, seed: int) -> readers.Table:
    return readers.read_csv("\n".join(demo.lines(demo.generate(rows, seed))).encode())


def test_the_same_seed_makes_the_same_rows() -> None:
    assert np.array_equal(demo.generate(100, 3), demo.generate(100, 3))
    assert not np.array_equal(demo.generate(100, 3), demo.generate(100, 4))


def test_the_table_names_three_sensors_with_units() -> None:
    assert [(s.name, s.unit) for s in table(5, 1).sensors or ()] == [
        ("vibration", "mm/s"),
        ("temperature", "pu"),
        ("current", "A"),
    ]


def test_the_sensors_move_together() -> None:
    correlations = np.asarray(np.corrcoef(demo.generate(5000, 1).T))
    assert correlations[0, 2] > 0.7
    assert correlations[1, 2] < -0.2


def test_the_documented_commands_make_the_shipped_model() -> None:
    """The bytes are the same on one build of NumPy; another may round sums otherwise, and the scores still agree."""
    data = table(4000, 1)
    made = train(data.rows, TrainingOptions(sensors=data.sensors or ()))
    shipped = (WEIGHTS / "default.safetensors").read_bytes()
    if made.dump() != shipped:
        rows, known = demo.generate(2000, 2), Model.load(shipped)
        assert made.scores(rows) == pytest.approx(known.scores(rows), abs=0.05)
        assert made.threshold == pytest.approx(known.threshold, rel=0.05)


def test_the_shipped_figures_are_the_measured_ones() -> None:
    described = json.loads((WEIGHTS / "weights.json").read_text())["default.safetensors"]
    model = Model.load((WEIGHTS / "default.safetensors").read_bytes())
    rate = float(np.mean(model.scores(demo.generate(20_000, 2)) > model.threshold))
    assert rate == pytest.approx(described["figures"]["false_alarm_rate_on_20000_other_rows_seed_2"], abs=1e-3)
    assert hashlib.sha256(model.dump()).hexdigest() == described["sha256"]


def test_the_command_writes_csv_and_refuses_nonsense() -> None:
    command = [sys.executable, "-m", "anomaly.demo"]
    made = subprocess.run([*command, "--rows", "3", "--seed", "5"], capture_output=True, text=True, check=True)
    assert made.stdout == "\n".join(demo.lines(demo.generate(3, 5))) + "\n"
    assert subprocess.run([*command, "--rows", "0"], capture_output=True).returncode == 2
