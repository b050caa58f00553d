"""Turns a claimed run into the engine's assignment, from one catalog snapshot and the stored thread."""

from __future__ import annotations

from dataclasses import replace

from wakeful.contracts.errors import ConfigurationError, NotFound
from wakeful.contracts.event import (
    Event,
    InterruptDecided,
    ModelCallFinished,
    RunStarted,
    RunWaiting,
    StepFinished,
    StepRestarted,
    StepStarted,
    ToolCallStarted,
)
from wakeful.contracts.model import ModelSettings
from wakeful.contracts.run import Run
from wakeful.contracts.store import Claim, Store
from wakeful.contracts.tool import Tool, ToolSpec
from wakeful.engine.assignment import Assignment, Unfinished
from wakeful.runtime.catalog import Catalog

PAGE = 1000


class Resolver:
    """Resolves claims. Raises `ConfigurationError` for what no retry can mend."""

    def __init__(self, catalog: Catalog, store: Store) -> None:
        self._catalog = catalog
        self._store = store

    async def resolve(self, claim: Claim) -> Assignment:
        """The assignment of a claimed run."""
        run = claim.run
        try:
            agent = self._catalog.agent(run.agent_id)
        except NotFound as error:
            raise ConfigurationError(f"{error.message}; it was removed after the run was accepted") from error
        provider, model = self._catalog.model(agent.model)
        tools = self._tools(agent.tools)
        past = await self._past(claim)
        return Assignment(
            run=run,
            agent=agent,
            provider=provider,
            model=model.name,
            settings=ModelSettings(
                max_output_tokens=agent.max_output_tokens or model.max_output_tokens,
                temperature=agent.temperature,
                reasoning_effort=agent.reasoning_effort,
            ),
            tools=tools,
            frontend=_frontend(run),
            history=tuple(await self._store.history(run.thread_key)),
            interrupts=tuple(await self._store.interrupts(run.key)) if past.unfinished else (),
            unfinished=past.unfinished,
            announced=past.announced,
        )

    def _tools(self, names: tuple[str, ...]) -> dict[str, Tool]:
        missing = [name for name in names if name not in self._catalog.tools]
        if missing:
            raise ConfigurationError(
                f"unknown tools: {', '.join(missing)}; register them with AgentRuntime(tools=[...])"
            )
        return {name: self._catalog.tools[name] for name in names}

    async def _past(self, claim: Claim) -> _Past:
        """What the run's log says about where it stands; a run claimed for the first time has only its acceptance."""
        past = _Past()
        after, more = 0, claim.last_seq > 1
        while more:
            page = await self._store.read_log(claim.run.key, after=after, limit=PAGE)
            for entry in page.entries:
                past.add(entry.event)
                after = entry.seq
            more = page.has_more
        return past


class _Past:
    """A fold over a log: whether the run's start is announced, and the step it ends in."""

    def __init__(self) -> None:
        self.announced = False
        self.unfinished: Unfinished | None = None

    def add(self, event: Event) -> None:
        step = self.unfinished
        match event:
            case RunStarted():
                self.announced = True
            case RunWaiting():
                self.announced = False
            case StepStarted() | StepRestarted():
                self.unfinished = Unfinished(step=event.step, message_id=event.message_id, reply=None)
            case StepFinished():
                self.unfinished = None
            case ModelCallFinished() if step:
                self.unfinished = replace(step, reply=event.finish_reason)
            case ToolCallStarted() if step:
                self.unfinished = replace(step, started_calls=step.started_calls | {event.call_id})
            case InterruptDecided() if step:
                self.unfinished = replace(step, noted=step.noted | {event.interrupt_id})
            case _:
                pass


def _frontend(run: Run) -> dict[str, ToolSpec]:
    return {
        tool.name: ToolSpec(name=tool.name, description=tool.description, parameters=tool.parameters, frontend=True)
        for tool in run.options.frontend_tools
    }
