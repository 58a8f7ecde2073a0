import asyncio
import gc
import os
import threading
from pathlib import Path

import pytest
from servicekit.threads import Pool, effective_cpus


@pytest.fixture(autouse=True)
def eight_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(8)))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n", encoding="utf-8")
    return root


def test_takes_the_affinity_where_there_is_no_group(tmp_path: Path) -> None:
    assert effective_cpus(tmp_path) == 8


@pytest.mark.parametrize(
    ("quota", "cpus"), [("max 100000", 8), ("200000 100000", 2), ("150000 100000", 2), ("1000 100000", 1)]
)
def test_takes_the_quota_of_a_container(tmp_path: Path, quota: str, cpus: int) -> None:
    assert effective_cpus(tree(tmp_path, {"proc/self/cgroup": "0::/", "sys/fs/cgroup/cpu.max": quota})) == cpus


def test_takes_the_least_quota_of_a_unit_and_the_slices_above_it(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "0::/system.slice/lineside.service",
        "sys/fs/cgroup/system.slice/cpu.max": "300000 100000",
        "sys/fs/cgroup/system.slice/lineside.service/cpu.max": "max 100000",
    }
    assert effective_cpus(tree(tmp_path, files)) == 3


@pytest.mark.parametrize(("quota", "cpus"), [("-1", 8), ("400000", 4), ("50000", 1)])
@pytest.mark.parametrize("group", ["", "/docker/0123"])
def test_reads_control_groups_of_version_1(tmp_path: Path, quota: str, cpus: int, group: str) -> None:
    """In a container the path is the host's and the mount is the container's own."""
    files = {
        "proc/self/cgroup": "5:memory:/\n4:cpu,cpuacct:/docker/0123\n1:name=systemd:/",
        f"sys/fs/cgroup/cpu{group}/cpu.cfs_quota_us": quota,
        f"sys/fs/cgroup/cpu{group}/cpu.cfs_period_us": "100000",
    }
    assert effective_cpus(tree(tmp_path, files)) == cpus


def test_runs_work_in_threads_of_its_own_name() -> None:
    pool = Pool("inference", 1)
    assert asyncio.run(pool.run(lambda number: (number, threading.current_thread().name), 7)) == (7, "inference_0")
    pool.close()


def test_who_is_cancelled_leaves_when_the_thread_has_ended_whatever_it_raised(caplog: pytest.LogCaptureFixture) -> None:
    entered, leave = threading.Event(), threading.Event()

    def work() -> None:
        entered.set()
        assert leave.wait(10)
        raise ValueError("read of closed file")

    async def scenario() -> None:
        pool = Pool("test", 1)
        working = asyncio.create_task(pool.run_to_the_end(work))
        await asyncio.to_thread(entered.wait, 10)
        working.cancel()
        await asyncio.sleep(0.05)
        assert not working.done()
        leave.set()
        with pytest.raises(asyncio.CancelledError):
            await working
        pool.close()

    asyncio.run(scenario())
    gc.collect()
    assert "never retrieved" not in caplog.text


def test_what_is_raised_to_the_end_reaches_who_waits() -> None:
    pool = Pool("test", 1)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(pool.run_to_the_end(lambda: 1 // 0))
    assert asyncio.run(pool.run_to_the_end(lambda number: number + 1, 6)) == 7
    pool.close()
