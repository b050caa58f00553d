"""One thing that was measured, and the figures it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True, slots=True)
class Figure:
    """A column: its heading, how many decimals, and which way is better."""

    heading: str
    decimals: int
    better: Better


FIGURES: Mapping[str, Figure] = {
    "rate": Figure("per s", 0, "higher"),
    "cpu": Figure("server CPU µs each", 1, "lower"),
    "per_cpu": Figure("each per CPU s", 0, "higher"),
    "database": Figure("database CPU µs each", 1, "lower"),
    "cores": Figure("server cores busy", 3, "neither"),
    "first_p50": Figure("first event ms p50", 2, "lower"),
    "first_p99": Figure("first event ms p99", 2, "lower"),
    "latency_p50": Figure("latency ms p50", 2, "lower"),
    "latency_p99": Figure("latency ms p99", 2, "lower"),
    "memory": Figure("memory KiB each", 1, "lower"),
    "count": Figure("how many", 0, "neither"),
    "elsewhere": Figure("cores busy elsewhere", 2, "neither"),
}
"""In the order of the columns; `docs/performance.md` says what they mean."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that passed, and seconds of CPU meanwhile; None where the system does not tell."""

    seconds: float
    server: float | None = None
    database: float | None = None
    elsewhere: float | None = None

    def less(self, other: Spent) -> Spent:
        """What this took beyond another, in the time this took."""
        return Spent(self.seconds, _less(self.server, other.server), _less(self.database, other.database))


def _less(more: float | None, less: float | None) -> float | None:
    return None if more is None or less is None else max(0.0, more - less)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """So many units of something; `first` and `latency` are milliseconds of each, `memory` is the bytes of all."""

    case: str
    what: str
    unit: str
    units: int
    spent: Spent
    first: Sequence[float] = ()
    latency: Sequence[float] = ()
    memory: float | None = None
    count: int | None = None
    rated: bool = True
    """Whether units per second mean anything."""

    def figures(self) -> dict[str, float]:
        """The columns this has."""
        found: dict[str, float | None] = {"count": self.count}
        if self.memory is not None:
            found |= {"memory": self.memory / self.units / 1024}
        if self.rated:
            found |= {"rate": self.units / self.spent.seconds}
        found |= {"cpu": _each(self.spent.server, self.units), "database": _each(self.spent.database, self.units)}
        if self.spent.server:
            found |= {"per_cpu": self.units / self.spent.server, "cores": self.spent.server / self.spent.seconds}
        if self.spent.elsewhere is not None:
            found |= {"elsewhere": self.spent.elsewhere / self.spent.seconds}
        for name, values in (("first", self.first), ("latency", self.latency)):
            if values:
                found |= {f"{name}_p50": percentile(values, 0.5), f"{name}_p99": percentile(values, 0.99)}
        return {name: value for name in FIGURES if (value := found.get(name)) is not None}


def _each(seconds: float | None, units: int) -> float | None:
    return None if seconds is None else 1e6 * seconds / units


@dataclass(frozen=True, slots=True)
class Result:
    """The figures of one thing over all rounds: their medians."""

    case: str
    what: str
    unit: str
    figures: Mapping[str, float]

    def as_json(self) -> dict[str, Any]:
        """As it is saved."""
        return {"case": self.case, "what": self.what, "unit": self.unit, "figures": dict(self.figures)}

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Result:
        """The same back."""
        return cls(saved["case"], saved["what"], saved["unit"], saved["figures"])


def medians(measured: Iterable[Measured]) -> list[Result]:
    """One result for each thing, in the order in which they first came."""
    rounds: dict[tuple[str, str, str], list[dict[str, float]]] = {}
    for one in measured:
        rounds.setdefault((one.case, one.what, one.unit), []).append(one.figures())
    return [Result(*named, _medians(figures)) for named, figures in rounds.items()]


def _medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {
        name: median(one[name] for one in rounds if name in one) for name in FIGURES if any(name in r for r in rounds)
    }


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest of the values that so large a part of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]
