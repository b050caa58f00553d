"""The tool socket: what the model is told about a tool, and how the engine calls it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import msgspec

from wakeful.contracts.errors import ToolError
from wakeful.contracts.json import JsonObject, JsonValue

Effect = Literal["pure", "idempotent", "once"]
Progress = Callable[[str | None, float | None, float | None], None]


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


class ToolContext:
    """What a tool may know and do while it runs; a first parameter annotated with it is filled in.

    `idempotency_key` is the same however often this call is attempted.
    """

    __slots__ = ("_cancelled", "_progress", "agent_id", "call_id", "idempotency_key", "run_id", "thread_id")

    def __init__(
        self,
        *,
        call_id: str,
        run_id: str,
        thread_id: str,
        agent_id: str,
        idempotency_key: str,
        progress: Progress,
        cancelled: Callable[[], bool],
    ) -> None:
        self.call_id = call_id
        self.run_id = run_id
        self.thread_id = thread_id
        self.agent_id = agent_id
        self.idempotency_key = idempotency_key
        self._progress = progress
        self._cancelled = cancelled

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the result any more: the run was cancelled, or the call took too long.

        Long synchronous tools should look now and then.
        """
        return self._cancelled()

    def raise_if_cancelled(self) -> None:
        """Raise `ToolError` when nobody waits for the result any more."""
        if self._cancelled():
            raise ToolError("the run was cancelled")

    def progress(
        self, message: str | None = None, *, progress: float | None = None, total: float | None = None
    ) -> None:
        """Report progress to whoever watches; safe from any thread."""
        self._progress(message, progress, total)


@runtime_checkable
class Tool(Protocol):
    """A callable tool. Errors a model should read are raised as `ToolError`; anything else is a defect."""

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
