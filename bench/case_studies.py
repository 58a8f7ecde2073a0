"""`python -m bench.case_studies --data FOLDER [--output FOLDER]`: trains on real data, prints tables, draws plots.

`--data` has skab/, nab/, cnc_wear/ and ai4i/ as SOURCES.md there describes them. The data is never part of this
repository; the plots are our own renderings of scores. One fixed configuration for each study, chosen before its
rows were scored; nothing is looked at twice.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import matplotlib as mpl
import numpy as np
from anomaly import drift
from anomaly.model import Model, Sensor
from anomaly.training import TrainingOptions, train
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

OUTPUT = Path(__file__).parents[1] / "services" / "anomaly" / "docs" / "plots"
BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#8a8f98"
DPI = 110


@dataclass(frozen=True)
class Series:
    """Rows (n, d) in the order of time, the sensors' names, and labels (n,): True where a fault was."""

    rows: Array
    sensors: tuple[str, ...]
    labels: Mask


def read(path: Path, sensors: Sequence[str] | None, label: str | None, delimiter: str = ",") -> Series:
    """Reads a CSV with a header; `sensors` None takes all columns but the label and dates."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        entries = list(csv.DictReader(file, delimiter=delimiter))
    names = sensors or [n for n in entries[0] if n not in (label, "datetime", "timestamp", "changepoint")]
    rows = np.array([[float(entry[name]) for name in names] for entry in entries])
    labels = np.array([label is not None and float(entry[label]) > 0 for entry in entries])
    return Series(rows, tuple(names), labels)


def fit(rows: Array, sensors: Sequence[str], window: int, **options: object) -> Model:
    """Trains with the defaults, which choose the kind, the features and the threshold by themselves."""
    named = tuple(Sensor(name) for name in sensors)
    chosen: dict[str, object] = {"window": window, "sensors": named, **options}
    return train(rows, TrainingOptions(**chosen))  # type: ignore[arg-type]  # names and types are checked by `train`


def share(mask: Mask) -> str:
    return f"{100 * float(np.mean(mask)):.1f} %" if len(mask) else "-"


def told(model: Model) -> str:
    made = model.calibration
    return f"{model.kind}, threshold {model.threshold:.3g} by {made.method}, {made.n_blocks} independent blocks"


def plot_scores(axes: Axes, scores: Array, threshold: float, spans: Mask, trained: int, clip: float = 20.0) -> None:
    """Draws score / threshold on a log axis, labelled spans in red behind it, and the end of the training rows."""
    ratio = np.clip(scores / threshold, 0.05, clip)
    axes.semilogy(np.arange(len(ratio)), ratio, color=BLUE, linewidth=0.7)
    axes.axhline(1.0, color=GREY, linewidth=0.8, linestyle="--")
    axes.axvline(trained, color=GREY, linewidth=0.8)
    axes.fill_between(np.arange(len(ratio)), 0.05, clip, where=spans.tolist(), color=RED, alpha=0.15, linewidth=0)
    axes.set_ylim(0.05, clip)
    axes.margins(x=0)
    axes.set_ylabel("score / threshold")


def save(figure: "mpl.figure.Figure", output: Path, name: str) -> None:
    figure.tight_layout()
    figure.savefig(output / f"{name}.png", dpi=DPI, metadata={"Software": None})
    plt.close(figure)


VALVE_FILES = ("valve1/1", "valve1/6", "other/9")


def valve(data: Path, output: Path) -> None:
    """SKAB: a pump in a water circuit, eight sensors at 1 Hz; training on the first 400 rows of each recording."""
    figure, axes = plt.subplots(len(VALVE_FILES), 1, figsize=(8, 6), sharex=False)
    print("\nvalve and pump (SKAB), window 20, first 400 rows\n")
    print("| recording | model | false alarms | found | first alarm after |")
    print("|---|---|---|---|---|")
    for name, axis in zip(VALVE_FILES, axes, strict=True):
        series = read(data / "skab" / f"{name}.csv", None, "anomaly", ";")
        model = fit(series.rows[:400], series.sensors, 20)
        scores = model.scores(series.rows)
        alarms, labels = scores[400:] > model.threshold, series.labels[400:]
        begin = int(np.argmax(labels))
        late = np.flatnonzero(alarms[begin:])
        after = f"{late[0]} s" if len(late) else "never"
        print(f"| {name} | {told(model)} | {share(alarms[~labels])} | {share(alarms[labels])} | {after} |")
        plot_scores(axis, scores, model.threshold, series.labels, 400)
        axis.set_title(f"{name}: labelled fault in red, training before the line", fontsize=9, loc="left")
    axes[-1].set_xlabel("seconds")
    save(figure, output, "valve")


NAB_ROWS = 2000


def temperature(data: Path, output: Path) -> None:
    """NAB: one temperature of a large machine every 5 minutes, four labelled windows; training on the first week."""
    path = data / "nab" / "machine_temperature_system_failure.csv"
    with path.open(encoding="utf-8") as file:
        entries = list(csv.DictReader(file))
    times = [datetime.fromisoformat(entry["timestamp"]) for entry in entries]
    rows = np.array([[float(entry["value"])] for entry in entries])
    labelled = json.loads((data / "nab" / "labels.json").read_text())[
        "realKnownCause/machine_temperature_system_failure.csv"
    ]
    windows = [tuple(datetime.fromisoformat(end) for end in window) for window in labelled["windows"]]
    inside = np.array([any(low <= at <= high for low, high in windows) for at in times])
    model = fit(rows[:NAB_ROWS], ("temperature",), 12)
    scores = model.scores(rows)
    alarms = scores > model.threshold
    later = np.arange(len(rows)) >= NAB_ROWS
    print(f"\ntemperature (NAB), window 12 (an hour), first {NAB_ROWS} rows\n\n{told(model)}")
    print(f"\n| | rows | alarmed |\n|---|---|---|\n| outside the labelled windows | {int((later & ~inside).sum())} "
          f"| {share(alarms[later & ~inside])} |")  # fmt: skip
    for low, high in windows:
        mask = np.array([low <= at <= high for at in times])
        print(f"| {low:%d %b} to {high:%d %b %Y} | {int(mask.sum())} | {share(alarms[mask])} |")
    spans, last = drifting(model, rows, scores, NAB_ROWS)
    print(f"\ninput drift, `{last}` at the end:", *(f"{times[a]:%d %b} to {times[b]:%d %b}" for a, b in spans))
    draw_temperature(rows, scores, model, inside, spans, output)


def drifting(model: Model, rows: Array, scores: Array, first: int) -> tuple[list[tuple[int, int]], str]:
    """Returns the spans of rows in which the service's drift detector says `drifting`, and its last state."""
    reference = drift.Reference(model.calibration.mean, model.calibration.std)
    state, spans, begun = drift.DriftState(), [], None
    for i in range(first, len(rows)):
        row = model.standardise(rows[i : i + 1])[0].tolist()
        state, _ = drift.step(drift.DriftSettings(), state, row, float(scores[i]), reference, 1, i)
        is_drifting = any(channel.side for channel in state.channels[:-1])
        if is_drifting and begun is None:
            begun = i
        if not is_drifting and begun is not None:
            spans.append((begun, i))
            begun = None
    return spans if begun is None else [*spans, (begun, len(rows) - 1)], state.channels[0].state


def draw_temperature(
    rows: Array, scores: Array, model: Model, inside: Mask, spans: Sequence[tuple[int, int]], output: Path
) -> None:
    figure, (upper, lower) = plt.subplots(2, 1, figsize=(8, 4.5), sharex=True)
    upper.plot(rows[:, 0], color=BLUE, linewidth=0.4)
    low, high = float(rows.min()), float(rows.max())
    upper.fill_between(np.arange(len(rows)), low, high, where=inside.tolist(), color=RED, alpha=0.15, linewidth=0)
    for start, stop in spans:
        upper.axvspan(start, stop, ymax=0.06, color=GREY, linewidth=0)
    upper.set_ylabel("temperature")
    upper.set_title(
        "labelled windows in red, input drift as a grey bar, training before the line", fontsize=9, loc="left"
    )
    plot_scores(lower, scores, model.threshold, inside, NAB_ROWS)
    lower.set_xlabel("rows of 5 minutes")
    save(figure, output, "temperature")


SHARP, WORN = 150.0, 250.0  # micrometres of flank wear


def wear(data: Path, output: Path) -> None:
    """Turning: 1 s segments with the RMS of 29 signals; trained on sharp segments of all other tools."""
    with (data / "cnc_wear" / "tools_03-09.csv").open(encoding="utf-8-sig") as file:
        entries = list(csv.DictReader(file))
    sensors = tuple(name for name in entries[0] if name.endswith("_RMS"))
    rows = np.array([[float(entry[name]) for name in sensors] for entry in entries])
    worn = np.array([float(entry["Vb"]) for entry in entries])
    tools = np.array([int(float(entry["tool"])) for entry in entries])
    figure, axes = plt.subplots(2, 3, figsize=(9, 4.5))
    print(f"\ntool wear (turning), window 1, {len(sensors)} RMS signals, trained on other tools below {SHARP:g} µm\n")
    print("| tool | segments | largest wear | sharp alarmed | between | worn alarmed | rank correlation with wear |")
    print("|---|---|---|---|---|---|---|")
    for tool, axis in zip(np.unique(tools).tolist(), axes.flat, strict=True):
        model = fit(rows[(tools != tool) & (worn < SHARP)], sensors, 1)
        scores, wear_um = model.scores(rows[tools == tool]), worn[tools == tool]
        groups = (wear_um < SHARP, (wear_um >= SHARP) & (wear_um <= WORN), wear_um > WORN)
        alarmed = " | ".join(share(scores[group] > model.threshold) for group in groups)
        print(f"| {tool} | {len(scores)} | {wear_um.max():.0f} µm | {alarmed} | {spearman(scores, wear_um):.2f} |")
        plot_scores(axis, scores, model.threshold, wear_um > WORN, 0)
        axis.set_title(f"tool {tool}", fontsize=9, loc="left")
    axes[1][1].set_xlabel(f"segments of 1 s in the order of cutting; red: wear over {WORN:g} µm")
    save(figure, output, "wear")


def spearman(first: Array, second: Array) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


AI4I_SENSORS = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
FAILURES = ("TWF", "HDF", "PWF", "OSF", "RNF")


def milling(data: Path, output: Path) -> None:
    """AI4I 2020: synthetic, rows that do not follow each other in time; training on normal rows of the first half."""
    path = data / "ai4i" / "ai4i2020.csv"
    series = read(path, AI4I_SENSORS, "Machine failure")
    kinds = {kind: read(path, AI4I_SENSORS, kind).labels for kind in FAILURES}
    half = len(series.rows) // 2
    model = fit(series.rows[:half][~series.labels[:half]], AI4I_SENSORS, 1)
    scores, labels = model.scores(series.rows)[half:], series.labels[half:]
    alarms = scores > model.threshold
    nominal = model.calibration.nominal_false_alarm_rate or 0.0
    print(f"\nmilling (AI4I, synthetic), window 1, normal rows of the first {half}\n\n{told(model)}")
    print("\n| rows of the second half | number | alarmed |\n|---|---|---|")
    print(f"| normal (nominal {100 * nominal:.1f} %) | {int((~labels).sum())} | {share(alarms[~labels])} |")
    print(f"| all failures | {int(labels.sum())} | {share(alarms[labels])} |")
    for kind, mask in kinds.items():
        print(f"| {kind} | {int(mask[half:].sum())} | {share(alarms[mask[half:]])} |")
    figure, axis = plt.subplots(figsize=(8, 2.8))
    bins = np.linspace(0, float(np.quantile(scores, 0.999)), 60).tolist()
    axis.hist(scores[~labels], bins=bins, density=True, color=BLUE, alpha=0.6, label="normal")
    axis.hist(scores[labels], bins=bins, density=True, color=RED, alpha=0.6, label="failure")
    axis.axvline(model.threshold, color=GREY, linestyle="--", label="threshold")
    axis.set_xlabel("score")
    axis.legend(fontsize=8)
    save(figure, output, "milling")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.case_studies", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with skab/, nab/, cnc_wear/ and ai4i/")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for the plots")
    options = parser.parse_args()
    mpl.use("agg")
    mpl.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})
    options.output.mkdir(parents=True, exist_ok=True)
    for study in (wear, valve, temperature, milling):
        study(options.data, options.output)


if __name__ == "__main__":
    main()
