"""Where the texts go: standard output for one, a folder for many, and nothing that is there is overwritten."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from ocr.commands.sources import Source

ENDINGS = {
    "text": ".txt",
    "markdown": ".md",
    "json": ".json",
    "ndjson": ".ndjson",
    "hocr": ".hocr",
    "alto": ".xml",
    "pdf": ".pdf",
}


@dataclass(frozen=True)
class Writing:
    """Where the texts go, and how."""

    output: Path | None  # None: standard output
    form: str
    words: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A source, and the file that its text goes to; None is standard output."""

    source: Source
    path: Path | None


def targets(sources: Sequence[Source], writing: Writing) -> list[Target]:
    """Gives each source its place; raises ValueError where they cannot have one."""
    if writing.output is not None:
        places = _named(sources, ENDINGS[writing.form])
        return [Target(source, writing.output / place) for source, place in zip(sources, places, strict=True)]
    if writing.form == "pdf" and sys.stdout.isatty():
        raise ValueError("a PDF cannot be shown on a terminal: name a folder with --output, or a file with >")
    if len(sources) > 1 and writing.form != "ndjson":
        raise ValueError(f"{len(sources)} files: name a folder for their texts with --output, or take --format ndjson")
    return [Target(source, None) for source in sources]


def obstacle(target: Target, *, force: bool) -> str | None:
    """Returns why a text cannot be written to its place."""
    if target.path is None or not target.path.exists():
        return None
    if target.source.path.exists() and target.path.samefile(target.source.path):
        return "its text would overwrite it: name another folder with --output"
    return None if force else f"{target.path} is there already: --force overwrites it"


def _named(sources: Sequence[Source], ending: str) -> list[PurePath]:
    """Returns a path for each: with its own ending replaced, else kept, else below its folder's name; no two alike."""
    longer = [
        [source.below.with_suffix(ending), kept, PurePath(source.folder, kept)]
        for source in sources
        for kept in [source.below.with_name(source.below.name + ending)]
    ]
    chosen = [0] * len(sources)
    for _ in range(2):
        counts = Counter(_key(names[at]) for names, at in zip(longer, chosen, strict=True))
        chosen = [min(at + (counts[_key(names[at])] > 1), 2) for names, at in zip(longer, chosen, strict=True)]
    paths = [names[at] for names, at in zip(longer, chosen, strict=True)]
    alike, count = Counter(map(_key, paths)).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{count} files would all be written to {alike}: read them one after the other")
    return paths


def _key(path: PurePath) -> str:
    return path.as_posix().casefold()  # as file systems of Windows and macOS compare names
