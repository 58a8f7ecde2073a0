"""Reads files without a server and writes their texts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ocr.commands import sources, writing
from ocr.commands.files import Files, Outcome
from ocr.commands.request import Request
from ocr.commands.sources import Source
from ocr.commands.targets import Target, Writing, obstacle, targets
from ocr.documents import EngineError
from ocr.model import ModelError, ModelFault

Watch = Callable[[float, str], None]  # the share done and a word
Complain = Callable[[str], None]


@dataclass
class Summary:
    """What came of all files."""

    read: int = 0
    pages: int = 0
    failed: int = 0

    def __str__(self) -> str:
        return f"{self.read:,} files read, {self.pages:,} pages; {self.failed:,} could not be read"


def run(places: Sequence[str], request: Request, wanted: Writing, watch: Watch, complain: Complain) -> Summary:
    """Reads what is named; complains of each file that cannot be read, and goes on.

    Raises ValueError where nothing can be done: nothing to read, no place for the texts, no models, a GPU that fails;
    OSError where the folder for the texts cannot be made or written.
    """
    with sources.found(places, request.settings.max_file_size) as found:
        waiting = targets(found, wanted)
        if wanted.output is not None:
            wanted.output.mkdir(parents=True, exist_ok=True)
        try:
            return _Run(request, wanted, watch, complain).read(waiting)
        except (ModelError, ModelFault, EngineError) as error:
            raise ValueError(str(error)) from error


@dataclass
class _Run:
    request: Request
    wanted: Writing
    watch: Watch
    complain: Complain

    def read(self, waiting: Sequence[Target]) -> Summary:
        summary = Summary()
        places = {id(target.source): target for target in waiting}
        with Files(self.request) as files:

            def moved(outcome: Outcome, share: float) -> None:
                done = summary.read + summary.failed
                message = f"{outcome.source.name}, page {len(outcome.pages)}"
                self.watch((done + share) / len(waiting), message)

            for outcome in files.read(self._free(waiting, summary), moved):
                self._finish(outcome, places[id(outcome.source)], files, summary)
        return summary

    def _free(self, waiting: Sequence[Target], summary: Summary) -> Iterator[Source]:
        """Yields the files whose texts have a free place."""
        for target in waiting:
            reason = obstacle(target, force=self.wanted.force)
            if reason is None:
                yield target.source
            else:
                self._fail(target.source, reason, summary)

    def _finish(self, outcome: Outcome, target: Target, files: Files, summary: Summary) -> None:
        if outcome.error is None:
            outcome.error = writing.write(outcome, target, self.wanted, files)
        if outcome.error is not None:
            self._fail(outcome.source, outcome.error, summary)
            return
        summary.read += 1
        summary.pages += len(outcome.pages)

    def _fail(self, source: Source, reason: str, summary: Summary) -> None:
        summary.failed += 1
        self.complain(f"{source.name}: {reason}")
