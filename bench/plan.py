"""How large the cases of one campaign are."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from bench.lab import StoreKind
from bench.wires import AG_UI, Wire

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Sizes; each is a number of the command line."""

    seconds: float = 4
    """How long each measurement of traffic lasts."""
    warm: float = 1
    """How long the same goes on before it."""
    clients: int = 32
    deltas: int = 200
    """Words of a reply in `stream`."""
    streams: int = 1000
    """Open streams in `idle`."""
    quiet: float = 20
    """Seconds in which nothing happens to them: two heartbeats, less than a model may be silent."""
    readers: int = 50
    events: int = 10_000
    """Words of the run that `replay` reads."""
    floods: int = 256
    """Streams without a pause in `starve`."""
    store: StoreKind = "sqlite"
    wire: Wire = AG_UI


@dataclass(frozen=True, slots=True)
class Ids:
    """Names for runs and threads that nobody had before."""

    numbers: Iterator[int]

    @classmethod
    def fresh(cls) -> Ids:
        return cls(count(1))

    def next(self) -> str:
        return f"r{next(self.numbers)}"
