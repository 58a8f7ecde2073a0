"""Pictures and documents for a measurement of ocr: those of a folder with a manifest, and their groups.

The manifest is `manifest.jsonl`: a line of JSON for each file with `id`, `file` (its path), `kind` and `lines` (the
text that it shows).
"""

import base64
import json
from dataclasses import dataclass
from pathlib import Path

GROUPS = {
    "receipt": "receipts",
    "page": "pages",
    "scan": "pages",
    "table": "pages",
    "block": "pages",
    "label": "labels",
    "sign": "signs",
    "line": "lines",
    "edge": "lines",
    "plate": "plates",
    "word": "words",
    "lowcontrast": "low contrast",
    "rotated": "turned",
    "exif": "turned",
}
TURNED = "turned"


@dataclass(frozen=True)
class Sample:
    """A picture, and the lines of text on it."""

    id: str
    path: Path
    group: str
    lines: list[str]


def folder_of(data: str) -> Path:
    """Returns the folder of the manifest: the given one, or its ocr/dev."""
    inner = Path(data, "ocr", "dev")
    return inner if inner.is_dir() else Path(data)


def samples(data: str) -> list[Sample]:
    """Returns every picture whose text is known."""
    folder = folder_of(data)
    entries = map(json.loads, (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Sample(entry["id"], folder / entry["file"], GROUPS[entry["kind"]], entry["lines"])
        for entry in entries
        if entry.get("lines") and entry["kind"] in GROUPS
    ]


def of_each_group(data: str) -> dict[str, Sample]:
    """Returns the smallest picture of each group."""
    return {sample.group: sample for sample in sorted(samples(data), key=_size, reverse=True)}


def form(field: str, path: Path, **fields: str) -> tuple[bytes, str]:
    """Returns the body of a form with a file and other fields, and its media type."""
    mark, media_type = b"--bench\r\nContent-Disposition: form-data; name=", "multipart/form-data; boundary=bench"
    texts = b"".join(mark + f'"{name}"\r\n\r\n{text}\r\n'.encode() for name, text in fields.items())
    head = mark + f'"{field}"; filename="{path.name}"\r\n\r\n'.encode()
    return texts + head + path.read_bytes() + b"\r\n--bench--\r\n", media_type


def json_body(path: Path) -> bytes:
    """Returns the body of `POST /v1/ocr`."""
    return json.dumps({"image": base64.b64encode(path.read_bytes()).decode()}).encode()


def _size(sample: Sample) -> int:
    return sample.path.stat().st_size
