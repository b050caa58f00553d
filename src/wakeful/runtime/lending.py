"""Tools lent to single threads: offered to their runs in this process, while whoever lent them keeps them up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from wakeful.contracts.errors import ToolError
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import Message, ToolCallPart
from wakeful.contracts.run import Run
from wakeful.contracts.tool import Tool, ToolContext, ToolSpec
from wakeful.contracts.tool_source import ToolSource


class Lending:
    """What this process was lent. Nothing of it is stored, so that a run that goes on elsewhere does not have it."""

    def __init__(self) -> None:
        self._lent: dict[tuple[str, str], list[ToolSource]] = {}

    def lend(self, scope: str, thread_id: str, source: ToolSource) -> None:
        """Offer a source's tools to the thread's runs that are claimed from now on. Whoever lends it runs it."""
        self._lent.setdefault((scope, thread_id), []).append(source)

    def take_back(self, scope: str, thread_id: str, source: ToolSource) -> None:
        """Offer them no more; runs that have them keep them, and their calls fail when the source has stopped."""
        sources = self._lent.get((scope, thread_id), [])
        if source in sources:
            sources.remove(source)
        if not sources:
            self._lent.pop((scope, thread_id), None)

    def tools(self, run: Run) -> dict[str, Tool]:
        """What the run's thread is lent, as it is now."""
        sources = self._lent.get((run.scope, run.thread_id), ())
        return {name: tool for source in sources for name, tool in source.tools.items()}


class Missing:
    """Stands for a tool that was there when it was called, and is not where the run goes on: the call fails."""

    def __init__(self, name: str) -> None:
        self._spec = ToolSpec(name=name, description="It is not available any more.", parameters={"type": "object"})

    @property
    def spec(self) -> ToolSpec:
        """Its name; what else it was is not known."""
        return self._spec

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments themselves."""
        return arguments

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """Raises `ToolError`."""
        raise ToolError(
            f"The tool {self._spec.name!r} is not available where this run goes on: what offered it was disconnected, "
            "or is connected to another process."
        )


def missing(
    history: Sequence[Message], *, message_id: str, touched: Collection[str], known: Collection[str]
) -> Mapping[str, Tool]:
    """Stands for those tools of an open step that are not `known`.

    `message_id` is the step's reply, `touched` are the ids of its calls that had begun, or were asked about.
    """
    reply = next((message for message in reversed(history) if message.id == message_id), None)
    calls = [part for part in reply.parts if isinstance(part, ToolCallPart)] if reply else []
    return {part.name: Missing(part.name) for part in calls if part.call_id in touched and part.name not in known}
