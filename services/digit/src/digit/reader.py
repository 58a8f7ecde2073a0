"""Reads pictures: decodes, prepares and infers them, beside the event loop and in bounded memory."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

import numpy as np
from PIL.Image import Image
from servicekit import images
from servicekit.budget import Budget
from servicekit.problems import NotReady, Problem, quote
from servicekit.threads import Pool, effective_cpus

from digit import preprocess
from digit.counts import Counts
from digit.model import Model, Models, Pixels
from digit.numbers.judge import judge
from digit.picture import Picture, cost_bytes, most_bytes
from digit.postprocess import Box, Outputs, Reading, readings
from digit.problems import ImageTooLarge, NoInk, NotAnImage, UnknownModel
from digit.settings import Settings

T = TypeVar("T")
Outcome = Reading | Problem

FORMATS = ("PNG", "JPEG")
SMALL_PIXELS = 512 * 512
AT_ONCE: AbstractContextManager[None] = nullcontext()


class Reader:
    """What every route reads pictures with; raises Problems, and NotReady until it is opened."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limits = images.Limits(FORMATS, settings.max_pixels)
        self.counts = Counts()
        self.depth = 0  # of work given to the threads and not done yet
        self.threads = settings.threads or effective_cpus()
        self.pool = Pool("reading", self.threads)
        self.budget = Budget(most_bytes(settings.max_file_bytes, settings.max_pixels, preprocess.BOUND))
        self.unpacking = asyncio.Lock()  # held from unpacking pictures until their memory is admitted
        self._turn = threading.Lock()
        self._models: Models | None = None

    def open(self) -> None:
        """Loads the models, and the network that judges cuts of written numbers; raises WeightsError."""
        self._models = Models(self.settings.weights, self.settings.model)
        judge()

    def close(self) -> None:
        self.pool.close()

    @property
    def models(self) -> Models:
        if self._models is None:
            raise NotReady("the models are being loaded", headers={"Retry-After": "1"})
        return self._models

    @property
    def loaded(self) -> Models | None:
        """Returns the models; None before `open`."""
        return self._models

    def choose(self, name: str | None) -> str:
        """Returns the model's name, the default one's for None."""
        models = self.models
        if name is None:
            return models.default
        if name not in models.names:
            raise UnknownModel(f"there is no model {quote(name)}, there are {', '.join(models.names)}")
        return name

    def predict(self, pixels: Pixels, model: str) -> Outputs:
        """Infers pictures (n, 28, 28) on the calling thread."""
        with self.counts.inference.time():
            return self.models.predict(model, pixels)

    async def read(self, picture: Picture, model: str, route: str) -> Reading:
        """Reads one picture and counts it for the route; `model` comes from `choose`."""
        if picture.is_tiny:
            outcomes = self._read([picture], self.models.find(model))
        else:
            outcomes = await self.start([picture], await self.admit([picture]), model)
        self.count(outcomes, model, route)
        if isinstance(outcomes[0], Problem):
            raise outcomes[0]
        return outcomes[0]

    async def look(self, picture: Picture, look: Callable[[Image], T], bound: int = preprocess.BOUND) -> T:
        """Decodes a picture, reduced to a longer side of less than twice `bound`, and returns `look(picture)`."""
        try:
            return await self._start(await self.admit([picture], bound), self._look, picture, look, bound)
        except Problem as problem:
            self.counts.refuse(problem.slug)
            raise

    async def admit(self, pictures: Sequence[Picture], bound: int = preprocess.BOUND) -> int:
        """Waits until there is memory to read these; what is returned goes to `start`."""
        return await self.budget.take(cost_bytes(pictures, bound))

    def start(self, pictures: Sequence[Picture], admitted: int, model: str) -> asyncio.Future[list[Outcome]]:
        """Starts to read pictures with one inference; gives for each what was read, or why nothing was."""
        return self._start(admitted, self._read, pictures, self.models.find(model), self._turn_for(pictures))

    def count(self, outcomes: Sequence[Outcome], model: str, route: str) -> None:
        for outcome in outcomes:
            if isinstance(outcome, Problem):
                self.counts.refuse(outcome.slug)
            else:
                self.counts.read(model, route, is_digit=outcome.is_digit)

    def _start(self, admitted: int, function: Callable[..., T], *arguments: object) -> asyncio.Future[T]:
        """Has a thread run the function; its memory is given back at its end, whether or not somebody still waits."""

        def end(_: asyncio.Future[T]) -> None:
            self.depth -= 1
            self.budget.give(admitted)

        self.depth += 1
        running = asyncio.ensure_future(self.pool.run(function, *arguments))
        running.add_done_callback(end)
        return asyncio.shield(running)

    def _look(self, picture: Picture, look: Callable[[Image], T], bound: int) -> T:
        return look(self._decode(picture, bound))

    def _turn_for(self, pictures: Sequence[Picture]) -> AbstractContextManager[object]:
        """Small pictures are prepared by one thread at a time.

        Two that hand the interpreter's lock to and fro between small array operations take 1.5 times the CPU and are
        slower than one; from about 600 x 600 pixels on they are faster.
        """
        return self._turn if all(picture.pixels <= SMALL_PIXELS for picture in pictures) else AT_ONCE

    def _read(
        self, pictures: Sequence[Picture], model: Model, turn: AbstractContextManager[object] = AT_ONCE
    ) -> list[Outcome]:
        with turn:
            prepared = [self._prepare(picture) for picture in pictures]
        found = [each for each in prepared if not isinstance(each, Problem)]
        if not found:
            return [each for each in prepared if isinstance(each, Problem)]
        with self.counts.inference.time():
            outputs = model.predict(np.stack([pixels for pixels, _ in found]))
        read = iter(readings(outputs, [box for _, box in found], model.name, model.record.digit_threshold))
        return [each if isinstance(each, Problem) else next(read) for each in prepared]

    def _prepare(self, picture: Picture) -> tuple[Pixels, Box] | Problem:
        try:
            image = self._decode(picture, preprocess.BOUND)
        except Problem as problem:
            return problem
        prepared = preprocess.prepare(image)
        if not prepared.has_ink:
            return NoInk(picture.named("The picture is blank: no ink was found"), reason="no ink was found")
        return prepared.pixels, picture.enlarged(prepared.box, image.size)

    def _decode(self, picture: Picture, bound: int) -> Image:
        """Raises NotAnImage and ImageTooLarge."""
        try:
            return images.decode(picture.data(), self.limits, bound=bound)
        except images.ImageError as error:
            reason = str(error)
        if picture.pixels > self.limits.max_pixels:
            raise ImageTooLarge(picture.named(reason), reason=reason)
        raise NotAnImage(picture.named("File is not an image"), reason=reason)
