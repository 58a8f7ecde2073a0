import gc
import weakref
from collections.abc import Callable

import numpy as np
from anomaly.alerting.alarms import AlarmState
from anomaly.alerting.drift import DriftState, Reference
from anomaly.ingestion.assets import AssetSettings
from anomaly.ingestion.consequences import Condition
from anomaly.ingestion.memory import Memories, Memory
from anomaly.ingestion.windows import Tail
from anomaly.model import Model


def memory(model: Model, revision: int = 1, rows: int = 0) -> Memory:
    condition = Condition(AlarmState(), DriftState())
    tail = Tail(np.zeros((rows, 2)))
    return Memory(revision, 1, weakref.ref(model), AssetSettings(), None, Reference(0, 1), tail, condition, {})


def test_an_entry_is_of_one_revision(make_model: Callable[..., Model]) -> None:
    memories, model = Memories(), make_model()
    memories.put(7, memory(model, revision=3))
    assert memories.get(7, 3) is not None
    assert memories.get(7, 4) is None
    assert memories.get(8, 3) is None


def test_the_one_used_longest_ago_gives_way(make_model: Callable[..., Model]) -> None:
    memories, model = Memories(max_assets=2), make_model()
    for asset_id in (1, 2):
        memories.put(asset_id, memory(model))
    memories.get(1, 1)
    memories.put(3, memory(model))
    assert [memories.get(asset_id, 1) is not None for asset_id in (1, 2, 3)] == [True, False, True]


def test_large_windows_count_by_their_size(make_model: Callable[..., Model]) -> None:
    memories, model = Memories(max_bytes=50_000), make_model()
    for asset_id in range(10):
        memories.put(asset_id, memory(model, rows=1000))
    assert len(memories) == 2
    assert memories.size_bytes == 2 * memory(model, rows=1000).size_bytes()
    memories.clear()
    assert (len(memories), memories.size_bytes) == (0, 0)


def test_a_model_is_not_kept_in_memory_by_it(make_model: Callable[..., Model]) -> None:
    memories, model = Memories(), make_model()
    memories.put(1, memory(model))
    del model
    gc.collect()  # a model refers to itself
    kept = memories.get(1, 1)
    assert kept is not None
    assert kept.model() is None
