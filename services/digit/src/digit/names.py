"""The pictures of a batch by name: each name once, as short as that allows, the same for the same files."""

from collections import Counter
from collections.abc import Sequence

Forms = tuple[str, ...]  # of one picture's name, the shortest first, as 1.png, scans/1.png, monday.zip/scans/1.png


def apart(pictures: Sequence[Forms]) -> list[str]:
    """Returns a name for each picture: of those that share one, each takes its next form, and at last a number."""
    level = [0] * len(pictures)
    names = [forms[0] for forms in pictures]
    while True:
        counts = Counter(names)
        shared = [i for i, forms in enumerate(pictures) if counts[names[i]] > 1 and level[i] + 1 < len(forms)]
        if not shared:
            return _numbered(names)
        for i in shared:
            level[i] += 1
            names[i] = pictures[i][level[i]]


def _numbered(names: list[str]) -> list[str]:
    taken = set(names)
    seen: Counter[str] = Counter()
    numbered = []
    for name in names:
        seen[name] += 1
        if seen[name] == 1:
            numbered.append(name)
            continue
        numbered.append(_free(name, seen, taken))
        taken.add(numbered[-1])
    return numbered


def _free(name: str, seen: Counter[str], taken: set[str]) -> str:
    """Returns `name` with the next number that no other name has; counts the numbers that are skipped."""
    while (candidate := f"{name} ({seen[name]})") in taken:
        seen[name] += 1
    return candidate
