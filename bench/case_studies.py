"""`python -m bench.case_studies --data FOLDER [--output FOLDER]`: trains on real data, prints tables, draws plots.

`--data` has skab/, nab/, cnc_wear/ and ai4i/ as SOURCES.md there describes them. The data is never part of this
repository. Every model is what the defaults make of the rows; only the window and the training rows are ours, fixed
here for each study.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from anomaly.alerting import drift
from anomaly.learning.training import TrainingOptions, train
from anomaly.model import Model, Sensor

from bench import plots, recordings
from bench.recordings import SHARP_UM, WORN_UM, Array, Mask, Skab, Tool
from bench.skab import TRAINING_ROWS, rates

OUTPUT = Path(__file__).parents[1] / "services" / "anomaly" / "docs" / "img"
SKAB_WINDOW = 20
ACCELEROMETERS = ("Accelerometer1RMS", "Accelerometer2RMS")
IMBALANCE = tuple(f"other/{number}" for number in range(5, 10))
TEMPERATURE_ROWS, TEMPERATURE_WINDOW = 2000, 12  # a week, an hour
WARM_UP_ROWS = (400, 4700)


def fitted(rows: Array, sensors: Sequence[str], window: int) -> Model:
    return train(rows, TrainingOptions(window=window, sensors=tuple(Sensor(name) for name in sensors)))


def share(mask: Mask) -> str:
    return percent(float(np.mean(mask))) if len(mask) else "-"


def percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def table(*heads: str) -> None:
    print("\n| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))


def line(*cells: object) -> None:
    print("| " + " | ".join(map(str, cells)) + " |")


def wear(data: Path, output: Path) -> None:
    """Turning: each tool by a model of the sharp segments of all other tools, in the order of the file."""
    tools = list(recordings.tools(data))
    figure, axes = plots.sheet(2, 3, 4.5)
    print(f"\n## wear: turning tools, {len(tools[0].sensors)} RMS signals, window 1, trained on the other tools")
    table("tool", "segments", "largest wear", "sharp alarmed", "between", "worn alarmed", "rank correlation with wear")
    for tool, axis in zip(tools, axes, strict=True):
        sharp = [other.rows[other.wear_um < SHARP_UM] for other in tools if other is not tool]
        model = fitted(np.concatenate(sharp), tool.sensors, 1)
        scores = model.scores(tool.rows)
        line(tool.name, len(scores), f"{tool.wear_um.max():.0f} µm", *_by_wear(tool, scores > model.threshold),
             f"{_spearman(scores, tool.wear_um):.2f}")  # fmt: skip
        plots.scores(axis, scores, model.threshold, tool.faults, 0, tool.name)
    axes[4].set_xlabel(f"segments of 1 s in the order of cutting; red: wear over {WORN_UM:g} µm")
    plots.save(figure, output, "wear")


def _by_wear(tool: Tool, alarmed: Mask) -> list[str]:
    wear_um = tool.wear_um
    groups = (wear_um < SHARP_UM, (wear_um >= SHARP_UM) & (wear_um <= WORN_UM), wear_um > WORN_UM)
    return [share(alarmed[group]) for group in groups]


def _spearman(first: Array, second: Array) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])


def pump(data: Path, output: Path) -> None:
    """SKAB: a closing valve, an imbalance of the rotor, and what the motor's current alone tells of all faults."""
    found = list(recordings.skab(data))
    print(f"\n## pump: SKAB, window {SKAB_WINDOW}, trained on the first {TRAINING_ROWS} rows of each recording")
    table("fault", "recordings", "F1", "false alarms", "missed", "worst recording")
    shown = [
        *_studied("outlet valve closes", [r for r in found if r.group == "valve1"]),
        *_studied("inlet valve closes", [r for r in found if r.group == "valve2"])[:1],
        *_studied("rotor out of balance", [r for r in found if r.name in IMBALANCE]),
    ]
    _studied("all faults, all sensors", found)
    _studied("all faults, current alone", [_only(recording, ("Current",)) for recording in found])
    shaken = [_only(recording, ACCELEROMETERS) for recording in found]
    _studied("all faults, vibration alone", shaken)
    _studied("rotor, vibration alone", [recording for recording in shaken if recording.name in IMBALANCE])
    figure, axes = plots.sheet(len(shown), 1, 7.5)
    for (recording, model, title), axis in zip(shown, axes, strict=True):
        plots.scores(axis, model.scores(recording.rows), model.threshold, recording.faults, TRAINING_ROWS, title)
    axes[-1].set_xlabel("seconds; labelled fault in red, training before the line")
    plots.save(figure, output, "pump")


def _studied(what: str, found: Sequence[Skab]) -> list[tuple[Skab, Model, str]]:
    """Prints the pooled figures; returns the recording in the middle by F1, and the worst one, with their models."""
    models = [fitted(recording.rows[:TRAINING_ROWS], recording.sensors, SKAB_WINDOW) for recording in found]
    said = [m.scores(r.rows)[TRAINING_ROWS:] > m.threshold for m, r in zip(models, found, strict=True)]
    faults = [recording.faults[TRAINING_ROWS:] for recording in found]
    each = [rates([own], [labelled]).f1 for own, labelled in zip(said, faults, strict=True)]
    order = np.argsort(each)
    made, worst = rates(said, faults), int(order[0])
    line(what, len(found), f"{made.f1:.3f}", percent(made.false_alarms), percent(made.missed),
         f"{found[worst].name}: {each[worst]:.2f}")  # fmt: skip
    chosen = ((int(order[len(order) // 2]), "the one in the middle"), (worst, "the worst one"))
    return [(found[i], models[i], f"{what}: {found[i].name}, {which}") for i, which in chosen]


def _only(recording: Skab, sensors: tuple[str, ...]) -> Skab:
    columns = [recording.sensors.index(sensor) for sensor in sensors]
    return replace(recording, sensors=sensors, rows=recording.rows[:, columns])


def contaminated(data: Path, output: Path) -> None:
    """SKAB other/2: the fault began in the training rows. Prints what the training says about it."""
    del output
    found = next(recording for recording in recordings.skab(data) if recording.name == "other/2")
    training = slice(None, TRAINING_ROWS)
    print(
        f"\n## contaminated: SKAB other/2, {int(found.faults[training].sum())} of {TRAINING_ROWS} training rows faulty"
    )
    for what, rows in (("with the fault", found.rows[training]), ("before the fault", found.rows[:100])):
        model = fitted(rows, found.sensors, SKAB_WINDOW if len(rows) == TRAINING_ROWS else 10)
        said, faults = model.scores(found.rows)[TRAINING_ROWS:] > model.threshold, found.faults[TRAINING_ROWS:]
        print(f"\ntrained on {len(rows)} rows {what}: later faulty rows alarmed {share(said[faults])}, "
              f"normal ones {share(said[~faults])}; its notes:")  # fmt: skip
        print(*(f"- {note}" for note in model.report["notes"]), sep="\n")


def temperature(data: Path, output: Path) -> None:
    """NAB: one temperature of a large machine every 5 minutes, four labelled windows; trained on the first week."""
    found = recordings.temperature(data)
    model = fitted(found.rows[:TEMPERATURE_ROWS], found.sensors, TEMPERATURE_WINDOW)
    scores = model.scores(found.rows)
    alarmed, later = scores > model.threshold, np.arange(len(scores)) >= TEMPERATURE_ROWS
    print(f"\n## temperature: NAB, window {TEMPERATURE_WINDOW}, trained on the first {TEMPERATURE_ROWS} rows")
    table("rows", "number", "alarmed", "first alarm")
    line("outside the labelled windows", int((later & ~found.faults).sum()), share(alarmed[later & ~found.faults]), "")
    for low, high in found.windows:
        inside = np.array([low <= at <= high for at in found.times])
        first = np.flatnonzero(alarmed & inside)
        when = f"{found.times[first[0]]:%d %b %H:%M}" if len(first) else "never"
        line(f"{low:%d %b %H:%M} to {high:%d %b %H:%M}", int(inside.sum()), share(alarmed[inside]), when)
    spans, last = drifting(model, found.rows, scores, TEMPERATURE_ROWS)
    print(
        f"\ninput drift, `{last}` at the end:", *(f"{found.times[a]:%d %b} to {found.times[b]:%d %b}" for a, b in spans)
    )
    figure, (upper, lower) = plots.sheet(2, 1, 4.0)
    upper.plot(found.rows[:, 0], color=plots.BLUE, linewidth=0.4)
    plots.shade(upper, found.faults, float(found.rows.min()), float(found.rows.max()))
    plots.spans(upper, spans)
    upper.margins(x=0)
    upper.set_title("temperature; labelled windows in red, training before the line below", fontsize=9, loc="left")
    plots.scores(lower, scores, model.threshold, found.faults, TEMPERATURE_ROWS, "")
    lower.set_xlabel("rows of 5 minutes")
    plots.save(figure, output, "temperature")


def warm_up(data: Path, output: Path) -> None:
    """SKAB without faults: a pump that warms up, after a training of minutes and after one of more than an hour."""
    found = recordings.skab_anomaly_free(data)
    print(f"\n## warm-up: SKAB anomaly-free, window {SKAB_WINDOW}, {len(found.rows)} rows without a fault")
    table("trained on the first", "later rows alarmed", "input drift", "score drift", "shift at the end")
    figure, axes = plots.sheet(len(WARM_UP_ROWS), 1, 3.6)
    for n_rows, axis in zip(WARM_UP_ROWS, axes, strict=True):
        model = fitted(found.rows[:n_rows], found.sensors, SKAB_WINDOW)
        scores = model.scores(found.rows)
        spans, last = drifting(model, found.rows, scores, n_rows)
        told = ", ".join(f"row {start} to {stop}" for start, stop in spans) or "none"
        line(f"{n_rows} rows", share(scores[n_rows:] > model.threshold), told, last, _shift(model, found.rows, n_rows))
        plots.scores(axis, scores, model.threshold, found.faults, n_rows, f"trained on the first {n_rows} rows")
        plots.spans(axis, spans)
    axes[-1].set_xlabel("seconds; input drift as a grey bar")
    plots.save(figure, output, "warm-up")


def _shift(model: Model, rows: Array, n_rows: int) -> str:
    """Returns the sensor that is furthest from its training, by the mean of the last tenth of the rows."""
    means = model.standardise(rows[-((len(rows) - n_rows) // 10) :]).mean(axis=0)
    sensor = int(np.abs(means).argmax())
    return f"{model.sensors[sensor].name} by {means[sensor]:+.1f} standard deviations"


def drifting(model: Model, rows: Array, scores: Array, first: int) -> tuple[list[tuple[int, int]], str]:
    """Returns the spans of rows in which the service's detector calls a sensor drifting, and the score's last state."""
    reference, settings = drift.Reference.of(model), drift.DriftSettings()
    state, inside = drift.DriftState(), np.zeros(len(rows) + 1, dtype=np.bool_)
    for i, row in enumerate(model.standardise(rows)[first:].tolist(), start=first):
        state, _ = drift.step(settings, state, row, float(scores[i]), reference, 1, i)
        inside[i] = any(channel.side for channel in state.channels[:-1])
    edges = np.flatnonzero(np.diff(inside.astype(np.int8), prepend=0))
    view = drift.view(state, [sensor.name for sensor in model.sensors])
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)], str(view["score"]["state"])


def milling(data: Path, output: Path) -> None:
    """AI4I 2020: synthetic rows that do not follow each other in time; trained on normal rows of the first half."""
    found = recordings.milling(data)
    half = len(found.rows) // 2
    model = fitted(found.rows[:half][~found.faults[:half]], found.sensors, 1)
    scores, faults = model.scores(found.rows)[half:], found.faults[half:]
    alarmed = scores > model.threshold
    print(f"\n## milling: AI4I, synthetic, window 1, trained on the normal rows of the first {half}; {model.kind}")
    table("rows of the second half", "number", "alarmed")
    line(
        f"normal (nominal {percent(model.calibration.nominal_false_alarm_rate or 0.0)})",
        int((~faults).sum()),
        share(alarmed[~faults]),
    )
    line("all failures", int(faults.sum()), share(alarmed[faults]))
    for kind, mask in found.kinds.items():
        line(kind, int(mask[half:].sum()), share(alarmed[mask[half:]]))
    figure, (axis,) = plots.sheet(1, 1, 2.6)
    plots.histogram(axis, scores[~faults], scores[faults], model.threshold)
    plots.save(figure, output, "milling")


STUDIES: tuple[Callable[[Path, Path], None], ...] = (wear, pump, contaminated, temperature, warm_up, milling)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.case_studies", description=__doc__)
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=", ".join(study.__name__ for study in STUDIES))
    parser.add_argument("--data", type=Path, required=True, help="folder with skab/, nab/, cnc_wear/ and ai4i/")
    parser.add_argument("--output", type=Path, default=OUTPUT, help="folder for the plots")
    options = parser.parse_args()
    plots.prepare()
    options.output.mkdir(parents=True, exist_ok=True)
    for study in STUDIES:
        if not options.studies or study.__name__ in options.studies:
            study(options.data, options.output)


if __name__ == "__main__":
    main()
