"""The state of an import: which files a service has got, a line of JSON for each."""

import json
from pathlib import Path
from types import TracebackType
from typing import Self


class Sent:
    """Ids by the SHA-256 of the file, of one service; raises OSError where the file cannot be read or written."""

    def __init__(self, path: Path, url: str) -> None:
        self._url = url
        self._ids = _read(path, url)
        self._file = path.open("a", encoding="utf-8")
        if self._file.tell() and not path.read_bytes().endswith(b"\n"):
            self._file.write("\n")  # the process that wrote the last line did not live to its end

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def get(self, sha256: str) -> int | None:
        return self._ids.get(sha256)

    def add(self, sha256: str, image_id: int, name: str) -> None:
        """Notes a file that the service has stored."""
        self._ids[sha256] = image_id
        line = json.dumps({"sha256": sha256, "id": image_id, "url": self._url, "file": name})
        self._file.write(f"{line}\n")
        self._file.flush()


def _read(path: Path, url: str) -> dict[str, int]:
    if not path.exists():
        return {}
    found: dict[str, int] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
            if entry["url"] == url:
                found[str(entry["sha256"])] = int(entry["id"])
        except (ValueError, KeyError, TypeError):  # cut off, or nothing of ours: that file is sent again
            continue
    return found
