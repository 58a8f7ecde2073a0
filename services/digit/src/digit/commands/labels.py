"""What a file's name says that it shows: `img_0_label_6.png` is a 6."""

import re
from dataclasses import dataclass, field

LABEL = re.compile(r"(?:^|[^a-z])label[_-]?([0-9])(?![0-9])")
WRONG_SHOWN = 5


def label_of(name: str) -> int | None:
    """Returns the digit that the last part of a path is labelled with; None where it is not."""
    found = LABEL.findall(name.rpartition("/")[2].casefold())
    return int(found[-1]) if found else None


@dataclass
class Accuracy:
    """How many labelled pictures were read as their label; one that could not be read counts as wrong."""

    labelled: int = 0
    right: int = 0
    wrong: dict[str, int | None] = field(default_factory=dict)  # what the first few were read as

    def count(self, name: str, prediction: int | None) -> None:
        label = label_of(name)
        if label is None:
            return
        self.labelled += 1
        if label == prediction:
            self.right += 1
        elif len(self.wrong) < WRONG_SHOWN:
            self.wrong[name] = prediction

    def add(self, other: "Accuracy") -> None:
        self.labelled += other.labelled
        self.right += other.right
        self.wrong = dict([*self.wrong.items(), *other.wrong.items()][:WRONG_SHOWN])

    def __str__(self) -> str:
        told = f"{self.right:,} of {self.labelled:,} labelled pictures right ({self.right / self.labelled:.2%})"
        shown = [f"{name} read as {'nothing' if read is None else read}" for name, read in self.wrong.items()]
        return f"{told}; wrong: {', '.join(shown)}{', …' if self._untold else ''}" if shown else told

    @property
    def _untold(self) -> bool:
        return self.labelled - self.right > len(self.wrong)
