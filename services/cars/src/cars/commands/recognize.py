"""Recognises files without a server; nothing of them is kept."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import msgspec
from servicekit import names, sheets
from servicekit.problems import Problem
from servicekit.settings import load
from servicekit.sheets import Cell
from servicekit.threads import Pool, effective_cpus
from servicekit.weights import WeightsError

from cars import answers, choice, pictures, schemas
from cars.backends.folder_labels import FolderError
from cars.commands import files, places
from cars.commands.abreast import in_order
from cars.counts import Counts
from cars.keeper import upload_bytes
from cars.recogniser import Recogniser
from cars.recognition import Box
from cars.settings import Settings

Watch = Callable[[float, str], None]  # the share done and a word
Complain = Callable[[str], None]
Result = schemas.Answer | str  # or why there is none

WHY = {
    "no_car": "no car is seen",
    "unknown_model": "a car that the model does not know",
    "low_confidence": "not certain enough",
}
SHARED = ("make", "model", "body", "year")
HEADER = (
    "file",
    "recognized",
    "reason",
    "label",
    "confidence",
    *(word for name in SHARED for word in (name, f"{name}_confidence")),
    "region_x",
    "region_y",
    "region_width",
    "region_height",
    "backend",
    "model_name",
    "model_version",
    "error",
)


async def run(
    named: Sequence[Path], form: str, bbox: tuple[int, int, int, int] | None, watch: Watch, complain: Complain
) -> int:
    """Prints a line for each picture; returns how many could not be recognised.

    Raises ValueError where nothing can be done: no pictures, no model, settings that cannot be used.
    """
    paths = places.found(named)
    done = failed = 0
    async with _opened(load(Settings)) as (settings, recogniser):

        async def work(path: Path) -> Result:
            return await _recognised(path, Box(*bbox) if bbox else None, settings, recogniser)

        if form == "csv":
            sys.stdout.write(sheets.line(HEADER))
        async with aclosing(in_order(paths, work, effective_cpus() + 1)) as results:
            async for path, result in results:
                if isinstance(result, str):
                    failed += 1
                    complain(f"{names.clean(str(path))}: {result}")
                sys.stdout.write(LINES[form](path, result))
                done += 1
                watch(done / len(paths), names.clean(path.name))
    return failed


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[Settings, Recogniser]]:
    pool = Pool("recognising", settings.threads or effective_cpus())
    recogniser = Recogniser(settings, choice.backend(settings, pool), pool, Counts())
    try:
        await recogniser.backend.open()
        await recogniser.probe()
        recogniser.check()
        yield settings, recogniser
    except (WeightsError, FolderError) as error:
        raise ValueError(str(error)) from error
    finally:
        await recogniser.close()


async def _recognised(path: Path, bbox: Box | None, settings: Settings, recogniser: Recogniser) -> Result:
    try:
        upload = await asyncio.to_thread(files.upload, path, settings.max_file_bytes)
        async with recogniser.room(upload_bytes(upload, recognise=True)):
            picture = await asyncio.to_thread(pictures.take, upload.data(), upload.name, recogniser.limits)
            found = await recogniser.recognise(picture.data, picture.content_type, bbox)
    except Problem as problem:
        return str(problem.detail)
    except OSError as error:
        return error.strerror or str(error)
    return schemas.Answer(
        filename=picture.filename,
        sha256=picture.sha256,
        width=picture.width,
        height=picture.height,
        **answers.recognised(found),
    )


def _text(path: Path, result: Result) -> str:
    if isinstance(result, str):
        return ""
    name = names.clean(str(path))
    first = result.predictions[0] if result.predictions else None
    guess = f"{first.label} ({first.confidence:.0%})" if first else ""
    if result.recognized:
        return f"{name}: {guess}\n"
    why = WHY.get(result.reason or "", "not recognized")
    return f"{name}: {why}" + (f"; nearest is {guess}\n" if guess else "\n")


def _json(path: Path, result: Result) -> str:
    name = {"file": names.clean(str(path))}
    told = {"error": result} if isinstance(result, str) else msgspec.to_builtins(result)
    return msgspec.json.encode({**name, **told}).decode() + "\n"


def _csv(path: Path, result: Result) -> str:
    name = names.clean(str(path))
    if isinstance(result, str):
        return sheets.line([name, *[None] * (len(HEADER) - 2), result])
    first = result.predictions[0] if result.predictions else None
    region = result.region
    cells: list[Cell] = [
        name,
        result.recognized,
        result.reason,
        first.label if first else None,
        first.confidence if first else None,
        *(cell for shared in SHARED for cell in _share(result.car, shared)),
        *([region.x, region.y, region.width, region.height] if region else [None] * 4),
        result.backend,
        result.model,
        result.model_version,
        None,
    ]
    return sheets.line(cells)


def _share(car: schemas.Car | None, name: str) -> tuple[Cell, Cell]:
    share = getattr(car, name) if car else None
    return (share.value, share.confidence) if share else (None, None)


LINES: dict[str, Callable[[Path, Result], str]] = {"text": _text, "json": _json, "csv": _csv}
