import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from anomaly import demo
from anomaly.commands import cli
from anomaly.model import Model
from safetensors.numpy import save_file


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.csv"
    path.write_text("\n".join(demo.lines(demo.generate(400, 1))) + "\n")
    return path


@pytest.fixture
def model(data: Path, tmp_path: Path) -> Path:
    path = tmp_path / "model.safetensors"
    assert cli.main(["train", "--data", str(data), "--output", str(path), "--epochs", "20"]) == 0
    return path


def test_training_writes_a_model_and_says_what_it_found(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model.safetensors"
    assert cli.main(["train", "--data", str(data), "--output", str(model), "--epochs", "5"]) == 0
    out = capsys.readouterr().out
    assert "400 of 400 rows, 3 sensors, window 1" in out
    assert "autoencoder  finds" in out
    assert "pca          finds" in out
    assert "threshold" in out
    assert Model.load(model.read_bytes()).sensors[0].unit == "mm/s"


def test_the_same_command_writes_the_same_file(model: Path, data: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.safetensors"
    cli.main(["train", "--data", str(data), "--output", str(again), "--epochs", "20"])
    assert again.read_bytes() == model.read_bytes()


def test_every_option_of_training_reaches_the_model(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    options = "--kind autoencoder --window 3 --features mean_std --hidden 9,2 --epochs 3 --seed 5 --holdback tail"
    method = "--method extreme_value --rate 0.05 --no-trim --no-tolerance --columns vibration,current"
    assert cli.main(["train", "--data", str(data), "--output", str(path), *options.split(), *method.split()]) == 0
    made = Model.load(path.read_bytes())
    assert made.details()["layers"] == [4, 9, 2, 9, 4]
    assert made.details()["features"] == "mean_std"
    assert [sensor.name for sensor in made.sensors] == ["vibration", "current"]
    assert made.calibration.method == "extreme_value"
    assert made.report["held_back"]["how"] == "tail"
    assert made.report["options"]["seed"] == 5


def test_units_and_ranges_go_into_the_model(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    said = ["--range", "vibration=0:50", "--range", "current=-5:", "--unit", "current=mA"]
    assert cli.main(["train", "--data", str(data), "--output", str(path), "--epochs", "1", *said]) == 0
    sensors = {sensor.name: sensor for sensor in Model.load(path.read_bytes()).sensors}
    vibration, current, temperature = (sensors[name] for name in ("vibration", "current", "temperature"))
    assert (vibration.unit, vibration.low, vibration.high) == ("mm/s", 0.0, 50.0)
    assert (current.unit, current.low, current.high) == ("mA", -5.0, None)
    assert (temperature.low, temperature.high) == (None, None)


def test_scoring_writes_a_verdict_for_each_row(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_text("vibration,temperature,current\n1.1,1.0,1.05\n9,0.9,1.1\n1.1,,1.05\n")
    capsys.readouterr()
    assert cli.main(["score", str(rows), "--model", str(model)]) == 0
    captured = capsys.readouterr()
    statuses = [line.split(",")[3] for line in captured.out.splitlines()]
    assert statuses == ["status", "normal", "anomaly", "unknown"]
    assert captured.err.startswith("1 of 3 rows are anomalies, 1 unknown")
    assert cli.main(["score", str(rows), "--model", str(model), "--output", str(tmp_path / "out.csv")]) == 0
    assert (tmp_path / "out.csv").read_text() == captured.out


def test_the_threshold_is_shown_and_changed(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = model.read_bytes()
    capsys.readouterr()
    assert cli.main(["threshold", str(model)]) == 0
    assert "false alarms  threshold" in capsys.readouterr().out
    out = str(tmp_path / "changed.safetensors")
    for options in (
        ["--threshold", "2.5"],
        ["--percentile", "99", "--margin", "1.5"],
        ["--method", "extreme_value", "--rate", "0.0001"],
        ["--data", str(data)],
    ):
        assert cli.main(["threshold", str(model), *options, "--output", out]) == 0
        assert Model.load(Path(out).read_bytes()).threshold != Model.load(before).threshold
    assert model.read_bytes() == before


def test_the_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("train", "threshold", "score", "import"):
        with pytest.raises(SystemExit) as ended:
            cli.main([command, "--help"])
        assert ended.value.code == 0
        assert f"python -m anomaly {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments", [[], ["train"], ["score", "x.csv"], ["import", "m.pth", "--output", "x"], ["fly"]]
)
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert ended.value.code == 2


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert cli.main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("anomaly: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_whatever_is_wrong_is_one_line_and_status_1(
    model: Path, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text("a,b\n1,2\n3,nan\n")
    train = ["train", "--output", str(tmp_path / "m"), "--data"]
    assert "row 3: column 'b' holds 'nan'" in refused([*train, str(bad)], capsys)
    assert "No such file" in refused([*train, str(tmp_path / "none.csv")], capsys)
    assert "Is a directory" in refused([*train, str(tmp_path)], capsys)
    assert "between 1 and 64" in refused([*train, str(data), "--window", "99"], capsys)
    assert "there is not; there are 'vibration'" in refused([*train, str(data), "--range", "speed=0:1"], capsys)
    assert "row 2: 'vibration' is" in refused([*train, str(data), "--range", "vibration=-9:-8"], capsys)
    assert "expected NAME=TEXT" in refused([*train, str(data), "--unit", "bar"], capsys)
    assert "percentile is 50.0" in refused([*train, str(data), "--percentile", "50"], capsys)
    assert "there is no column 'speed'" in refused([*train, str(data), "--drop", "speed"], capsys)
    assert "not a whole safetensors file" in refused(["score", str(data), "--model", str(bad)], capsys)
    assert "is missing" in refused(["score", str(bad), "--model", str(model), "--drop", "b"], capsys)
    assert "must be between" in refused(["threshold", str(model), "--threshold", "-1"], capsys)
    assert "a ZIP is expected" in refused(
        ["import", str(data), "--threshold", "1", "--output", str(tmp_path / "m")], capsys
    )
    missing = tmp_path / "none" / "m"
    assert "No such file" in refused(["train", "--data", str(data), "--epochs", "1", "--output", str(missing)], capsys)
    assert not (tmp_path / "m").exists()


def test_a_failed_write_leaves_the_old_file_whole(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = model.read_bytes()

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert cli.main(["threshold", str(model), "--threshold", "2", "--output", str(model)]) == 1
    assert model.read_bytes() == before
    assert [path.name for path in model.parent.iterdir() if path.name.startswith(".")] == []


def test_safetensors_of_other_programs_are_refused_by_what_they_lack(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.safetensors"
    save_file({"weight": np.ones(3)}, other)
    assert "was not made by this service" in refused(["score", str(data), "--model", str(other)], capsys)


def test_a_pytorch_file_is_taken_over(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The reading itself is tested in test_pth; here a file without tensors reaches the command's refusal."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("m/data.pkl", b"\x80\x02}.")
    path = tmp_path / "m.pth"
    path.write_bytes(stream.getvalue())
    assert "no state_dict" in refused(
        ["import", str(path), "--data", str(data), "--output", str(tmp_path / "m")], capsys
    )
