"""Makes normal rows of an imaginary machine: `python -m anomaly.demo --rows 4000 --seed 1 > data.csv`.

A spindle with three sensors. Its load rises and falls with the work pieces, the coolant with the hall: vibration grows
with the load and faster near its resonance, the current follows the load, and the temperature falls a little under
load, because the coolant pump is driven by the spindle, and follows the coolant. The values are of the size of the
sample rows that integrators know: `1.2,0.9,1.1` and `1.0,1.1,0.95`.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HEADER = "vibration [mm/s],temperature [pu],current [A]"
LOAD_MEMORY, COOLANT_MEMORY = 0.8, 0.95  # correlation of successive rows
NOISE = (0.015, 0.01, 0.01)  # vibration, temperature, current
MAX_ROWS = 10_000_000


def generate(n_rows: int, seed: int) -> Array:
    """Returns (n, 3) float64: vibration in mm/s, temperature per unit of the rated one, current in A."""
    generator = np.random.default_rng(seed)
    load = np.tanh(_wandering(n_rows, LOAD_MEMORY, generator))  # in (-1, 1)
    coolant = np.tanh(_wandering(n_rows, COOLANT_MEMORY, generator))
    vibration = 1.0 + 0.1 * load + 0.15 * np.square(load)
    temperature = 1.0 - 0.06 * load + 0.1 * coolant * (1 - 0.5 * load)
    current = 1.02 + 0.1 * load
    noise = generator.standard_normal((n_rows, 3)) * NOISE
    return np.column_stack([vibration, temperature, current]) + noise


def _wandering(n_rows: int, memory: float, generator: "np.random.Generator") -> Array:
    """Returns a first-order autoregressive series (n,) of variance 1."""
    steps = generator.standard_normal(n_rows) * np.sqrt(1 - memory**2)
    series = np.empty(n_rows)
    value = generator.standard_normal()
    for i, step in enumerate(steps):
        value = memory * value + step
        series[i] = value
    return series


def lines(rows: Array) -> Iterator[str]:
    """Yields the CSV with its header, values to four decimals."""
    yield HEADER
    for row in rows.tolist():
        yield ",".join(f"{value:.4f}" for value in row)


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m anomaly.demo", description="Writes normal demo rows as CSV.")
    parser.add_argument("--rows", type=int, default=4000, help="how many rows (default 4000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed makes the same rows (default 1)")
    arguments = parser.parse_args(argv)
    if not 1 <= arguments.rows <= MAX_ROWS or arguments.seed < 0:
        parser.error(f"--rows must be between 1 and {MAX_ROWS}, --seed 0 or more")
    for line in lines(generate(arguments.rows, arguments.seed)):
        sys.stdout.write(line + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
