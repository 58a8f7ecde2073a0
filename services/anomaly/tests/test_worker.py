"""The training process by itself: an order and a table in, lines out."""

import json
import os
import subprocess
import sys
import zlib
from typing import Any

import msgspec
import numpy as np
import pytest
from anomaly.lifecycle.child import Order

COMMAND = (sys.executable, "-P", "-m", "anomaly.lifecycle.worker")


def cells(n: int = 200) -> list[str]:
    rows = np.random.default_rng(0).normal(20.0, 1.0, (n, 2))
    return [",".join(f"{value:.4f}" for value in row) for row in rows]


def serve(table: str, task: str = "train", **options: Any) -> list[dict[str, Any]]:
    """Returns the lines that the process answers."""
    order = Order(task, {"kind": "pca", **options}, [], 1 << 24, 1 << 30)
    given = msgspec.json.encode(order) + b"\n" + zlib.compress(table.encode())
    done = subprocess.run(COMMAND, input=given, capture_output=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_it_answers_with_progress_and_then_the_model() -> None:
    *told, last = serve("\n".join(cells()))
    assert "model" in last
    assert last["report"]["rows"] == 200
    assert {"progress", "message"} >= {key for line in told for key in line}


def test_rows_of_another_quality_than_good_are_left_out() -> None:
    rows = [f"{row},{'bad' if i % 4 == 0 else 'good'}" for i, row in enumerate(cells())]
    last = serve("flow,heat,quality\n" + "\n".join(rows))[-1]
    assert last["report"]["rows"] == 150
    assert "50 rows of another quality than good were left out." in last["report"]["table_notes"]


def test_rows_are_trained_on_in_the_order_of_their_timestamps() -> None:
    times = [f"2026-01-01T00:{i // 60:02}:{i % 60:02}Z" for i in range(200)]
    rows = [f"{time},{row}" for time, row in zip(times, cells(), strict=True)]
    head = "timestamp,flow,heat\n"
    ordered, shuffled = (serve(head + "\n".join(part))[-1] for part in (rows, rows[::-1]))
    assert shuffled["model"] == ordered["model"]
    assert "The rows were put in the order of their timestamps." in shuffled["report"]["table_notes"]


def test_a_table_that_inflates_beyond_the_limit_is_cut_off() -> None:
    order = Order("check", {}, [], 1000, 1 << 30)
    given = msgspec.json.encode(order) + b"\n" + zlib.compress(b"1,2\n" * 10_000_000)
    done = subprocess.run(COMMAND, input=given, capture_output=True, timeout=60, check=True)
    assert json.loads(done.stdout)["rows"] == 250


def test_it_gives_way_to_the_service() -> None:
    probe = "import os; from anomaly.lifecycle import worker; worker._be_small(1 << 30); print(os.nice(0))"
    done = subprocess.run((sys.executable, "-c", probe), capture_output=True, check=True, text=True)
    assert int(done.stdout) >= min(19, os.nice(0) + 10)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="no /proc")  # noqa: PTH110
def test_it_ends_when_the_service_is_killed() -> None:
    order = Order("train", {"kind": "autoencoder", "epochs": 10_000}, [], 1 << 24, 1 << 30)
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(msgspec.json.encode(order) + b"\n" + zlib.compress("\n".join(cells(2000)).encode()))
        process.stdin.close()
        process.stdout.readline()
        process.stdout.close()  # nobody listens any more
        assert process.wait(20) != 0
