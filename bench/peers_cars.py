"""The peer of cars: Pillow and bare ONNX Runtime, in this process and on one thread.

It decodes the same picture, at its full size or as Pillow's `draft` reduces it, and runs the same networks on the very
inputs that the service's own code gave them. Squaring the picture, finding the region, judging the answer and HTTP are
what the service does beside.
"""

import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cars import model
from cars.backends.local import Local
from cars.preprocess import BOUND
from PIL import Image
from servicekit import images
from servicekit.threads import Pool

DRAFT = (BOUND, BOUND)  # no coarser than the service reads it


@dataclass
class Runs:
    """Stands before a session and notes what it is asked."""

    session: Any
    noted: list[tuple[Any, Sequence[str], Mapping[str, Any]]] = field(default_factory=list)

    def run(self, names: Sequence[str], inputs: Mapping[str, Any]) -> Any:
        self.noted.append((self.session, names, inputs))
        return self.session.run(names, inputs)


class Peer:
    """Both networks as shipped; `cpu_ms` tells what a picture costs."""

    def __init__(self) -> None:
        self._model = model.load()
        self._local = Local(Pool("peer", 1))
        self._local._model = self._model
        self._networks: tuple[Any, ...] = (self._model.gate, self._model.network)

    def runs(self, data: bytes) -> list[tuple[Any, Sequence[str], Mapping[str, Any]]]:
        """Returns the runs of the networks that recognising a picture took; raises where one was not asked."""
        noted: list[tuple[Any, Sequence[str], Mapping[str, Any]]] = []
        for network in self._networks:
            network._session = Runs(network._session, noted)
        try:
            picture = images.decode(data, images.Limits(("JPEG",), 178_000_000), bound=BOUND).convert("RGB")
            self._local.read(picture)
        finally:
            for network in self._networks:
                network._session = network._session.session
        if len({id(session) for session, _, _ in noted}) < len(self._networks):
            raise RuntimeError("no car was seen in the picture: the second network was not asked")
        return noted

    def cpu_ms(self, data: bytes, *, draft: bool, times: int) -> float:
        """Returns the mean over so many times."""
        runs = self.runs(data)
        started = time.thread_time()
        for _ in range(times):
            _decode(data, draft=draft)
            for session, names, inputs in runs:
                session.run(names, inputs)
        return 1000 * (time.thread_time() - started) / times


def _decode(data: bytes, *, draft: bool) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    if draft:
        picture.draft("RGB", DRAFT)
    return picture.convert("RGB")
