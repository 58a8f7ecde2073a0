"""Components are what a flood fill finds."""

import numpy as np
import pytest
from digit.imaging.components import FEW, Mask, components


def _flooded(mask: Mask) -> list[set[tuple[int, int]]]:
    left = {(int(y), int(x)) for y, x in zip(*np.nonzero(mask), strict=True)}
    groups = []
    while left:
        group, open_ends = set(), [left.pop()]
        while open_ends:
            y, x = open_ends.pop()
            group.add((y, x))
            near = {(y + i, x + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            open_ends += near
        groups.append(group)
    return groups


@pytest.mark.parametrize("shape", [(9, 13), (40, 31), (1, 30), (30, 1), (90, 90)])
def test_equals_a_flood_fill(shape: tuple[int, int]) -> None:
    mask = np.random.default_rng(shape[0]).random(shape) < 0.35
    found, wanted = components(mask), _flooded(mask)
    assert len(found) == len(wanted)
    got = []
    for i in range(len(found)):
        part = found.mask(np.arange(len(found)) == i)
        rows, columns = np.nonzero(part)
        assert found.area[i] == part.sum()
        box = found.left[i], found.top[i], found.right[i], found.bottom[i]
        assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        got.append({(int(y), int(x)) for y, x in zip(rows, columns, strict=True)})
    assert sorted(map(sorted, got)) == sorted(map(sorted, wanted))


def test_many_runs_are_joined_alike() -> None:
    mask = np.random.default_rng(1).random((120, 120)) < 0.3
    found = components(mask)
    assert len(found.starts) > FEW
    assert len(found) == len(_flooded(mask))


def test_a_spiral_is_one_component() -> None:
    mask = np.zeros((41, 41), np.bool_)
    y = x = 20
    for turn in range(1, 20):
        step_y, step_x = [(0, 1), (1, 0), (0, -1), (-1, 0)][turn % 4]
        for _ in range(2 * ((turn + 1) // 2)):
            mask[y, x] = True
            y, x = y + step_y, x + step_x
    assert len(components(mask)) == 1


def test_an_empty_mask_has_none() -> None:
    assert len(components(np.zeros((5, 7), np.bool_))) == 0
