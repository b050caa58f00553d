"""Turns a claimed run into the engine's assignment, from one catalog snapshot and the stored thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from wakeful.catalog.snapshot import Catalog, Snapshots
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.event import (
    Event,
    InterruptDecided,
    LogEntry,
    ModelCallFinished,
    RunStarted,
    RunWaiting,
    StateReplaced,
    StepFinished,
    StepRestarted,
    StepStarted,
    ToolCallStarted,
)
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER, InterruptRecord
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import Message
from wakeful.contracts.model import ModelSettings
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import Claim, Store
from wakeful.contracts.tool import Tool, ToolSpec
from wakeful.engine.assignment import Assignment, BackendSource, ModelSource, Unfinished
from wakeful.runtime.chain import Chains
from wakeful.runtime.handoff import PREFIX, Handoff
from wakeful.runtime.lending import Lending, missing
from wakeful.runtime.memory import run_memory, thread_memory

PAGE = 1000
QUESTIONS: Mapping[str, ToolSpec] = {
    ASK_USER: ToolSpec(name=ASK_USER, description="Asks the user.", parameters={"type": "object"}, frontend=True),
    ASK_AUTHORISATION: ToolSpec(
        name=ASK_AUTHORISATION, description="Asks for a right.", parameters={"type": "object"}, frontend=True
    ),
}
"""The calls by which an agent without a model asks."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """`step_seq` is the number of the open step's beginning, 0 while none was begun."""

    assignment: Assignment
    step_seq: int


class Resolver:
    """Resolves claims. Raises `ConfigurationError` for what no retry can mend."""

    def __init__(
        self,
        *,
        catalogs: Snapshots,
        store: Store,
        clock: Clock,
        delegate: Callable[[AgentSpec, int], Tool],
        chains: Chains,
        lending: Lending,
    ) -> None:
        self._catalogs = catalogs
        self._store = store
        self._clock = clock
        self._delegate = delegate
        self._chains = chains
        self._lending = lending

    async def resolve(self, claim: Claim) -> Resolution:
        """The assignment of a claimed run, and where its open step began."""
        run = claim.run
        catalog = await self._catalogs.at(run.options.publication or 0)
        try:
            agent = catalog.agent(run.agent_id)
        except NotFound as error:
            raise ConfigurationError(f"{error.message}; it was removed after the run was accepted") from error
        source = self._source(catalog, run, agent)
        tools = self._lent(run, agent) | self._tools(catalog, agent)
        past = await self._past(claim)
        history = await self._history(claim)
        await self._chains.check(run, history)
        interrupts = tuple(await self._store.interrupts(run.key)) if past.unfinished else ()
        if past.unfinished:
            touched = past.unfinished.started_calls.keys() | _asked_about(interrupts)
            tools |= missing(history, message_id=past.unfinished.message_id, touched=touched, known=tools.keys())
        assignment = Assignment(
            run=run,
            agent=agent,
            source=source,
            tools=tools,
            handoffs={f"{PREFIX}{name}": name for name in agent.handoffs},
            frontend=QUESTIONS if isinstance(source, BackendSource) else _frontend(run),
            history=history,
            interrupts=interrupts,
            unfinished=past.unfinished,
            announced=past.announced,
            stated=past.stated,
            active_ms=past.active_ms,
            state=await self._state(claim, past),
            prices=catalog.prices,
        )
        return Resolution(assignment, past.step_seq)

    def _source(self, catalog: Catalog, run: Run, agent: AgentSpec) -> ModelSource | BackendSource:
        if agent.model is None:
            return BackendSource(
                backend=catalog.backend(agent),
                run_memory=run_memory(self._store, self._clock, run),
                thread_memory=thread_memory(self._store, self._clock, run),
            )
        provider, model = catalog.model(agent.model)
        settings = ModelSettings(
            max_output_tokens=agent.max_output_tokens or model.max_output_tokens,
            temperature=agent.temperature,
            reasoning_effort=agent.reasoning_effort,
        )
        return ModelSource(provider=provider, model=model.name, settings=settings)

    async def _history(self, claim: Claim) -> tuple[Message, ...]:
        return tuple(await self._store.history(claim.run.thread_key)) if claim.history is None else claim.history

    async def _state(self, claim: Claim, past: _Past) -> JsonObject:
        """The shared state: what the request brought until that is in the log, else the stored one."""
        brought = claim.run.options.state
        if brought is not None and not past.begun:
            return brought
        return await self._store.shared_state(claim.run.thread_key) if claim.history is None else {}

    def _tools(self, catalog: Catalog, agent: AgentSpec) -> dict[str, Tool]:
        """The tools as they are now; later changes of their sources are for other runs, and for this one's return."""
        try:
            found: dict[str, Tool] = {
                known: tool for name in agent.tools for known, tool in catalog.offered(name).items()
            }
            found |= {name: self._delegate(catalog.agent(name), catalog.publication) for name in agent.delegates}
            handoffs = [Handoff(catalog.agent(name)) for name in agent.handoffs]
        except NotFound as error:
            raise ConfigurationError(f"agent {agent.id!r} names what is not there any more: {error.message}") from error
        found.update((tool.spec.name, tool) for tool in handoffs)
        return found

    def _lent(self, run: Run, agent: AgentSpec) -> dict[str, Tool]:
        """What the thread was lent; only a model can make use of it. The agent's own tools go before."""
        return {} if agent.model is None else self._lending.tools(run)

    async def _past(self, claim: Claim) -> _Past:
        """What the run's log says about where it stands, read as far as the claim does not bring it along."""
        past = _Past()
        for entry in claim.entries if claim.entries and claim.entries[0].seq == 1 else ():
            past.add(entry)
        after = past.seq
        more = claim.last_seq > max(after, 1)  # a log of one event has only the run's acceptance
        while more:
            page = await self._store.read_log(claim.run.key, after=after, limit=PAGE)
            for entry in page.entries:
                past.add(entry)
                after = entry.seq
            more = page.has_more
        return past


class _Past:
    """A fold over a log: whether the run's start is announced, how long it was carried, and the step it ends in.

    `stated`: the shared state it started with is announced too. `begun`: that was so, now or before a wait. `seq` is
    the number of the last event.
    """

    def __init__(self) -> None:
        self.seq = 0
        self.announced = self.stated = self.begun = False
        self.unfinished: Unfinished | None = None
        self.step_seq = 0
        self._carried_ms = 0
        self._since: int | None = None
        self._newest = 0

    @property
    def active_ms(self) -> int:
        """How long the run was carried, waiting for humans excluded."""
        return self._carried_ms + (0 if self._since is None else self._newest - self._since)

    def add(self, entry: LogEntry) -> None:
        """Take in the next event."""
        self.seq, self._newest = entry.seq, entry.at
        match entry.event:
            case RunStarted(resumed=resumed):
                self.announced = True
                self.stated = resumed  # what follows the start of a run that goes on is committed with it
                self._since = entry.at
            case RunWaiting():
                self._carried_ms = self.active_ms
                self.announced, self.stated, self._since = False, False, None
            case StateReplaced():
                self.stated = self.begun = True
            case StepStarted() | StepRestarted():
                self.stated = self.begun = True
                self.step_seq = entry.seq
            case _:
                pass
        self._add_to_step(entry.event)

    def _add_to_step(self, event: Event) -> None:
        step = self.unfinished
        match event:
            case StepStarted() | StepRestarted():
                self.unfinished = Unfinished(step=event.step, message_id=event.message_id, reply=None)
            case StepFinished():
                self.unfinished = None
            case ModelCallFinished() if step:
                self.unfinished = replace(step, reply=event.finish_reason)
            case ToolCallStarted() if step:
                starts = {**step.started_calls, event.call_id: step.started_calls.get(event.call_id, 0) + 1}
                self.unfinished = replace(step, started_calls=starts)
            case InterruptDecided() if step:
                self.unfinished = replace(step, noted=step.noted | {event.interrupt_id})
            case _:
                pass


def _asked_about(interrupts: Sequence[InterruptRecord]) -> set[str]:
    """The calls of server tools that wait, or waited, for an answer."""
    return {record.interrupt.call_id for record in interrupts if record.interrupt.kind != "frontend_tool"}


def _frontend(run: Run) -> dict[str, ToolSpec]:
    return {
        tool.name: ToolSpec(name=tool.name, description=tool.description, parameters=tool.parameters, frontend=True)
        for tool in run.options.frontend_tools
    }
