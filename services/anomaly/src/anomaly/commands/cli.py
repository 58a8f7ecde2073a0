"""The commands that work on files: train, threshold, score, import."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from servicekit import commandline
from servicekit.progress import Progress

from anomaly.commands import printing, scorefile
from anomaly.detector import calibration
from anomaly.detector.calibration import METHODS
from anomaly.detector.modelfile import MAX_FILE_BYTES
from anomaly.formats import readers
from anomaly.formats.readers import Choice, Table
from anomaly.formats.tables import usable
from anomaly.learning import declared, importing, pth, training
from anomaly.learning.training import TrainingOptions
from anomaly.model import Model
from anomaly.preprocess import FEATURES

PROGRAM = "anomaly"
TRAIN = """Learns what is normal from a CSV, one row a reading, one column a sensor, in the order of time.

The CSV may have a header (`temperature [K]` gives a name and a unit) and a column of times; `,`, `;` and tab separate.
Both an autoencoder and PCA are trained; the report says which finds more artificial faults in rows that neither saw.
The threshold comes from those held-back rows. The same data and options make the same file.

  python -m anomaly train --data data.csv --output model.safetensors
  python -m anomaly train --data data.csv --output model.safetensors --window 20 --kind pca
  python -m anomaly train --data log.csv --drop machine_id,label --output model.safetensors --rate 0.001
"""
THRESHOLD = """Shows which scores normal rows reach, and which threshold gives which rate of false alarms.

With --output it writes the model with the threshold found; with --data it looks at other normal rows than those held
back in training.

  python -m anomaly threshold model.safetensors
  python -m anomaly threshold model.safetensors --percentile 99 --margin 1.2 --output laxer.safetensors
  python -m anomaly threshold old.safetensors --data week.csv --method extreme_value --rate 1e-4 --output m.safetensors
  python -m anomaly threshold model.safetensors --threshold 2.5 --output mine.safetensors
"""
SCORE = """Scores each row of a CSV, from itself and the rows before it, and writes row, time, score, status, severity.

A row of bad quality (a column `quality`), with an empty cell, or before the first whole window is `unknown`.

  python -m anomaly score today.csv --model model.safetensors
  python -m anomaly score today.csv --model model.safetensors --output verdicts.csv
"""
IMPORT = """Takes over an autoencoder from PyTorch: a file of `torch.save(model.state_dict(), "model.pth")`.

Nothing in the file is run. It needs linear layers encoder.N and decoder.N; ReLU is taken after every layer but the
last. Such a file knows no threshold: give rows of normal operation, or the threshold that you used.

  python -m anomaly import model.pth --data normal.csv --output model.safetensors
  python -m anomaly import model.pth --threshold 0.05 --output model.safetensors
"""


def main(argv: Sequence[str]) -> int:
    """Runs one of the commands; returns 0, or 1 after one line on stderr; raises SystemExit(2) for wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m anomaly", description="Anomaly detection for sensor vectors.")
    add_commands(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    arguments = parser.parse_args(argv)
    status: int = arguments.run(arguments)
    return status


def add_commands(commands: Any) -> None:
    """Adds the commands to argparse's subparsers; each sets `run`, a function of the arguments to the exit status."""
    train = _command(commands, "train", "learn what is normal from a CSV", TRAIN, _train)
    train.add_argument("--data", type=Path, required=True, metavar="CSV", help="rows of normal operation")
    train.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the model goes (safetensors)")
    _add_model_options(train)
    _add_table_options(train)
    _add_method_options(train)
    threshold = _command(commands, "threshold", "show or change a model's threshold", THRESHOLD, _threshold)
    threshold.add_argument("model", type=Path, metavar="MODEL", help="a model file")
    threshold.add_argument(
        "--data", type=Path, metavar="CSV", help="other normal rows than those held back in training"
    )
    threshold.add_argument("--output", type=Path, metavar="FILE", help="where the changed model goes")
    threshold.add_argument("--threshold", type=float, metavar="X", help="a threshold of your own")
    _add_table_options(threshold)
    _add_method_options(threshold)
    score = _command(commands, "score", "score the rows of a CSV", SCORE, _score)
    score.add_argument("data", type=Path, metavar="CSV", help="rows to score")
    score.add_argument("--model", type=Path, required=True, metavar="FILE", help="a model file")
    score.add_argument("--output", type=Path, metavar="FILE", help="where the verdicts go (default: standard output)")
    _add_table_options(score)
    bring = _command(commands, "import", "take over an autoencoder from PyTorch", IMPORT, _import)
    bring.add_argument("model", type=Path, metavar="MODEL.pth", help="a state_dict saved by PyTorch 1.6 or newer")
    bring.add_argument("--output", type=Path, required=True, metavar="FILE", help="where the model goes (safetensors)")
    known = bring.add_mutually_exclusive_group(required=True)
    known.add_argument("--data", type=Path, metavar="CSV", help="rows of normal operation, for range and threshold")
    known.add_argument("--threshold", type=float, metavar="X", help="the threshold you used")
    _add_table_options(bring)
    _add_method_options(bring)


def _command(commands: Any, name: str, summary: str, text: str, run: Callable[[argparse.Namespace], None]) -> Any:
    return commandline.add(commands, PROGRAM, name, summary, text, run)


def _add_model_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("model")
    kinds = ("auto", "autoencoder", "pca")
    group.add_argument("--kind", choices=kinds, default="auto", help="auto takes the better one (default)")
    group.add_argument(
        "--window", type=int, default=1, metavar="W", help="rows looked at together, 1 to 64 (default 1)"
    )
    group.add_argument("--features", choices=("auto", *FEATURES), default="auto", help="what is made of a window")
    group.add_argument("--hidden", type=_widths, default=(), metavar="N,N", help="encoder widths, the bottleneck last")
    group.add_argument("--epochs", type=int, default=200, help="passes over the rows at most (default 200)")
    group.add_argument("--seed", type=int, default=0, help="another seed, another network (default 0)")
    group.add_argument(
        "--holdback",
        choices=("auto", "folds", "tail"),
        default="auto",
        help="folds: each fifth is held back once; tail: the last 30 %%; auto: tail over 5000 rows",
    )
    limits = "values outside cannot be: such a reading is unknown; a side may be empty"
    group.add_argument("--range", dest="ranges", action="append", default=[], metavar="NAME=LOW:HIGH", help=limits)
    group.add_argument("--unit", dest="units", action="append", default=[], metavar="NAME=TEXT", help="as in mm/s")
    group.add_argument("--no-trim", action="store_true", help="keep bursts of rows that score far beyond the rest")
    group.add_argument("--no-tolerance", action="store_true", help="do not forgive sensors that wander slowly")


def _add_table_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("table")
    group.add_argument("--columns", type=_names, default=(), metavar="A,B", help="the sensors, by name or number")
    group.add_argument("--drop", type=_names, default=(), metavar="A,B", help="columns that are no sensors")


def _add_method_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("threshold")
    group.add_argument("--method", choices=METHODS, help="how it is found (default automatic)")
    group.add_argument("--percentile", type=float, metavar="P", help="of held-back scores, 95 to 99.9")
    group.add_argument("--margin", type=float, metavar="M", help="what it is multiplied by")
    group.add_argument("--rate", type=float, metavar="R", help="share of normal rows that may alarm (default 0.01)")


def _train(arguments: argparse.Namespace) -> None:
    table = usable(_table(arguments, arguments.data))
    options = TrainingOptions(
        kind=arguments.kind,
        window=arguments.window,
        features=arguments.features,
        hidden=arguments.hidden,
        epochs=arguments.epochs,
        seed=arguments.seed,
        holdback=arguments.holdback,
        method=_method(arguments),
        percentile=arguments.percentile,
        margin=arguments.margin,
        rate=arguments.rate,
        trim=not arguments.no_trim,
        tolerance=not arguments.no_tolerance,
        sensors=declared.sensors_of(table, arguments.ranges, arguments.units),
    )
    progress = Progress()
    try:
        model = training.train(table.rows, options, progress)
    finally:
        progress.close()
    _write(arguments.output, model.dump())
    compared = model.report["comparison"]
    print(f"{model.report['rows_used']} of {len(table.rows)} rows, {model.n_sensors} sensors, window {model.window}")
    for kind in ("autoencoder", "pca"):
        print(f"{kind:12} finds {compared[kind]['detected']:.1%} of artificial faults at 1 % false alarms")
    print(f"model        {model.kind}, features {model.preparation.features}, written to {arguments.output}")
    printing.threshold(model.calibration)
    printing.notes((*table.notes, *model.calibration.notes))


def _threshold(arguments: argparse.Namespace) -> None:
    model = _model(arguments.model)
    if arguments.data:
        rows = scorefile.matched(model, _table(arguments, arguments.data))
        scores = model.scores(rows)[model.window - 1 :]
        found = calibration.calibrate(scores, _method(arguments), _parameters(arguments), window=model.window)
        model = model.with_calibration(found)
    elif arguments.method or _parameters(arguments):
        model = model.with_calibration(
            calibration.decide(model.calibration, _method(arguments), _parameters(arguments))
        )
    if arguments.threshold is not None:
        model = model.with_threshold(arguments.threshold)
    printing.threshold(model.calibration)
    printing.curve(model.calibration)
    printing.notes(model.calibration.notes)
    if arguments.output:
        _write(arguments.output, model.dump())
        print(f"written to {arguments.output}")


def _score(arguments: argparse.Namespace) -> None:
    model = _model(arguments.model)
    scored = scorefile.score_table(model, _table(arguments, arguments.data, allow_empty=True))
    lines = (line + "\n" for line in scored.lines())
    if arguments.output:
        _write(arguments.output, "".join(lines).encode())
    else:
        sys.stdout.writelines(lines)
    told = f"{scored.alarms} of {len(scored.scores)} rows are anomalies, {scored.unknown} unknown"
    print(f"{told} (threshold {model.threshold:.4g})", file=sys.stderr)


def _import(arguments: argparse.Namespace) -> None:
    network = pth.read(arguments.model.read_bytes())
    if arguments.data:
        table = _table(arguments, arguments.data)
        model = importing.with_rows(
            network, table.rows, table.sensors or (), _method(arguments), _parameters(arguments)
        )
    else:
        model = importing.with_threshold(network, arguments.threshold)
    _write(arguments.output, model.dump())
    print(f"layers {' '.join(map(str, network.layers))}, written to {arguments.output}")
    printing.threshold(model.calibration)
    printing.notes(model.calibration.notes)


def _table(arguments: argparse.Namespace, path: Path, *, allow_empty: bool = False) -> Table:
    return readers.read_csv(path, choice=Choice(arguments.columns, arguments.drop), allow_empty=allow_empty)


def _model(path: Path) -> Model:
    with path.open("rb") as file:
        return Model.load(file.read(MAX_FILE_BYTES + 1))


def _method(arguments: argparse.Namespace) -> calibration.Method:
    """Returns the method asked for, or the one that the given parameters belong to."""
    if arguments.method:
        chosen: calibration.Method = arguments.method
        return chosen
    return "percentile" if arguments.percentile is not None or arguments.margin is not None else "automatic"


def _parameters(arguments: argparse.Namespace) -> dict[str, float]:
    given = {name: getattr(arguments, name) for name in ("percentile", "margin", "rate")}
    return {name: value for name, value in given.items() if value is not None}


def _write(path: Path, data: bytes) -> None:
    with commandline.whole_file(path) as file:
        file.write(data)


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _names(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
