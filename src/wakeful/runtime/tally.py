"""What a run's events add up to, written beside its log."""

from __future__ import annotations

from wakeful.contracts.event import Event, ModelCallFinished, StepRestarted, StepStarted
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run


class Tally:
    """A run's totals over all attempts. `step_seq` is the number of the open step's beginning, 0 while there is none.

    `state` is the thread's shared state, from a change of it until that is handed to the store.
    """

    __slots__ = ("state", "step_seq", "steps", "usage", "voids")

    def __init__(self, run: Run) -> None:
        self.steps = run.steps
        self.usage = run.usage
        self.voids = run.voids
        self.step_seq = 0
        self.state: JsonObject | None = None

    def count(self, event: Event, seq: int) -> None:
        """Take in the next fact, which has this number."""
        match event:
            case StepStarted(step):
                self.steps = step
                self.step_seq = seq
            case StepRestarted():
                self.voids = (*self.voids, (self.step_seq, seq))
                self.step_seq = seq
            case ModelCallFinished(usage=usage):
                self.usage = self.usage + usage
            case _:
                pass
