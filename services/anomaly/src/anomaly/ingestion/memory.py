"""What the writer remembers of each asset between readings, so that it need not ask the database.

Only the ledger's thread uses it. An entry belongs to one revision of the asset's row: whoever changes the row, be it
another replica, makes the entry out of date. A transaction that is undone takes its entries along, because a revision
that was never committed may be given again.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from anomaly.alerting.drift import Reference
from anomaly.ingestion.assets import AssetSettings
from anomaly.ingestion.consequences import Condition
from anomaly.ingestion.judgement import Ranges
from anomaly.ingestion.windows import Tail
from anomaly.model import Model

MAX_ASSETS = 2000
MAX_BYTES = 8 * 1024 * 1024
ENTRY_BYTES = 1500  # measured: settings, states and the entry itself
CHANNEL_BYTES = 320  # measured: the drift of one sensor


@dataclass(frozen=True, slots=True)
class Memory:
    """An asset as it is at a revision; `rest` is what its state holds beside alarm and drift."""

    revision: int
    version: int
    model: Callable[[], Model | None]  # a weak reference: the registry decides which models stay in memory
    settings: AssetSettings
    ranges: Ranges | None
    reference: Reference
    tail: Tail
    condition: Condition
    rest: dict[str, Any]

    def size_bytes(self) -> int:
        return ENTRY_BYTES + self.tail.rows.nbytes + CHANNEL_BYTES * len(self.condition.drift.channels)


class Memories:
    """The entries used last, bounded by number and size."""

    def __init__(self, max_assets: int = MAX_ASSETS, max_bytes: int = MAX_BYTES) -> None:
        self.max_assets = max_assets
        self.max_bytes = max_bytes
        self.size_bytes = 0
        self._entries: OrderedDict[int, Memory] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, asset_id: int, revision: int) -> Memory | None:
        """Returns the asset's entry if it is of this very revision."""
        entry = self._entries.get(asset_id)
        if entry is None or entry.revision != revision:
            return None
        self._entries.move_to_end(asset_id)
        return entry

    def put(self, asset_id: int, entry: Memory) -> None:
        self.forget(asset_id)
        self._entries[asset_id] = entry
        self.size_bytes += entry.size_bytes()
        while len(self._entries) > self.max_assets or (self.size_bytes > self.max_bytes and len(self._entries) > 1):
            self.forget(next(iter(self._entries)))

    def forget(self, asset_id: int) -> None:
        entry = self._entries.pop(asset_id, None)
        if entry is not None:
            self.size_bytes -= entry.size_bytes()

    def clear(self) -> None:
        self._entries.clear()
        self.size_bytes = 0
