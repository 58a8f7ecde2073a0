"""The pictures of the case studies: our own renderings of scores, small and without the rows of any data set."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.recordings import Array, Mask

BLUE, RED, GREY = "#1f5fa8", "#c0392b", "#8a8f98"
DPI = 90
LOWEST, HIGHEST = 0.05, 20.0  # of score / threshold; what is beyond is drawn at the edge
POINTS = 4000  # of a curve; more are not seen


def prepare() -> None:
    """Chooses the back end that needs no display, and a plain look."""
    mpl.use("agg")
    mpl.rcParams.update({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False})


def sheet(n_rows: int, n_columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """Returns a figure, 8 inches wide, and its axes row by row."""
    figure, axes = plt.subplots(n_rows, n_columns, figsize=(8, height), squeeze=False)
    return figure, list(axes.flat)


def scores(axes: Axes, values: Array, threshold: float, faults: Mask, n_trained: int, title: str) -> None:
    """Draws score / threshold (n,) on a log axis, faults in red behind it, and the end of the training rows."""
    ratio = np.clip(np.nan_to_num(values / threshold, nan=LOWEST), LOWEST, HIGHEST)
    step = max(1, len(ratio) // POINTS)
    rows = np.arange(0, len(ratio), step)
    highest = np.array([ratio[row : row + step].max() for row in rows])  # a short alarm must stay visible
    axes.semilogy(rows, highest, color=BLUE, linewidth=0.7)
    axes.axhline(1.0, color=GREY, linewidth=0.8, linestyle="--")
    if n_trained:
        axes.axvline(n_trained, color=GREY, linewidth=0.8)
    shade(axes, faults, LOWEST, HIGHEST)
    axes.set_ylim(LOWEST, HIGHEST)
    axes.margins(x=0)
    axes.set_title(title, fontsize=9, loc="left")
    axes.set_ylabel("score / threshold")


def shade(axes: Axes, faults: Mask, low: float, high: float) -> None:
    axes.fill_between(np.arange(len(faults)), low, high, where=faults.tolist(), color=RED, alpha=0.15, linewidth=0)


def spans(axes: Axes, found: Sequence[tuple[int, int]]) -> None:
    """Draws spans of rows as a grey bar at the foot."""
    for start, stop in found:
        axes.axvspan(start, stop, ymax=0.06, color=GREY, linewidth=0)


def histogram(axes: Axes, normal: Array, faulty: Array, threshold: float) -> None:
    bins = np.linspace(0, float(np.quantile(np.concatenate([normal, faulty]), 0.999)), 60).tolist()
    axes.hist(normal, bins=bins, density=True, color=BLUE, alpha=0.6, label="normal")
    axes.hist(faulty, bins=bins, density=True, color=RED, alpha=0.6, label="failure")
    axes.axvline(threshold, color=GREY, linestyle="--", label="threshold")
    axes.set_xlabel("score")
    axes.legend(fontsize=8)


def save(figure: Figure, output: Path, name: str) -> None:
    figure.tight_layout()
    figure.savefig(output / f"{name}.png", dpi=DPI, metadata={"Software": None})
    plt.close(figure)
