"""The child process as the service sees it: what it answers, and every way in which it can end."""

import asyncio
import os
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from anomaly.lifecycle import child
from anomaly.lifecycle.child import Order
from anomaly.model import Model
from anomaly.problems import TableInvalid, TrainingFailed, TrainingImpossible

MEGABYTE = 1 << 20


def table(n: int = 300) -> bytes:
    rows = np.random.default_rng(0).normal(20.0, 1.0, (n, 3))
    return b"flow,pressure,heat\n" + "\n".join(",".join(f"{value:.4f}" for value in row) for row in rows).encode()


def order(task: str = "train", memory_bytes: int = 1024 * MEGABYTE, **options: object) -> Order:
    return Order(task, {"kind": "pca", **options}, [], 64 * MEGABYTE, memory_bytes)


def train(data: bytes, order: Order, timeout_s: float = 60) -> tuple[Model, list[tuple[float, str]]]:
    told: list[tuple[float, str]] = []
    deflated = zlib.compress(data, 1)
    file, _ = asyncio.run(child.train(order, deflated, timeout_s, lambda share, text: told.append((share, text))))
    return Model.load(file), told


def check(data: bytes, order: Order) -> int:
    return asyncio.run(child.check(order, zlib.compress(data, 1), 60))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts a script in the place of the training process."""

    def use(script: str) -> None:
        program = tmp_path / "python"
        program.write_text(f"#!{sys.executable} -P\nimport os, sys, time\n{script}\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return use


def test_a_table_becomes_a_model_with_progress_and_a_report() -> None:
    model, told = train(table(), order())
    assert [sensor.name for sensor in model.sensors] == ["flow", "pressure", "heat"]
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert len(shares) > 2


def test_the_same_table_makes_the_same_model() -> None:
    assert train(table(), order())[0].dump() == train(table(), order())[0].dump()


def test_known_sensors_keep_their_units_and_ranges() -> None:
    known = {"name": "heat", "unit": "°C", "low": -20.0, "high": 400.0}
    given = Order("train", {"kind": "pca"}, [known], 64 * MEGABYTE, 1024 * MEGABYTE)
    heat = train(table(), given)[0].sensors[2]
    assert (heat.unit, heat.low, heat.high) == ("°C", -20.0, 400.0)


def test_a_check_reads_the_whole_table() -> None:
    assert check(table(250), order("check")) == 250


def test_a_cell_that_is_no_number_is_told_by_its_row() -> None:
    with pytest.raises(TableInvalid) as refusal:
        check(table() + b"\n1.0,two,3.0\n", order("check"))
    assert isinstance(refusal.value.extra["row"], int)
    assert str(refusal.value.extra["row"]) in refusal.value.detail


def test_too_few_rows_are_told_by_a_check() -> None:
    with pytest.raises(TrainingImpossible, match="too few"):
        check(table(5), order("check"))


def test_options_that_contradict_each_other_are_told_by_a_check() -> None:
    with pytest.raises(TrainingImpossible, match="rate"):
        check(table(), order("check", method="percentile", rate=0.1))


def test_a_training_has_a_time_limit() -> None:
    with pytest.raises(TrainingFailed, match=r"more than 0\.2 s"):
        train(table(), order(), timeout_s=0.2)


def test_a_training_has_a_memory_limit() -> None:
    with pytest.raises(TrainingImpossible, match="more than 96 MiB"):
        train(b"1,2\n" * 4_000_000, order(memory_bytes=96 * MEGABYTE))


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("os.kill(os.getpid(), 9)", "SIGKILL, probably for want of memory"),
        ("os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("sys.exit(3)", "the service's log tells why"),
        ("print('rubbish')", "the service's log tells why"),
        ("print('x' * 9_000_000)", "the service's log tells why"),
        ("", "without a result"),
        ("sys.stderr.write('x' * 3_000_000); sys.exit(1)", "the service's log tells why"),
    ],
)
def test_a_process_that_ends_badly_fails_with_a_reason(worker: Callable[[str], None], script: str, reason: str) -> None:
    worker(script)
    with pytest.raises(TrainingFailed, match=reason):
        train(table(), order())


def test_a_cancelled_training_leaves_no_process(worker: Callable[[str], None], tmp_path: Path) -> None:
    worker(f"open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(60)")

    async def cancel() -> None:
        task = asyncio.create_task(child.train(order(), b"", 60, lambda _share, _text: None))
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_the_process_knows_no_secrets(
    worker: Callable[[str], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ANOMALY_WEBHOOK_SECRET", "s3cret")
    worker(f"open({str(tmp_path / 'env')!r}, 'w').write(repr(dict(os.environ)))")
    with pytest.raises(TrainingFailed):
        train(table(), order())
    assert "s3cret" not in (tmp_path / "env").read_text()
