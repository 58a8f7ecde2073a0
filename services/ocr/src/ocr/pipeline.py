"""Reads a picture: finds lines, decides which way up they are, orders and recognises them.

The networks are PaddleOCR's PP-OCR (Apache-2.0), the way through them is that of RapidOCR (Apache-2.0) with these
differences: sizes are bounded by pixels, the direction is decided for a whole page, lines are in reading order, every
option belongs to the call.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from ocr import geometry, languages, layout, model, orientation, preprocess
from ocr.geometry import Picture, Quad
from ocr.model.classifier import Classifier
from ocr.model.detector import Detector
from ocr.model.recogniser import Recogniser
from ocr.options import Options
from ocr.orientation import Compass, Directed
from ocr.pages import Line, Page
from ocr.settings import Settings
from ocr.words import corners, line_of

__all__ = ["Picture", "Pipeline"]

T = TypeVar("T")

SIDEWAYS = (90, 270)  # turns of a page
MIN_SIDE = 5  # pixels of a line's shorter side; in lower ones there are no letters, but thousands of columns


class Pipeline:
    """Thread-safe; nothing of a call is kept. `fault` says what is wrong once a GPU has failed."""

    def __init__(self, settings: Settings) -> None:
        """Loads the models; raises ModelError."""
        self._models = model.load(settings)
        self._detector = Detector(self._models.det, on_gpu=self._models.on_gpu)
        self._recogniser = Recogniser(self._models, settings.rec_batch_size)
        self._classifier = Classifier(self._models, settings.cls_batch_size)
        self._compass = Compass(self._classifier, self._recogniser)
        self.networks = networks = self._models.by_role
        self.version = self._models.version
        self.providers: tuple[str, ...] = tuple(dict.fromkeys(network.provider for network in networks.values()))
        self.languages: tuple[str, ...] = languages.read_by(self._models.dictionary)
        self.sha256s: Mapping[str, str] = {role: network.file.sha256 for role, network in networks.items()}
        self.dictionary_size = len(self._models.dictionary)
        self.fault: str | None = None

    def warm_up(self, progress: Callable[[float], None]) -> None:
        """Computes with each network in each shape that it will meet; tells the share that is done, up to 1."""
        steps = [*self._detector.trials(), *self._classifier.trials(), *self._recogniser.trials()]
        for done, step in enumerate(steps):
            progress(done / len(steps))
            self._guarded(step)
        progress(1.0)

    def read(self, picture: Picture, options: Options) -> Page:
        """Reads on the calling thread; raises ModelFault where a GPU fails."""
        return self._guarded(lambda: self._read(picture, options))

    def _guarded(self, step: Callable[[], T]) -> T:
        try:
            return step()
        except model.ModelFault as fault:
            self.fault = str(fault)
            raise

    def _read(self, picture: Picture, options: Options) -> Page:
        found, scores = self._find(picture, options)
        if options.use_det and found.turn in SIDEWAYS:
            found, scores = self._find_upright(picture, found.turn, options)
        order = layout.reading_order(found.quads)
        if options.use_rec:
            lines = self._lines(picture, [found.quads[i] for i in order], options.text_score)
        else:
            lines = [Line("", scores[i], corners(found.quads[i]), ()) for i in order]
        height, width = picture.shape[:2]
        return Page(width, height, tuple(lines), turn=found.turn)

    def _find(self, picture: Picture, options: Options) -> tuple[Directed, list[float]]:
        """Returns the lines as their text runs, and the detector's confidence of each."""
        places = self._places(picture, options)
        quads = [quad for quad, _ in places]
        found = self._compass.direct(picture, quads) if options.use_cls else orientation.as_found(quads)
        return found, [score for _, score in places]

    def _find_upright(self, picture: Picture, turn: int, options: Options) -> tuple[Directed, list[float]]:
        """The same for a page on its side, whose lines the detector tears apart: it has learnt text that lies."""
        found, scores = self._find(geometry.on_its_side(picture, turn), options)
        quads = [geometry.turned_back(quad, turn, picture) for quad in found.quads]
        return Directed(quads, (found.turn + turn) % 360), scores

    def _places(self, picture: Picture, options: Options) -> list[tuple[Quad, float]]:
        """Returns quadrilaterals with the detector's confidence; a tight crop without any is one line."""
        places = self._detector.find(picture, options) if options.use_det else []
        if not options.use_det or (not places and options.use_rec and preprocess.margin_of(picture)):
            places = [(geometry.whole(picture), 1.0)]
        return [(quad, score) for quad, score in places if min(geometry.sides(quad)) >= MIN_SIDE]

    def _lines(self, picture: Picture, quads: list[Quad], text_score: float) -> list[Line]:
        read = self._recogniser.read(geometry.cut(picture, quad) for quad in quads)
        lines = [line_of(characters, quad) for characters, quad in zip(read, quads, strict=True)]
        return [line for line in lines if line.text and line.confidence >= text_score]
