"""A line of writing cut into pieces that are each a digit or a part of one."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digit.imaging.frame import Plane
from digit.numbers.scaled import PAPER, Ints, Labels, Scaled
from digit.numbers.seams import Seams, seams

Joint = tuple[int, int, float]  # the names of the pieces on the left and right of a seam, and the ink it crosses


@dataclass(frozen=True, eq=False)
class Pieces:
    """Pieces numbered from left to right by the column of their middle."""

    ink: Plane  # (h, w)
    label: Labels  # (h, w)
    boxes: Ints  # (n, 4) left, top, right, bottom
    area: Ints  # (n,) pixels
    joints: Ints  # (m, 2) the pieces on the two sides of each seam
    crossed: NDArray[np.float64]  # (m,) the ink that the seam crosses, in widths of a stroke
    tall: float  # the typical height of a digit in pixels
    stroke: float  # the typical width of a stroke in pixels

    def __len__(self) -> int:
        return len(self.boxes)

    def parted_at(self, place: int) -> bool:
        """Whether a seam parts pieces before `place` from those from there on."""
        return bool(((self.joints[:, 0] < place) & (self.joints[:, 1] >= place)).any())


def cut(line: Scaled, marks: Iterable[int]) -> Pieces:
    """Cuts the given marks of a line, and leaves the others whole."""
    label, names = line.label.copy(), len(line.marks)
    joints: list[Joint] = []
    for mark in marks:
        here = np.s_[line.marks.top[mark] : line.marks.bottom[mark], line.marks.left[mark] : line.marks.right[mark]]
        own = line.label[here] == mark
        ink = np.where(own, line.ink[here], np.float32(0))
        found = seams(ink, max(line.tall, float(own.shape[0])), line.stroke, line.lean)
        names = _divide(label[here], own, found, mark, names, joints)
    return _numbered(line, label, joints)


def _divide(label: Labels, own: NDArray[np.bool_], found: Seams, mark: int, names: int, joints: list[Joint]) -> int:
    """Gives what lies right of each seam a name of its own; returns how many names there are then."""
    count = len(found.columns)
    seams_left = (np.arange(own.shape[1]) >= found.columns[:, :, None]).sum(axis=0, dtype=np.int16)  # (h, w)
    beyond = own & (seams_left > 0)
    label[beyond] = names - 1 + seams_left[beyond]
    parts = [mark, *range(names, names + count)]
    joints.extend(zip(parts[:-1], parts[1:], found.crossed.tolist(), strict=True))
    return names + count


def _numbered(line: Scaled, label: Labels, joints: list[Joint]) -> Pieces:
    rows, columns = np.nonzero(label != PAPER)
    names, owner = np.unique(label[rows, columns], return_inverse=True)
    n = len(names)
    middle = np.bincount(owner, columns, n) / np.bincount(owner, minlength=n)
    place = np.empty(n, np.intp)
    place[np.argsort(middle, kind="stable")] = np.arange(n)
    number = {int(name): int(place[i]) for i, name in enumerate(names)}
    kept = [(number[one], number[other], ink) for one, other, ink in joints if one in number and other in number]
    owner = place[owner]
    label[rows, columns] = owner
    return Pieces(
        line.ink,
        label,
        _boxes(rows, columns, owner, n),
        np.bincount(owner, minlength=n),
        np.array([joint[:2] for joint in kept], np.intp).reshape(-1, 2),
        np.array([joint[2] for joint in kept], np.float64) / line.stroke,
        line.tall,
        line.stroke,
    )


def _boxes(rows: Ints, columns: Ints, owner: Ints, n: int) -> Ints:
    boxes = np.tile(np.array([np.iinfo(np.intp).max] * 2 + [0] * 2, np.intp), (n, 1))
    np.minimum.at(boxes[:, 0], owner, columns)
    np.minimum.at(boxes[:, 1], owner, rows)
    np.maximum.at(boxes[:, 2], owner, columns + 1)
    np.maximum.at(boxes[:, 3], owner, rows + 1)
    return boxes
