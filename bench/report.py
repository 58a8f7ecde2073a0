"""How a measurement is told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """`met` is None where nothing was measured; `goal` then says why."""

    what: str
    figure: float | None
    goal: str
    met: bool | None

    def __str__(self) -> str:
        figure = "-" if self.figure is None else f"{self.figure:.3f}"
        mark = {True: "met", False: "MISSED", None: ""}[self.met]
        return f"{self.what:<68} {figure:>9}  {self.goal:<36} {mark}".rstrip()
