"""What both trainings share: the learning rate over time, and the line that is printed after each epoch."""

import json
import math
import time

from train import scores
from train.scores import Array
from train.stream import Pool

WARM_UP_EPOCHS = 1.0
LEAST = 0.005  # of the highest rate, at the end
LABEL_SMOOTHING = 0.05
DIGIT_HEAD = 0.3  # of the loss of "is it a digit?", beside that of "which?"
EMA_DECAY = 0.998  # of the averaged weights, which are those that are shipped


def rate(highest: float, progress: float, epochs: int) -> float:
    """Returns the learning rate after `progress` of `epochs`: a short rise, then half a cosine."""
    if progress < WARM_UP_EPOCHS:
        return highest * (progress + 0.02) / (WARM_UP_EPOCHS + 0.02)
    done = (progress - WARM_UP_EPOCHS) / max(epochs - WARM_UP_EPOCHS, 1e-9)
    return highest * (LEAST + (1 - LEAST) * (1 + math.cos(math.pi * done)) / 2)


def towards(step: int) -> float:
    """Returns how far the averaged weights move to the trained ones: far at first, so that the start is forgotten."""
    return 1 - min(EMA_DECAY, (1 + step) / (10 + step))


class Clock:
    """Seconds of an epoch, on the wall and of this process's CPU time."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.monotonic(), time.process_time()

    def line(self, epoch: int, loss: float, pool: Pool, held: tuple[Array, Array], others: Array) -> str:
        """Returns JSON: the epoch's loss and time; accuracy and area under ROC of the averaged weights, held back."""
        logits, digit_logit = held
        return json.dumps(
            {
                "epoch": epoch,
                "loss": round(loss, 4),
                "s": round(time.monotonic() - self._wall),
                "cpu_s": round(time.process_time() - self._cpu),
                "held_back": round(scores.accuracy(logits, pool.held.labels), 4),
                "area_under_roc": round(scores.area_under_roc(digit_logit, others), 4),
            }
        )
