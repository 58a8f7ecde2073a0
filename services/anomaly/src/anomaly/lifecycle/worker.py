"""What runs in the child process: `python -m anomaly.lifecycle.worker`, an Order and a CSV in, lines of JSON out."""

import base64
import contextlib
import os
import resource
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from anomaly.detector import calibration
from anomaly.detector.modelfile import ModelFileError, Sensor
from anomaly.formats import readers
from anomaly.formats.tables import usable
from anomaly.learning import declared, training
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
        table = usable(readers.read_csv(data, readers.Limits()))
        options = msgspec.convert(order.options, training.TrainingOptions)
        known = msgspec.convert(order.sensors, list[Sensor])
        sensors = declared.sensors_of(table, order.ranges, order.units, known)
        options = replace(options, sensors=sensors)
        if order.task == "check":
            training.check(table.rows, options)
            return Line(rows=len(table.rows))
        model = training.train(table.rows, options, lambda share, message: _say(answers, Line(share, message)))
        file = model.dump()
    except readers.TableError as error:
        return Line(refusal="table", message=str(error), row=error.row)
    except (training.TrainingError, calibration.CalibrationError, ModelFileError) as error:
        return Line(refusal="training", message=str(error))
    report = {**model.report, "table_notes": list(table.notes)}
    return Line(1.0, model=base64.b64encode(file).decode(), report=report)


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
