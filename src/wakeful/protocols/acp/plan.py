"""The key `plan` of the shared state, as ACP's plan. Pure."""

from __future__ import annotations

from typing import Literal, cast

import jsonpatch
import jsonpointer

from wakeful.contracts import event as log
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.acp import wire

KEY = "plan"
_STATUSES: dict[str, Literal["pending", "in_progress", "completed"]] = {
    "pending": "pending",
    "in_progress": "in_progress",
    "completed": "completed",
    "done": "completed",
}
_PRIORITIES: dict[str, Literal["high", "medium", "low"]] = {"high": "high", "medium": "medium", "low": "low"}


class PlanKeeper:
    """Follows the shared state; tells the plan whenever it is another."""

    def __init__(self) -> None:
        self._state: JsonObject = {}
        self._shown: list[wire.PlanEntry] = []

    def change(self, event: log.StateReplaced | log.StateChanged) -> wire.Plan | None:
        """The plan, if this event changed it. A patch that does not fit changes nothing."""
        if isinstance(event, log.StateReplaced):
            self._state = event.state
        else:
            try:
                # What jsonpatch returns has no type; the changed members of an object are an object.
                self._state = cast("JsonObject", jsonpatch.apply_patch(self._state, list(event.patch)))
            except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
                return None
        entries = entries_of(self._state.get(KEY))
        if entries == self._shown:
            return None
        self._shown = entries
        return wire.Plan(entries)


def entries_of(plan: JsonValue) -> list[wire.PlanEntry]:
    """A list of texts, or of {content, status?, priority?}; what is neither is left out."""
    # The casts say what decoded JSON is made of; `isinstance` alone cannot.
    items = cast("list[JsonValue]", plan) if isinstance(plan, list) else []
    return [entry for item in items if (entry := _entry(item)) is not None]


def _entry(item: JsonValue) -> wire.PlanEntry | None:
    if isinstance(item, str):
        return wire.PlanEntry(item, "medium", "pending")
    given = cast("JsonObject", item) if isinstance(item, dict) else {}
    content = given.get("content")
    if not isinstance(content, str):
        return None
    priority, status = str(given.get("priority")), str(given.get("status"))
    return wire.PlanEntry(content, _PRIORITIES.get(priority, "medium"), _STATUSES.get(status, "pending"))
