"""One run on a stage: its history, its tools and a journal that keeps everything."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
import pytest

from wakeful.contracts.errors import LeaseLost
from wakeful.contracts.event import (
    Event,
    FinishReason,
    InterruptRaised,
    MessageCommitted,
    ModelCallFinished,
    StateChanged,
    StateReplaced,
    StepStarted,
    ToolCallStarted,
)
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, TextPart, ToolResultPart
from wakeful.contracts.model import ModelSettings, Provider
from wakeful.contracts.run import Run, RunOptions
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import Tool, ToolContext, ToolSpec
from wakeful.contracts.usage import Usage
from wakeful.engine.assignment import Assignment, BackendSource, Ending, ModelSource, Unfinished
from wakeful.engine.loop import Loop
from wakeful.providers.scripted import Reply, ScriptedProvider
from wakeful.testing.clock import FakeClock

E = TypeVar("E", bound=msgspec.Struct)


class Book:
    """A journal that keeps everything and tells who waits for an event. `lost` makes every flush fail.

    `waiting` are messages that were steered to the run.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.states: list[JsonObject] = []
        self.behind = False
        self.lost = False
        self.flushes = 0
        self.waiting: list[Message] = []
        self._news = asyncio.Event()

    def emit(self, *events: Event) -> None:
        for event in events:
            msgspec.json.encode(event)
        self.events += events
        self._news.set()

    def commit(self, message: Message) -> None:
        self.messages.append(message)
        self.emit(MessageCommitted(message.id, message.role))

    def change_state(self, event: StateReplaced | StateChanged, state: JsonObject) -> None:
        self.states.append(state)
        self.emit(event)

    async def flush(self) -> None:
        self.flushes += 1
        self.behind = False
        if self.lost:
            raise LeaseLost("another worker owns this run now")

    @property
    def steered(self) -> bool:
        return bool(self.waiting)

    async def take_steered(self) -> Sequence[Message]:
        taken, self.waiting = self.waiting, []
        for message in taken:
            self.commit(message)
        return taken

    async def until(self, event: Event) -> None:
        """Return when the event was written."""
        async with asyncio.timeout(5):
            while event not in self.events:
                self._news.clear()
                await self._news.wait()

    def of(self, kind: type[E]) -> list[E]:
        """All events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def kinds(self) -> list[str]:
        """The names of all events, in order."""
        return [type(event).__name__ for event in self.events]


class FakeTool:
    """A tool made of an async function of its arguments and context; keeps the contexts of its calls."""

    def __init__(
        self,
        name: str,
        body: Callable[[JsonObject, ToolContext], Any],
        check: Callable[[JsonObject], JsonObject] | None = None,
        **spec: Any,
    ) -> None:
        self.spec = ToolSpec(name=name, description=name, parameters={"type": "object"}, **spec)
        self.calls: list[tuple[JsonObject, ToolContext]] = []
        self._body = body
        self._check = check

    def check(self, arguments: JsonObject) -> JsonObject:
        return self._check(arguments) if self._check else arguments

    async def call(self, arguments: JsonObject, context: ToolContext) -> JsonValue:
        self.calls.append((arguments, context))
        return await self._body(arguments, context)


class Stage:
    """Plays one run. What it writes joins the history, so that `resume` goes on where `play` stopped."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.book = Book()
        self.provider: ScriptedProvider = ScriptedProvider([])
        self.source: BackendSource | None = None
        self.tools: list[Tool] = []
        self.frontend: list[str] = []
        self.agent: dict[str, Any] = {}
        self.options = RunOptions()
        self.run_id = "run-1"
        self.history = [Message("user-1", "user", (TextPart("Hello"),), 1)]
        self.loop: Loop | None = None
        self._step = StepStarted(1, "")
        self._reason: FinishReason | None = None
        self._starts: Counter[str] = Counter()
        self._records: list[InterruptRecord] = []

    def tool(
        self,
        name: str,
        body: Callable[[JsonObject, ToolContext], Any],
        check: Callable[[JsonObject], JsonObject] | None = None,
        **spec: Any,
    ) -> FakeTool:
        """Give the run a tool."""
        made = FakeTool(name, body, check, **spec)
        self.tools.append(made)
        return made

    def answering(self, name: str, output: JsonValue = "fine", **spec: Any) -> FakeTool:
        """Give the run a tool that always answers the same."""

        async def body(arguments: JsonObject, context: ToolContext) -> JsonValue:
            return output

        return self.tool(name, body, **spec)

    async def play(self, *replies: Reply, provider: Provider | None = None, **past: Any) -> Ending:
        """Carry the run until it rests."""
        loop = self.prepared(*replies, provider=provider, **past)
        try:
            return await loop.run()
        finally:
            self._remember()

    def begin(self, *replies: Reply, provider: Provider | None = None) -> asyncio.Task[Ending]:
        """Carry the run in a task, to be stopped."""
        return asyncio.create_task(self.prepared(*replies, provider=provider).run())

    async def stop(self, task: asyncio.Task[Ending]) -> None:
        """Cancel the run and salvage, as a worker does."""
        task.cancel()
        async with asyncio.timeout(5):
            with pytest.raises(asyncio.CancelledError):
                await task
        assert self.loop is not None
        self.loop.salvage()

    async def resume(
        self,
        *replies: Reply,
        decisions: Sequence[Decision] = (),
        begun: bool = True,
        noted: frozenset[str] = frozenset(),
    ) -> Ending:
        """Carry on what a rest, or a crash after the last event, left open; without `begun` no call had been begun.

        A decision answers the newest question about its target.
        """
        self._look_back()
        for decision in decisions:
            newest = max(i for i, r in enumerate(self._records) if decision.target == r.interrupt.call_id)
            self._records[newest] = InterruptRecord(self._records[newest].interrupt, decision)
        unfinished = Unfinished(
            step=self._step.step,
            message_id=self._step.message_id,
            reply=self._reason,
            started_calls=dict(self._starts) if begun else {},
            noted=noted,
        )
        return await self.play(*replies, unfinished=unfinished, interrupts=tuple(self._records), steps=self._step.step)

    def prepared(
        self,
        *replies: Reply,
        provider: Provider | None = None,
        steps: int = 0,
        usage: Usage | None = None,
        **past: Any,
    ) -> Loop:
        """A loop ready to run."""
        self.provider = ScriptedProvider(list(replies))
        self.book.messages.clear()
        assignment = Assignment(
            run=self._run(steps, usage or Usage()),
            agent=AgentSpec(id="assistant", model="scripted:any", **self.agent),
            source=self.source
            or ModelSource(provider=provider or self.provider, model="any", settings=ModelSettings()),
            tools={tool.spec.name: tool for tool in self.tools},
            frontend={
                name: ToolSpec(name=name, description=name, parameters={}, frontend=True) for name in self.frontend
            },
            history=tuple(self.history),
            **past,
        )
        self.loop = Loop(assignment, self.book, self.clock)
        return self.loop

    def results(self) -> dict[str, tuple[str, JsonValue]]:
        """Status and output of every result the thread holds, by call id."""
        parts = [part for message in [*self.history, *self.book.messages] for part in message.parts]
        return {part.call_id: (part.status, part.output) for part in parts if isinstance(part, ToolResultPart)}

    def questions(self) -> list[Interrupt]:
        """What was asked since the last rest."""
        return [event.interrupt for event in self.book.of(InterruptRaised)]

    def _remember(self) -> None:
        self.history.extend(self.book.messages)
        self.book.messages.clear()

    def _look_back(self) -> None:
        """Keep what a runtime would find in the log, and begin a new page."""
        for event in self.book.events:
            match event:
                case StepStarted():
                    self._step, self._reason = event, None
                    self._starts.clear()
                case ModelCallFinished():
                    self._reason = event.finish_reason
                case ToolCallStarted():
                    self._starts[event.call_id] += 1
                case InterruptRaised():
                    self._records.append(InterruptRecord(event.interrupt))
                case _:
                    pass
        self.book.events.clear()

    def _run(self, steps: int, usage: Usage) -> Run:
        return Run(
            key=1, thread_key=1, scope="s", id=self.run_id, thread_id="thread-1", agent_id="assistant", origin="test",
            status=RunStatus.RUNNING, created_at=1, updated_at=1, steps=steps, usage=usage, options=self.options,
        )  # fmt: skip


@pytest.fixture
def stage() -> Stage:
    return Stage()
