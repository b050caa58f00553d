"""What became of a request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from wakeful.contracts.run import Run

Effect = Literal["started", "queued", "steered", "resumed", "replayed", "waiting"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request. `after`: the run's events after this sequence number answer it.

    `run` is the run that will answer: for `steered` the running one. `dispatch_id` is the delivery that brings the
    request there. `accepted` and `already` name the interrupts whose decisions were taken, or were known before.
    `opened`: the thread was made for the run.
    """

    run: Run
    dispatch_id: str
    effect: Effect
    after: int = 0
    accepted: tuple[str, ...] = ()
    already: tuple[str, ...] = ()
    opened: bool = False

    @property
    def answers(self) -> bool:
        """Whether the request answered questions of a run, and started none."""
        return bool(self.accepted or self.already)
