"""Reads the public data sets from a folder beside the repository, as its SOURCES.md describes them.

SKAB (GPL-3.0), NAB (MIT), the turning tools of Vicomtech (CC BY-SA 4.0), AI4I 2020 (CC BY 4.0). None is part of this
repository, and nothing here copies their rows anywhere.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

SKAB_GROUPS = ("valve1", "valve2", "other")
NAB_NAME = "machine_temperature_system_failure.csv"
AI4I_SENSORS = (
    "Air temperature [K]",
    "Process temperature [K]",
    "Rotational speed [rpm]",
    "Torque [Nm]",
    "Tool wear [min]",
)
AI4I_FAILURES = ("TWF", "HDF", "PWF", "OSF", "RNF")


@dataclass(frozen=True, eq=False)
class Recording:
    """Rows (n, d) in the order of time, the sensors' names, and faults (n,): True where the data set names a fault."""

    name: str
    sensors: tuple[str, ...]
    rows: Array
    faults: Mask


@dataclass(frozen=True, eq=False)
class Skab(Recording):
    """One experiment at a row a second; `changes` (n,) are the labelled change points."""

    changes: Mask

    @property
    def group(self) -> str:
        return self.name.split("/")[0]


@dataclass(frozen=True, eq=False)
class Temperature(Recording):
    """NAB's machine temperature, every 5 minutes, with its labelled windows."""

    times: tuple[datetime, ...]
    windows: tuple[tuple[datetime, datetime], ...]


@dataclass(frozen=True, eq=False)
class Tool(Recording):
    """One turning tool, a row per second of cutting, with the flank wear (n,) in micrometres."""

    wear_um: Array


@dataclass(frozen=True, eq=False)
class Milling(Recording):
    """AI4I: synthetic work pieces that do not follow each other in time, with a mask (n,) for each kind of failure."""

    kinds: dict[str, Mask]


def skab(data: Path) -> Iterator[Skab]:
    """Yields the 34 labelled experiments in a fixed order."""
    for group in SKAB_GROUPS:
        for path in sorted((data / "skab" / group).glob("*.csv"), key=lambda path: int(path.stem)):
            yield _skab(path, f"{group}/{path.stem}")


def skab_anomaly_free(data: Path) -> Skab:
    return _skab(data / "skab" / "anomaly-free" / "anomaly-free.csv", "anomaly-free")


def _skab(path: Path, name: str) -> Skab:
    entries = _entries(path, ";")
    sensors = tuple(column for column in entries[0] if column not in ("datetime", "anomaly", "changepoint"))
    labelled = "anomaly" in entries[0]
    faults = _mask(entries, "anomaly") if labelled else np.zeros(len(entries), dtype=np.bool_)
    return Skab(name, sensors, _rows(entries, sensors), faults, _mask(entries, "changepoint") if labelled else faults)


def temperature(data: Path) -> Temperature:
    entries = _entries(data / "nab" / NAB_NAME)
    times = tuple(datetime.fromisoformat(entry["timestamp"]) for entry in entries)
    labels = json.loads((data / "nab" / "labels.json").read_text("utf-8"))[f"realKnownCause/{NAB_NAME}"]
    windows = tuple((datetime.fromisoformat(low), datetime.fromisoformat(high)) for low, high in labels["windows"])
    faults = np.array([any(low <= at <= high for low, high in windows) for at in times])
    return Temperature("temperature", ("value",), _rows(entries, ("value",)), faults, times, windows)


def tools(data: Path) -> Iterator[Tool]:
    """Yields each tool, in the order of the file, with the RMS of its 29 signals: the plainest of its features."""
    entries = _entries(data / "cnc_wear" / "tools_03-09.csv")
    sensors = tuple(column for column in entries[0] if column.endswith("_RMS"))
    rows, wear_um = _rows(entries, sensors), np.array([float(entry["Vb"]) for entry in entries])
    numbers = np.array([int(float(entry["tool"])) for entry in entries])
    for number in dict.fromkeys(numbers.tolist()):
        own = numbers == number
        yield Tool(f"tool {number}", sensors, rows[own], wear_um[own] > WORN_UM, wear_um[own])


# Micrometres of flank wear. 300 is the usual end of life (ISO 3685); few of these tools reach it.
SHARP_UM, WORN_UM = 150.0, 250.0


def milling(data: Path) -> Milling:
    entries = _entries(data / "ai4i" / "ai4i2020.csv")
    kinds = {kind: _mask(entries, kind) for kind in AI4I_FAILURES}
    return Milling("milling", AI4I_SENSORS, _rows(entries, AI4I_SENSORS), _mask(entries, "Machine failure"), kinds)


def _entries(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def _rows(entries: Sequence[dict[str, str]], columns: Sequence[str]) -> Array:
    return np.array([[float(entry[column]) for column in columns] for entry in entries])


def _mask(entries: Sequence[dict[str, str]], column: str) -> Mask:
    return np.array([float(entry[column]) > 0 for entry in entries])
