"""What runs in the child process: `python -m anomaly.lifecycle.worker`, an Order and a CSV in, lines of JSON out."""

import base64
import contextlib
import os
import resource
import sys
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from anomaly.detector import calibration
from anomaly.detector.modelfile import ModelFileError, Sensor
from anomaly.formats import readers
from anomaly.formats.tables import Table
from anomaly.learning import training
from anomaly.lifecycle.child import Line, Order

NICE = 10
OOM_SCORE = "800"  # when the machine runs out of memory, this process goes before the service


def main() -> int:
    """Serves one order; everything that a client can cause is answered with a line, not with an exit code."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not get between the lines
    order = msgspec.json.decode(sys.stdin.buffer.readline(), type=Order)
    _be_small(order.memory_bytes)
    try:
        line = _serve(order, sys.stdin.buffer.read(), answers)
    except MemoryError:
        text = f"this table and these options take more than {order.memory_bytes >> 20} MiB, which is the limit"
        line = Line(refusal="training", message=text)
    _say(answers, line)
    return 0


def _serve(order: Order, deflated: bytes, answers: BinaryIO) -> Line:
    try:
        data = zlib.decompressobj().decompress(deflated, order.max_bytes)
        table = readers.read_csv(data, readers.Limits())
        rows, notes = _usable(table)
        options = msgspec.convert(order.options, training.TrainingOptions)
        options = replace(options, sensors=_sensors(table.sensors or (), order))
        if order.task == "check":
            training.check(rows, options)
            return Line(rows=len(rows))
        model = training.train(rows, options, lambda share, message: _say(answers, Line(share, message)))
        file = model.dump()
    except readers.TableError as error:
        return Line(refusal="table", message=str(error), row=error.row)
    except (training.TrainingError, calibration.CalibrationError, ModelFileError) as error:
        return Line(refusal="training", message=str(error))
    report = {**model.report, "table_notes": notes}
    return Line(1.0, model=base64.b64encode(file).decode(), report=report)


def _usable(table: Table) -> tuple[NDArray[np.float64], list[str]]:
    """Returns the rows of good quality (n, d) in the order of time, and what has to be said about that."""
    rows, notes = table.rows, list(table.notes)
    times = table.timestamps_ms
    if table.qualities is not None:
        good = np.array(table.qualities) == "good"
        rows, times = rows[good], None if times is None else times[good]
        if not good.all():
            notes.append(f"{int((~good).sum())} rows of another quality than good were left out.")
    if times is not None and (np.diff(times) < 0).any():
        rows = rows[np.argsort(times, kind="stable")]
        notes.append("The rows were put in the order of their timestamps.")
    return rows, notes


def _sensors(sensors: Sequence[Sensor], order: Order) -> tuple[Sensor, ...]:
    """Returns the table's sensors with the units and ranges that the asset's active model knows of them."""
    known = {sensor["name"]: msgspec.convert(sensor, Sensor) for sensor in order.sensors}
    return tuple(
        msgspec.structs.replace(known[sensor.name], unit=sensor.unit or known[sensor.name].unit)
        if sensor.name in known
        else sensor
        for sensor in sensors
    )


def _say(answers: BinaryIO, line: Line) -> None:
    answers.write(msgspec.json.encode(line) + b"\n")
    answers.flush()


def _be_small(memory_bytes: int) -> None:
    os.nice(NICE)
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    with contextlib.suppress(OSError):  # no /proc
        Path("/proc/self/oom_score_adj").write_text(OOM_SCORE)


if __name__ == "__main__":
    sys.exit(main())
