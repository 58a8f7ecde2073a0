"""What a user says of the sensors: their units, and physical ranges, which no row of normal operation may break.

The command line and the service take the same texts: `NAME=TEXT` and `NAME=LOW:HIGH`.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from anomaly.detector.modelfile import Sensor
from anomaly.formats import cells
from anomaly.formats.tables import Table, TableError, shown
from anomaly.learning.options import TrainingError, numbered_sensors

MAX_UNIT_CHARS = 64
LARGEST = 1e308  # what a model file holds
NAMED = 12  # sensors in one error


def sensors_of(
    table: Table, ranges: Sequence[str], units: Sequence[str], known: Sequence[Sensor] = ()
) -> tuple[Sensor, ...]:
    """Returns the table's sensors; what is not said of one is taken from its header, then from `known`, by name.

    Raises TrainingError as `declare` does, and TableError as `check` does.
    """
    before = {sensor.name: sensor for sensor in known}
    own = table.sensors or numbered_sensors(table.rows.shape[1])
    inherited = [
        msgspec.structs.replace(before[sensor.name], unit=sensor.unit or before[sensor.name].unit)
        if sensor.name in before
        else sensor
        for sensor in own
    ]
    sensors = declare(inherited, ranges, units)
    check(table, sensors)
    return sensors


def declare(sensors: Sequence[Sensor], ranges: Sequence[str], units: Sequence[str]) -> tuple[Sensor, ...]:
    """Returns the sensors with what is said of them; raises TrainingError for a text or a name that is not understood.

    An empty side of a range has no limit; `NAME=:` and `NAME=` take away what was known before.
    """
    names = [sensor.name for sensor in sensors]
    found_ranges = {name: _range(text) for name, text in _by_name(names, "range", "NAME=LOW:HIGH", ranges).items()}
    found_units = {name: _unit(text) for name, text in _by_name(names, "unit", "NAME=TEXT", units).items()}
    made = []
    for sensor in sensors:
        low, high = found_ranges.get(sensor.name, (sensor.low, sensor.high))
        unit = found_units.get(sensor.name, sensor.unit)
        made.append(msgspec.structs.replace(sensor, unit=unit, low=low, high=high))
    return tuple(made)


def check(table: Table, sensors: Sequence[Sensor]) -> None:
    """Raises TableError for the first row of the file that holds a value outside its sensor's range."""
    low = np.array([-np.inf if sensor.low is None else sensor.low for sensor in sensors])
    high = np.array([np.inf if sensor.high is None else sensor.high for sensor in sensors])
    outside = (table.rows < low) | (table.rows > high)  # (n, d)
    broken = np.flatnonzero(outside.any(axis=1))
    if not len(broken):
        return
    numbers = np.arange(1, len(outside) + 1) if table.row_numbers is None else table.row_numbers
    place = int(broken[np.argmin(numbers[broken])])
    column = int(np.argmax(outside[place]))
    sensor = sensors[column]
    raise TableError(
        f"{shown(sensor.name)} is {table.rows[place, column]:g}, outside its range {_shown(sensor.low)}:"
        f"{_shown(sensor.high)}; a range that rows of normal operation break is wrong",
        int(numbers[place]),
    )


def _by_name(names: Sequence[str], what: str, grammar: str, texts: Sequence[str]) -> dict[str, str]:
    """Splits at the last `=`, so that a name may hold one."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, said = text.rpartition("=")
        if not equals or not name:
            raise TrainingError(f"the {what} {shown(text)} is not understood: expected {grammar}")
        if name not in names:
            listed = ", ".join(map(shown, names[:NAMED])) + (" and more" if len(names) > NAMED else "")
            raise TrainingError(f"the {what} {shown(text)} is for a sensor that there is not; there are {listed}")
        if name in found:
            raise TrainingError(f"the sensor {shown(name)} is given a {what} twice")
        found[name] = said
    return found


def _range(text: str) -> tuple[float | None, float | None]:
    low, colon, high = text.partition(":")
    if not colon:
        raise TrainingError(f"the range {shown(text)} has no colon: expected LOW:HIGH, either side may be empty")
    limits = _limit(low, text), _limit(high, text)
    if limits[0] is not None and limits[1] is not None and limits[0] >= limits[1]:
        raise TrainingError(f"the range {shown(text)} is empty: its lower end must be below its upper end")
    return limits


def _limit(side: str, text: str) -> float | None:
    if not side.strip(" "):
        return None
    number = cells.number(side, decimal_comma=False)
    if number is None or abs(number) > LARGEST:
        raise TrainingError(f"in the range {shown(text)}, {shown(side)} is not a finite number")
    return number


def _unit(text: str) -> str:
    if len(text) > MAX_UNIT_CHARS or not text.isprintable():
        raise TrainingError(f"the unit {shown(text)} must be at most {MAX_UNIT_CHARS} printable characters")
    return text


def _shown(limit: float | None) -> str:
    return "" if limit is None else f"{limit:g}"
