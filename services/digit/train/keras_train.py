"""Trains `cnn` in Keras on TensorFlow, on the same stream of pictures, and exports it; goes on where it stopped.

    python -m train.keras_train --pool pool.npz --folder runs --epochs 30
    python -m train.keras_train --quick --mnist DIR      # proves the whole path within a minute or two

The shipped weights' last line, after 37 minutes of one core (the whole log is in README.md):
    {"epoch": 30, "loss": 0.328, "s": 110, "cpu_s": 71, "held_back": 0.9954, "area_under_roc": 0.9921}
    cnn.onnx: 934371 bytes, at most 4.8e-06 from the native logits
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from train import keras_export, schedule, stream
from train.keras_model import build
from train.stream import Pool

NAME = "cnn"
SEED = 6
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.02
QUICK_EPOCHS = 3

Arrays = list[NDArray[np.float32]]
Step = Callable[..., tf.Tensor]  # (pixels, labels, is_digit, weights) → loss


@dataclass(eq=False)
class Run:
    """All that a training is; `save` and `resume` keep it between processes."""

    model: keras.Model
    average: keras.Model  # the averaged weights, which are shipped
    optimiser: keras.optimizers.Optimizer
    epoch: int = 0

    def save(self, path: Path) -> None:
        """Writes the whole state, so that a killed process loses an epoch at most."""
        arrays = {f"{part}.{i}": array for part, kept in self._parts().items() for i, array in enumerate(kept)}
        partial = path.with_suffix(".part.npz")
        np.savez(partial, allow_pickle=False, epoch=np.array(self.epoch), **arrays)
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Reads what `save` wrote."""
        with np.load(path) as file:
            kept = {part: [file[f"{part}.{i}"] for i in range(len(was))] for part, was in self._parts().items()}
            self.epoch = int(file["epoch"])
        self.model.set_weights(kept["model"])
        self.average.set_weights(kept["average"])
        for variable, value in zip(self.optimiser.variables, kept["optimiser"], strict=True):
            variable.assign(value)

    def _parts(self) -> dict[str, Arrays]:
        optimiser = [np.asarray(variable) for variable in self.optimiser.variables]
        return {"model": self.model.get_weights(), "average": self.average.get_weights(), "optimiser": optimiser}


def start() -> Run:
    """Returns an untrained network; the averaged weights follow the trained ones, batch statistics included."""
    keras.utils.set_random_seed(SEED)
    model, average = build(), build()
    average.set_weights(model.get_weights())
    optimiser = keras.optimizers.AdamW(LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    optimiser.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimiser.build(model.trainable_variables)
    return Run(model, average, optimiser)


def loss_of(
    outputs: tuple[tf.Tensor, tf.Tensor], labels: tf.Tensor, is_digit: tf.Tensor, weights: tf.Tensor
) -> tf.Tensor:
    """Returns the loss of both heads: which digit, of the digits alone, and whether it is one."""
    logits, digit_logit = outputs
    smoothing = schedule.LABEL_SMOOTHING
    each = tf.nn.softmax_cross_entropy_with_logits(tf.one_hot(labels, 10) * (1 - smoothing) + smoothing / 10, logits)
    head = tf.nn.sigmoid_cross_entropy_with_logits(is_digit, digit_logit[:, 0])
    return tf.reduce_sum(each * is_digit) / tf.reduce_sum(is_digit) + schedule.DIGIT_HEAD * tf.reduce_mean(
        weights * head
    )


def step_of(run: Run) -> Step:
    """Returns the compiled step: a batch in, its loss out, the weights and their average moved."""

    @tf.function
    def step(
        pixels: tf.Tensor, labels: tf.Tensor, is_digit: tf.Tensor, weights: tf.Tensor, far: tf.Tensor
    ) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = loss_of(run.model(pixels, training=True), labels, is_digit, weights)
        gradients = tape.gradient(loss, run.model.trainable_variables)
        run.optimiser.apply(gradients, run.model.trainable_variables)
        for average, current in zip(run.average.weights, run.model.weights, strict=True):
            average.assign_sub(far * (average - current))
        return loss

    compiled: Step = step
    return compiled


def train_epoch(run: Run, step: Step, pool: Pool, epochs: int) -> float:
    """Trains one epoch and returns the mean loss."""
    rng, n_steps = np.random.default_rng((SEED, run.epoch)), stream.steps_of_epoch(pool)
    losses = []
    for i, batch in enumerate(stream.batches(pool, rng, run.epoch / epochs)):
        run.optimiser.learning_rate.assign(schedule.rate(LEARNING_RATE, run.epoch + i / n_steps, epochs))
        far = tf.constant(schedule.towards(run.epoch * n_steps + i), tf.float32)
        losses.append(float(step(batch.pixels[..., None], batch.labels, batch.is_digit, batch.weights, far)))
    run.epoch += 1
    return float(np.mean(losses))


def train(run: Run, pool: Pool, epochs: int, checkpoint: Path) -> None:
    """Trains up to `epochs`, keeps the state after each, and prints how it goes."""
    step = step_of(run)
    while run.epoch < epochs:
        clock = schedule.Clock()
        loss = train_epoch(run, step, pool, epochs)
        run.save(checkpoint)
        held = keras_export.outputs(run.average, pool.held.pixels)
        _, others = keras_export.outputs(run.average, pool.held_others.pixels)
        print(clock.line(run.epoch, loss, pool, held, others), flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Trains cnn and exports it to ONNX.")
    stream.add_arguments(parser)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    pool, epochs = stream.asked(arguments, QUICK_EPOCHS)
    run, checkpoint = start(), arguments.folder / f"{NAME}.state.npz"
    if checkpoint.exists() and not arguments.quick:
        run.resume(checkpoint)
    train(run, pool, epochs, checkpoint)
    return keras_export.finish(run.average, pool.held.pixels[:1000], arguments.folder, NAME)


if __name__ == "__main__":
    sys.exit(main())
