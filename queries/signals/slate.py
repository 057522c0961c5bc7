"""What is filled in day by day, and kept from one look at the data to the next.

Every figure is known on the morning of its day, from the days before; so what has been written for a day stays true
while those days' rows stay the same. Each array of results is taken from a slate: where an earlier look has filled it
in, it is filled in, and only the days from `first` on are left to do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any  # numpy's own annotations say nothing about shapes; the docstrings do


class Slate:
    """Named arrays whose first axis is slices and whose second is days, or hours."""

    def __init__(self, days: int = 0, first: int = 0, rows: Array | None = None, before: Slate | None = None) -> None:
        """A clean slate; or `before`, kept up to day `first`, whose row i is now row rows[i]."""
        self.first = first
        self._days, self._rows = days, rows
        self._before = before._arrays if before else {}
        self._arrays: dict[str, Array] = {}
        self._name = ""

    def of(self, name: str) -> Slate:
        """A part of this slate, with names of its own."""
        part = Slate(self._days, self.first, self._rows)
        part._before, part._arrays, part._name = self._before, self._arrays, f"{self._name}{name}/"
        return part

    def array(self, name: str, shape: tuple[int, ...], fill: float = np.nan, kind: type = float) -> Array:
        """The array of this name: what is known of it, and `fill` elsewhere. It is to be filled in from `first` on."""
        whole: Array = np.full(shape, fill, kind)
        old = self._before.get(self._name + name)
        if old is not None:
            kept = self.first * (shape[1] // self._days)
            whole[self._rows, :kept] = old[:, :kept]
        self._arrays[self._name + name] = whole
        return whole
