from pathlib import Path

import pytest
from servicekit.cgroups import Memory, memory

MIB = 1 << 20


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n", encoding="utf-8")
    return root


def test_tells_of_no_memory_where_there_is_no_group(tmp_path: Path) -> None:
    assert memory(tmp_path) is None


@pytest.mark.parametrize(("limit", "told"), [(str(512 * MIB), Memory(90 * MIB, 512 * MIB)), ("max", None)])
def test_tells_of_a_containers_memory_without_the_file_cache(tmp_path: Path, limit: str, told: Memory | None) -> None:
    files = {
        "proc/self/cgroup": "0::/",
        "sys/fs/cgroup/memory.max": limit,
        "sys/fs/cgroup/memory.current": str(100 * MIB),
        "sys/fs/cgroup/memory.stat": f"anon 1\ninactive_file {10 * MIB}\nactive_file 7",
    }
    assert memory(tree(tmp_path, files)) == told


def test_tells_of_the_slice_where_it_has_less_than_the_unit(tmp_path: Path) -> None:
    files = {"proc/self/cgroup": "0::/system.slice/lineside.service"}
    for group, limit in (("", 300), ("/lineside.service", 500)):
        files[f"sys/fs/cgroup/system.slice{group}/memory.max"] = str(limit * MIB)
        files[f"sys/fs/cgroup/system.slice{group}/memory.current"] = str(limit * MIB // 2)
    assert memory(tree(tmp_path, files)) == Memory(150 * MIB, 300 * MIB)


@pytest.mark.parametrize(("limit", "told"), [(64 * MIB, Memory(20 * MIB, 64 * MIB)), (2**63 - 4096, None)])
def test_reads_control_groups_of_version_1(tmp_path: Path, limit: int, told: Memory | None) -> None:
    files = {
        "proc/self/cgroup": "5:memory:/docker/0123\n4:cpu,cpuacct:/docker/0123",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str(limit),
        "sys/fs/cgroup/memory/memory.usage_in_bytes": str(30 * MIB),
        "sys/fs/cgroup/memory/memory.stat": f"inactive_file 0\ntotal_inactive_file {10 * MIB}",
    }
    assert memory(tree(tmp_path, files)) == told
