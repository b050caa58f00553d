"""The tool socket: what the model is told about a tool, and how the engine calls it."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Literal, Protocol, TypeVar, runtime_checkable

import msgspec

from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import FileGenerated, SourceCited, SubagentFinished, SubagentStarted, ToolProgressed
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import FilePart, SourcePart

T = TypeVar("T")
Effect = Literal["pure", "idempotent", "once"]
CallReport = ToolProgressed | SourceCited | FileGenerated | SubagentStarted | SubagentFinished
"""What a call may show of itself while it runs."""


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A tool as the model sees it, and what the engine must know of it.

    `parameters` is a JSON Schema object. `effect` says what a crash means: `pure` may run again, `idempotent`
    may run again with the same idempotency key, `once` is never repeated. `approval` asks a human first;
    `frontend` leaves the call to the client, whose answer fits the JSON Schema `result` where there is one. A call
    that takes longer than `timeout_seconds` fails.
    """

    name: str
    description: str
    parameters: JsonObject
    effect: Effect = "once"
    approval: bool = False
    frontend: bool = False
    result: JsonObject | None = None
    timeout_seconds: float | None = None


class CallAnswer(msgspec.Struct, frozen=True):
    """The answer to a `ToolQuestion`: a JSON value unless the user `declined`; `resume` is the tool's own note."""

    output: JsonValue
    declined: bool
    resume: str | None


class CallDesk(Protocol):
    """Where a running call reports to; safe from any thread, and deaf once nobody waits for the call any more."""

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more."""
        ...

    @property
    def state(self) -> MutableMapping[str, JsonValue]:
        """The shared state of the thread; see `ToolContext.state`."""
        ...

    def update_state(self, key: str, change: Callable[[T], T], default: T) -> T:
        """Change one key of it at once; see `ToolContext.update_state`."""
        ...

    def report(self, event: CallReport) -> None:
        """Show something of the call to whoever watches."""
        ...


class ToolContext:
    """What a tool may know and do while it runs; a first parameter annotated with it is filled in.

    `tool_name` is the tool as the model called it. `idempotency_key` is the same however often this call is attempted.
    `answer` is the answer to the question this call asked last, None while it asked none.
    """

    __slots__ = (
        "_desk",
        "agent_id",
        "answer",
        "call_id",
        "idempotency_key",
        "run_id",
        "scope",
        "thread_id",
        "tool_name",
    )

    def __init__(
        self,
        *,
        call_id: str,
        tool_name: str,
        run_id: str,
        thread_id: str,
        agent_id: str,
        scope: str,
        idempotency_key: str,
        desk: CallDesk,
        answer: CallAnswer | None = None,
    ) -> None:
        self.call_id = call_id
        self.tool_name = tool_name
        self.run_id = run_id
        self.thread_id = thread_id
        self.agent_id = agent_id
        self.scope = scope
        self.idempotency_key = idempotency_key
        self._desk = desk
        self.answer = answer

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: the run was cancelled, or the call took too long.

        Long synchronous tools should look now and then.
        """
        return self._desk.cancelled

    def raise_if_cancelled(self) -> None:
        """Raise `ToolError` when nobody waits for the result any more."""
        if self._desk.cancelled:
            raise ToolError("the run was cancelled")

    @property
    def state(self) -> MutableMapping[str, JsonValue]:
        """The state the thread's agents, tools and client share: a JSON object of at most 256 KiB.

        What is read is a copy; to change something, assign to its key: `context.state["theme"] = "dark"`, or use
        `update_state` where the new value depends on the old one. Clients see each change at once. Writing raises
        `ToolError` when the value is no JSON, when the state would be too large, and when nobody waits for the call
        any more.
        """
        return self._desk.state

    def update_state(self, key: str, change: Callable[[T], T], default: T) -> T:
        """Put what `change` makes of a key's present value (`default` where there is none) in its place; returns that.

        No other call writes in between, so that calls which run together do not undo one another's changes. `change`
        has to be quick. Raises what assigning raises.
        """
        return self._desk.update_state(key, change, default)

    def progress(
        self, message: str | None = None, *, progress: float | None = None, total: float | None = None
    ) -> None:
        """Report progress to whoever watches; safe from any thread."""
        self._desk.report(ToolProgressed(self.call_id, self.tool_name, message, progress, total))

    def cite(
        self,
        url: str | None = None,
        *,
        title: str | None = None,
        cited_text: str | None = None,
        media_type: str | None = None,
    ) -> None:
        """Name a source of the result: a page by `url`, or a document by `title` and `media_type`.

        Raises `ToolError` when it has neither, for a url that is not http or https, and after 64 of one call.
        """
        if url is None and (title is None or media_type is None):
            raise ToolError("a source needs a url, or a title and a media_type")
        source = SourcePart("", url, title, media_type, cited_text=cited_text)
        self._desk.report(SourceCited(source, self.call_id))

    def delegated(self, event: SubagentStarted | SubagentFinished) -> None:
        """Tell that another agent took the call's work over, or is done with it; for tools that hand work on."""
        self._desk.report(event)

    def attach(self, url: str, *, media_type: str, filename: str | None = None) -> None:
        """Add a file to the answer, for the user and not for the model; `url` is `data:` or `https:`.

        Raises `ToolError` for another url, one of more than 8 MiB, and after 8 of one call.
        """
        self._desk.report(FileGenerated(FilePart(media_type, url, filename), self.call_id))


@runtime_checkable
class Tool(Protocol):
    """A callable tool. Errors a model should read are raised as `ToolError`; anything else is a defect.

    `ToolQuestion` asks the user; it is no failure, and the call is run again with the answer, whatever its effect.
    """

    @property
    def spec(self) -> ToolSpec:
        """What the model is told."""
        ...

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments, validated; raises `ToolInputInvalid` naming every problem."""
        ...

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        """Run the tool with checked arguments and return a JSON value; a large one as `msgspec.Raw` of its JSON."""
        ...
