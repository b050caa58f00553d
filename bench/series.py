"""How a cost grows with a size: the table, and from where on it grows faster than the size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.report import table

STEEP = 1.2
"""From this power on a cost grows faster than its size; what is below may be noise."""
RISING = 0.25
"""The same for a cost that should not depend on the size: over all sizes together."""


@dataclass(frozen=True, slots=True)
class Point:
    """What a size costs, all of it."""

    size: int
    cost: float


@dataclass(frozen=True, slots=True)
class Series:
    """Costs of one thing at growing sizes. `flat` says that the cost should not depend on the size at all."""

    what: str
    of: str
    unit: str
    points: Sequence[Point]
    flat: bool = False

    def powers(self) -> list[float | None]:
        """At each size but the first: the power of the size with which the cost grew since the one before."""
        return [power(before, now) for before, now in zip(self.points, self.points[1:], strict=False)]

    def relative(self) -> list[float | None]:
        """The cost of each unit of size, relative to the smallest that was seen; of a flat series, the cost itself."""
        first = next((each for each in map(self._each, self.points) if each > 0), None)
        return [self._each(point) / first if first else None for point in self.points]

    def steep(self) -> bool:
        """Whether the last step grew faster than the size; of a flat series, whether the cost grew with it at all."""
        if self.flat:
            over_all = power(self.points[0], self.points[-1])
            return over_all is not None and over_all > RISING
        grown = self.powers()
        return bool(grown) and grown[-1] is not None and grown[-1] > STEEP

    def as_json(self) -> dict[str, Any]:
        """As it is saved."""
        points = [[point.size, point.cost] for point in self.points]
        return {"what": self.what, "of": self.of, "unit": self.unit, "flat": self.flat, "points": points}

    def _each(self, point: Point) -> float:
        return point.cost if self.flat else point.cost / point.size


def power(before: Point, now: Point) -> float | None:
    """x where the cost grew as size ** x; None where nothing was measured."""
    if before.cost <= 0 or now.cost <= 0 or now.size == before.size:
        return None
    return math.log(now.cost / before.cost) / math.log(now.size / before.size)


def series_table(found: Sequence[Series]) -> str:
    """One row for each size."""
    rows: list[list[str]] = []
    for series in found:
        for point, relative, grown in zip(series.points, series.relative(), [None, *series.powers()], strict=True):
            cells = [series.what, f"{point.size:,} {series.of}", f"{point.cost:,.3f} {series.unit}"]
            rows.append([*cells, _shown(relative, ".2f"), _shown(grown, ".2f"), ""])
        rows[-1][-1] = _verdict(series)
    return table(["what", "size", "cost", "each, to the smallest", "power", ""], rows)


def _verdict(series: Series) -> str:
    if not series.steep():
        return "flat" if series.flat else "at most linear"
    return "GROWS" if series.flat else "FASTER THAN LINEAR"


def _shown(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
