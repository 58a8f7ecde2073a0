"""The report: one HTML file that needs nothing else, with counts, plots and the newest pictures.

It runs no script, loads nothing, and says so itself, because a saved file has no headers: nothing could come of a
hostile name even if it got past the escaping.
"""

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from html import escape
from importlib import resources

from servicekit import names

from cars.archive import FileRecord, Stats
from cars.reports.plots import Bar, Plot

MEDIA_TYPE = "text/html; charset=utf-8"
NEWEST = 200  # files in the table
ABREAST = 8  # pictures that are fetched at once
MOST_MAKES = 25  # in a plot; the others together are one more
DAYS = 60  # in a plot, up to the last upload
STYLE = resources.files("cars.reports").joinpath("report.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
POLICY = f"default-src 'none'; img-src data:; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"
SERVED_POLICY = f"{POLICY}; frame-ancestors 'none'; sandbox"

REASONS = {
    "no_car": "no car in the picture",
    "unknown_model": "a car that the model does not know",
    "low_confidence": "not certain enough",
}
HEAD = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>Lineside cars: report</title><style>{STYLE}</style></head>
<body>
"""
TAIL = "</tbody></table></main></body></html>\n"
COLUMNS = ("Picture", "File", "Status", "Car", "Top five", "Correction", "Recognised by")

Thumbnail = Callable[[FileRecord], Awaitable[bytes | None]]  # a JPEG, or None where there is no picture


async def pieces(stats: Stats, files: Sequence[FileRecord], thumbnail: Thumbnail, now: datetime) -> AsyncIterator[str]:
    """Yields the page piece by piece, with few pictures in memory; `files` are the newest."""
    shown = files[:NEWEST]
    yield HEAD
    yield f"<header><h1>Cars</h1><p class=muted>As of {_moment(now)}.</p></header><main>"
    yield _facts(stats)
    yield _plots(stats)
    yield _table_head(len(shown), stats.files)
    for first in range(0, len(shown), ABREAST):
        group = shown[first : first + ABREAST]
        pictures = await asyncio.gather(*(thumbnail(file) for file in group))
        yield "".join(_row(file, picture) for file, picture in zip(group, pictures, strict=True))
    yield TAIL


def _facts(stats: Stats) -> str:
    facts = {
        "Files": stats.files,
        "Megabytes": round(stats.size_bytes / 1e6, 1),
        "Predictions": stats.predictions,
        "Corrections": stats.corrections,
        **{status.capitalize(): number for status, number in stats.by_status.items()},
    }
    cards = (f"<div><dt>{name}</dt><dd>{number:,}</dd></div>" for name, number in facts.items())
    return f"<dl class=facts>{''.join(cards)}</dl>"


def _plots(stats: Stats) -> str:
    plot = Plot()
    makes, days = _makes(stats), _days(stats)
    steps = len(stats.by_confidence)
    confidences = [Bar(f"{at * 100 // steps} %", number) for at, number in enumerate(stats.by_confidence)]
    reasons = [Bar(REASONS.get(name, name), number) for name, number in stats.by_reason.items()]
    return "".join(
        (
            _section("Makes", "make", plot.bars("Files by make", _summary(makes), makes), makes),
            _section(
                "Confidence of the first prediction",
                "from",
                plot.columns("Files by confidence", "From 0 to 100 percent in steps of ten.", confidences),
                confidences,
            ),
            _section("Why not recognized", "reason", plot.bars("Files by reason", _summary(reasons), reasons), reasons),
            _section(
                f"Uploads by day (UTC), at most the last {DAYS} days",
                "day",
                plot.columns("Uploads by day", _summary(days), days),
                [bar for bar in days if bar.value],
            ),
        )
    )


def _makes(stats: Stats) -> list[Bar]:
    """Returns the most frequent makes, and the others together."""
    bars = [Bar(make, number) for make, number in stats.by_make.items()]
    others = sum(bar.value for bar in bars[MOST_MAKES:])
    return [*bars[:MOST_MAKES], *([Bar("all others", others)] if others else [])]


def _days(stats: Stats) -> list[Bar]:
    """Returns the last days up to the last upload, those without any too."""
    if not stats.by_day:
        return []
    last, first = date.fromisoformat(max(stats.by_day)), date.fromisoformat(min(stats.by_day))
    length = min(DAYS, (last - first).days + 1)
    days = [(last - timedelta(days=back)).isoformat() for back in reversed(range(length))]
    return [Bar(day, stats.by_day.get(day, 0)) for day in days]


def _summary(bars: Sequence[Bar]) -> str:
    if not bars:
        return "There are none yet."
    largest = max(bars, key=lambda bar: bar.value)
    return f"{len(bars)} bars; the largest is {largest.name} with {largest.value:,}. The table has all numbers."


def _section(title: str, column: str, plot: str, bars: Sequence[Bar]) -> str:
    if not bars:
        return f"<section><h2>{title}</h2><p class=muted>There are none yet.</p></section>"
    rows = "".join(f"<tr><th scope=row>{text(bar.name)}</th><td class=count>{bar.value:,}</td></tr>" for bar in bars)
    head = f"<thead><tr><th scope=col>{column}</th><th scope=col class=count>files</th></tr></thead>"
    table = f"<table>{head}<tbody>{rows}</tbody></table>"
    return f"<section><h2>{title}</h2><div class=pair><div>{plot}</div><div>{table}</div></div></section>"


def _table_head(shown: int, total: int) -> str:
    which = "all files" if shown == total else f"the newest {shown:,} of {total:,} files; the CSV has all of them"
    heads = "".join(f"<th scope=col>{name}</th>" for name in COLUMNS)
    return f"<h2>Files</h2><table class=files><caption>{which}</caption><thead><tr>{heads}</tr></thead><tbody>\n"


def _row(file: FileRecord, picture: bytes | None) -> str:
    cells = (
        _picture(file, picture),
        f"{text(file.filename)}<br><span class=muted>{_facts_of(file)}</span>",
        _status(file),
        _car(file),
        _predictions(file),
        text(file.correction.label) if file.correction else "",
        _origin(file),
    )
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>\n"


def _facts_of(file: FileRecord) -> str:
    return f"{file.id} · {file.width} × {file.height} · {_moment(file.uploaded_at)}"


def _picture(file: FileRecord, picture: bytes | None) -> str:
    if picture is None:
        return "<span class=muted>no picture</span>"
    data = base64.b64encode(picture).decode("ascii")
    return f'<img alt="Picture {file.id}" src="data:image/jpeg;base64,{data}">'


def _status(file: FileRecord) -> str:
    reason = REASONS.get(file.reason, file.reason) if file.reason else ""
    if file.error:
        reason = str(file.error.get("detail") or file.error.get("title") or "")
    return f'<span class="{file.status}">{file.status}</span>' + (f"<br>{text(reason)}" if reason else "")


def _car(file: FileRecord) -> str:
    shares = [share for share in (file.make, file.model, file.body, file.year) if share]
    return "<br>".join(f"{text(str(share.value))} <span class=muted>{share.confidence:.0%}</span>" for share in shares)


def _predictions(file: FileRecord) -> str:
    items = "".join(
        f"<li>{text(each.label)} <span class=muted>{each.confidence:.1%}</span></li>" for each in file.predictions
    )
    return f"<ol>{items}</ol>" if items else ""


def _origin(file: FileRecord) -> str:
    return "<br>".join(text(each) for each in (file.backend, file.model_name, file.model_version) if each)


def text(words: str) -> str:
    """Returns a client's or a model's words as HTML that shows them and does nothing else, whichever way they run."""
    return f"<bdi>{escape(names.clean(words))}</bdi>"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
