"""The shared state: a snapshot, then changes of it, and a snapshot again before a question."""

from __future__ import annotations

from typing import cast

import jsonpatch
import jsonpointer

from wakeful.contracts import event as log
from wakeful.contracts.json import JsonObject
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.segment import Segment


class SharedState:
    """What the client knows of the shared state. The last snapshot is kept as it was, with the changes since.

    A run that starts without a state has an empty one. Clients may hold another nothing, or one of long ago, so the
    first change comes after a snapshot, too. A state that its changes do not fit is not known: there is no snapshot of
    it, and the changes are forwarded as they are.
    """

    def __init__(self, segment: Segment) -> None:
        self._segment = segment
        self._state: JsonObject | None = {}
        self._changes: list[JsonObject] = []
        self._shown = False

    def begin(self) -> None:
        """A run starts or goes on; its state follows if it has one."""
        self._state, self._changes, self._shown = {}, [], False

    def replace(self, event: log.StateReplaced) -> None:
        """The whole state."""
        self._state, self._changes = event.state, []
        self._show()

    def change(self, event: log.StateChanged) -> None:
        """A call changed it."""
        if not self._shown:
            self._show()
        self._changes.extend(event.patch)
        self._segment.put(wire.StateDelta(delta=event.patch, timestamp=self._segment.at))

    def doubt(self) -> None:
        """A replay may leave out what was shown so far; the next change comes after a snapshot."""
        self._shown = False

    def show_again(self) -> None:
        """A snapshot, if there is a state."""
        if self._current():
            self._show()

    def _show(self) -> None:
        state = self._current()
        if state is not None:
            self._shown = True
            self._segment.put(wire.StateSnapshot(snapshot=state, timestamp=self._segment.at))

    def _current(self) -> JsonObject | None:
        changes, self._changes = self._changes, []
        if self._state is not None and changes:
            try:
                # What jsonpatch returns has no type; the changed members of an object are an object.
                self._state = cast("JsonObject", jsonpatch.apply_patch(self._state, changes))
            except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
                self._state = None
        return self._state
