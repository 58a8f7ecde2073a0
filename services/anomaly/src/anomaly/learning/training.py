"""From normal rows to a model: fits both kinds, compares them, calibrates on held-back rows, and reports.

Deterministic: the same rows and options make the same bytes on one build of NumPy.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from anomaly.detector.autoencoder import Schedule
from anomaly.detector.calibration import Calibration, calibrate
from anomaly.learning import comparison, contamination, fitting, folds
from anomaly.learning.fitting import Fit
from anomaly.learning.folds import Span, Split
from anomaly.learning.options import TrainingError, TrainingOptions, check
from anomaly.model import Kind, Model
from anomaly.preprocess import Scaler, constant_sensors, effective_rows, tolerances

__all__ = ["Progress", "TrainingError", "TrainingOptions", "check", "train"]

Array = NDArray[np.float64]
Progress = Callable[[float, str], None]

MIN_TRAINING_ROWS = 8
NOTED_TOLERANCE, IGNORED_TOLERANCE = 1.5, 10.0
NAMED = 3  # sensors in one note
OVERFITTED = 2.0


def train(rows: Array, options: TrainingOptions | None = None, progress: Progress | None = None) -> Model:
    """Trains on rows (n, d) of normal operation in the order of time; raises TrainingError or CalibrationError.

    `progress` is called with the share done and a word; what it raises ends the training.
    """
    options = options or TrainingOptions()
    check(rows, options)
    return _Training(rows, options, progress or (lambda _share, _message: None)).run()


class _Training:
    """One training: the state that its steps share."""

    def __init__(self, rows: Array, options: TrainingOptions, progress: Progress) -> None:
        self.rows = np.ascontiguousarray(rows, dtype=np.float64)
        self.options = options
        self.progress = progress
        self.sensors = options.sensors_for(rows.shape[1])
        self.features = options.feature_strategy()
        self.holdback = folds.resolve(options.holdback, len(rows))
        self.usable: tuple[Span, ...] = ((0, len(rows)),)
        self.left_out: tuple[Span, ...] = ()
        self.networks_done, self.networks = 0, 1
        self.notes: list[str] = []

    def run(self) -> Model:
        self.progress(0.0, "looking for rows that are not normal")
        self._trim()
        splits = self._splits(self.holdback)
        self.networks = len(splits) + (self.holdback == "folds")
        tolerance = self._tolerance()
        fitted: dict[Kind, list[Fit]] = {
            "pca": [self._fit("pca", split.training).with_tolerance(tolerance) for split in splits],
            "autoencoder": [self._fit("autoencoder", split.training).with_tolerance(tolerance) for split in splits],
        }
        held = {kind: _held(fits, splits, self._segments) for kind, fits in fitted.items()}
        compared = self._compare(fitted, held, splits)
        kind = self._choose(compared["better"], held)
        tail = self.holdback == "tail"
        final = fitted[kind][0] if tail else self._fit(kind, self.usable).with_tolerance(tolerance)
        self._note_constants()
        self._note_levels()
        made = self._calibrate(held[kind], final)
        self.progress(1.0, "done")
        report = self._report(final, made, {**compared, "chosen": kind})
        return Model(self.sensors, final.preparation, final.core, made, report)

    def _segments(self, spans: Sequence[Span]) -> list[Array]:
        return [self.rows[start:stop] for start, stop in spans]

    def _splits(self, holdback: Literal["folds", "tail"]) -> list[Split]:
        splits = folds.split(self.usable, len(self.rows), self.options.window, holdback)
        sound = [s for s in splits if s.held and sum(stop - start for start, stop in s.training) >= MIN_TRAINING_ROWS]
        if not sound:
            raise TrainingError("too few rows are left beside those held back: give more rows or a smaller window")
        return sound

    def _fit(self, kind: Kind, spans: Sequence[Span]) -> Fit:
        segments, window = self._segments(spans), self.options.window
        if kind == "pca":
            return fitting.fit_pca(segments, window, self.features)
        done, total = self.networks_done, self.networks
        self.networks_done += 1
        schedule = Schedule(epochs=self.options.epochs, seed=self.options.seed)

        def told(share: float) -> None:
            self.progress(min(0.98, (done + share) / total), f"training network {done + 1} of {total}")

        return fitting.fit_autoencoder(segments, window, self.features, self.options.hidden, schedule, told)

    def _trim(self) -> None:
        """Leaves out bursts of rows that a quick model of the other rows finds far out."""
        window, n_rows = self.options.window, len(self.rows)
        scores = np.full(n_rows, np.nan)
        for split in self._splits("folds"):
            found = self._fit("pca", split.training).scores(self._segments(split.held))
            for (start, stop), part in zip(split.held, found, strict=True):
                scores[start + window - 1 : stop] = part
        bursts = contamination.bursts(scores, window)
        n_far = sum(stop - start for start, stop in bursts)
        if not bursts:
            return
        told = f"{n_far} of {n_rows} rows ({_told(bursts)}) score far beyond the rest, as an anomaly would"
        remaining = folds.cut(contamination.without(n_rows, bursts), 0, n_rows, window)
        enough = sum(stop - start for start, stop in remaining) >= folds.rows_needed(window)
        if self.options.trim and enough and n_far <= contamination.MAX_SHARE * n_rows:
            self.usable, self.left_out = remaining, bursts
            self.notes.append(f"{told}; they were left out. If they are normal operation, train without trimming.")
        else:
            self.notes.append(f"{told}; they were kept. Check that they are normal operation.")

    def _tolerance(self) -> Array:
        """Returns (d,), and notes the sensors that wander too slowly for these rows."""
        n_sensors = self.rows.shape[1]
        if not self.options.tolerance:
            return np.ones(n_sensors)
        effective = effective_rows(np.concatenate(self._segments(self.usable)))
        found = tolerances(effective)
        slow = [int(i) for i in np.argsort(-found) if found[i] >= NOTED_TOLERANCE]
        if len(slow) > NAMED:
            told = _listed([f"{self.sensors[i].name} (1/{found[i]:.1f})" for i in slow])
            self.notes.append(
                f"{len(slow)} of {n_sensors} sensors wander so slowly that the rows do not tell what is normal for "
                f"them, so that their deviations count for less: {told}. The machine was changing (warming up, "
                "wearing, at fault) or the recording is too short: expect missed faults, and more false alarms than "
                "stated."
            )
            return found
        for i in slow:
            ignored = ", so that it is practically ignored" if found[i] >= IGNORED_TOLERANCE else ""
            self.notes.append(
                f"{self.sensors[i].name} wanders so slowly that the rows hold about {effective[i]:.0f} independent "
                f"values: its deviations count 1/{found[i]:.1f}{ignored}. A longer recording would tell what is normal "
                "for it."
            )
        return found

    def _note_levels(self) -> None:
        numbers = np.concatenate([np.arange(start, stop) for start, stop in self.usable])  # of the rows that are used
        changes = contamination.level_changes(self.rows[numbers], self.options.window)
        if changes:
            told = _listed([f"{self.sensors[sensor].name} (near row {numbers[row] + 1})" for sensor, row in changes])
            self.notes.append(
                f"The machine changed its state within the rows, to judge by {told}: the level moved and stayed. If "
                "one of the states is a fault or a start-up, the model has learned it as normal and will not report "
                "it: train on rows of the other."
            )

    def _note_constants(self) -> None:
        constant = constant_sensors(np.concatenate(self._segments(self.usable)))
        for sensor, never in zip(self.sensors, constant, strict=True):
            if never:
                self.notes.append(f"{sensor.name} never changed: a change by 1 % of its value counts as one deviation.")

    def _compare(
        self, fitted: Mapping[Kind, Sequence[Fit]], held: Mapping[Kind, Sequence[Array]], splits: Sequence[Split]
    ) -> dict[str, Any]:
        scale = Scaler.fit(np.concatenate(self._segments(self.usable))).scale
        faults = [
            comparison.faults(self._segments(split.held), self.options.window, scale, self.options.seed + i)
            for i, split in enumerate(splits)
        ]
        found = {
            kind: comparison.detected(
                np.concatenate(held[kind]), [(fit.score_windows, f) for fit, f in zip(fits, faults, strict=True)]
            )
            for kind, fits in fitted.items()
        }
        best = comparison.better(found["autoencoder"], found["pca"])
        return {
            "criterion": comparison.CRITERION,
            "better": best,
            "autoencoder": found["autoencoder"],
            "pca": found["pca"],
        }

    def _choose(self, better: Kind, held: Mapping[Kind, Sequence[Array]]) -> Kind:
        """Returns the kind to serve: the better one, but the simpler one where the rows are too few to tell."""
        if self.options.kind != "auto":
            return self.options.kind
        scores = [np.concatenate(parts) for parts in held.values()]
        if better == "pca" or comparison.is_supported(scores, self.options.window):
            return better
        self.notes.append(
            f"The {better} found more artificial faults, but the held-back rows are too few to compare both at "
            f"{comparison.FALSE_ALARMS:.0%} false alarms: PCA, the simpler kind, was taken."
        )
        return "pca"

    def _calibrate(self, held: Sequence[Array], final: Fit) -> Calibration:
        """Finds the threshold from held-back scores alone; training scores only tell of overfitting."""
        scores = np.concatenate(held)
        own = float(np.median(np.concatenate(final.scores(self._segments(self.usable)))))
        if own > 0 and np.median(scores) > OVERFITTED * own:
            ratio = float(np.median(scores)) / own
            self.notes.append(
                f"Held-back rows score {ratio:.1f} times what training rows score: the rows are "
                "too few for the model, or the machine changed while they were recorded."
            )
        options = self.options
        return calibrate(scores, options.method, options.parameters(), window=options.window, notes=tuple(self.notes))

    def _report(self, final: Fit, made: Calibration, compared: dict[str, Any]) -> dict[str, Any]:
        usable = np.concatenate(self._segments(self.usable))
        return {
            "rows": len(self.rows),
            "rows_used": len(usable),
            "rows_left_out": [[start + 1, stop] for start, stop in self.left_out],
            "held_back": {"how": self.holdback, "rows": made.rows},
            "options": {"kind": self.options.kind, "features": self.features, "seed": self.options.seed},
            "fit": final.figures,
            "comparison": compared,
            "sensors": {
                sensor.name: {"lowest": low, "highest": high, "tolerance": round(float(factor), 3)}
                for sensor, low, high, factor in zip(
                    self.sensors,
                    usable.min(axis=0).tolist(),
                    usable.max(axis=0).tolist(),
                    final.preparation.tolerance,
                    strict=True,
                )
            },
            "notes": list(made.notes),
        }


def _held(
    fits: Sequence[Fit], splits: Sequence[Split], segments: Callable[[Sequence[Span]], list[Array]]
) -> list[Array]:
    """Returns the scores of all held-back segments in time order, by models that did not see them."""
    return [part for fit, split in zip(fits, splits, strict=True) for part in fit.scores(segments(split.held))]


def _listed(names: Sequence[str]) -> str:
    """Returns the first few names, and how many more there are."""
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


def _told(spans: Sequence[Span]) -> str:
    """Returns spans as rows counted from 1, the first few."""
    shown = [f"{start + 1}-{stop}" for start, stop in spans[:5]]
    return ", ".join(shown) + (f" and {len(spans) - 5} more spans" if len(spans) > 5 else "")
