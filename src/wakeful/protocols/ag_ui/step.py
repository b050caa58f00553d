"""The step that is open, and the names of its messages."""

from __future__ import annotations

from wakeful.contracts import event as log
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.ids import MessageIds
from wakeful.protocols.ag_ui.segment import Segment


class Step:
    """At most one step is open. A step that waits is closed and not opened again when the run goes on."""

    def __init__(self, segment: Segment, first_id: str) -> None:
        self.ids = MessageIds(first_id)
        self._segment = segment
        self._attempt = 1
        self._name: str | None = None
        self._artifacts: dict[str, str] = {}

    def enter(self, event: log.StepStarted) -> None:
        """A new step."""
        self._attempt = 1
        self._artifacts.clear()
        self.ids = MessageIds(event.message_id)
        self._open(f"step_{event.step}")

    def again(self, event: log.StepRestarted) -> None:
        """The same step once more; it stays open."""
        self._attempt += 1
        self._artifacts.clear()
        self.ids = MessageIds(event.message_id, attempt=self._attempt)
        if self._name is None:
            self._open(f"step_{event.step}")

    def has(self, artifact_id: str) -> bool:
        """Whether this artifact began in the step's message."""
        return artifact_id in self._artifacts

    def place_of(self, artifact_id: str) -> str:
        """The message the artifact belongs to: the text it follows, from its beginning on."""
        return self._artifacts.setdefault(artifact_id, self.ids.latest_text)

    def leave(self) -> None:
        """Close it, if it is open."""
        if self._name is not None:
            self._segment.put(wire.StepFinished(step_name=self._name, timestamp=self._segment.at))
        self._name = None

    def _open(self, name: str) -> None:
        self.leave()
        self._name = name
        self._segment.put(wire.StepStarted(step_name=name, timestamp=self._segment.at))
