"""The control groups of this process (v1 or v2), which bound what a container may use."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path("/")
NO_LIMIT = 1 << 60  # version 1 writes a number near 2**63 where nothing is limited


class Memory(NamedTuple):
    """What the limited group holds, without the file cache that the system can take back, and may hold."""

    used_bytes: int
    limit_bytes: int


def groups(controller: str, root: Path = ROOT) -> Iterator[Path]:
    """Yields the folders of the groups that can limit, own first; a container sees its own as the uppermost."""
    mounts = root / "sys/fs/cgroup"
    for line in read(root, "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        if not controllers or controller in controllers.split(","):
            mount = mounts / controller if controllers else mounts
            group = mount / path.lstrip("/")
            yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(mount))


def read(folder: Path, *names: str) -> list[str]:
    """Returns the words of these files, none where one cannot be read."""
    try:
        return [word for name in names for word in (folder / name).read_text().split()]
    except OSError:
        return []


def memory(root: Path = ROOT) -> Memory | None:
    """Returns the group that has the least memory; None where nothing is limited."""
    limited = []
    for folder in groups("memory", root):
        limit = read(folder, "memory.max") or read(folder, "memory.limit_in_bytes")
        used = read(folder, "memory.current") or read(folder, "memory.usage_in_bytes")
        if used and limit and limit[0] != "max" and int(limit[0]) < NO_LIMIT:
            limited.append(Memory(int(used[0]) - _reclaimable(folder), int(limit[0])))
    return min(limited, key=lambda memory: memory.limit_bytes, default=None)


def _reclaimable(folder: Path) -> int:
    words = read(folder, "memory.stat")
    facts = dict(zip(words[::2], words[1::2], strict=False))
    return int(facts.get("total_inactive_file") or facts.get("inactive_file") or 0)
