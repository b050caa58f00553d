"""What the engine is handed to carry one run, and what it hands back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from wakeful.contracts.backend import Backend, Memory
from wakeful.contracts.event import ErrorReport, FinishReason, StopReason
from wakeful.contracts.interrupt import Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message
from wakeful.contracts.model import ModelSettings, Provider
from wakeful.contracts.price import NO_PRICES, Prices
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.tool import Tool, ToolSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfinished:
    """The step an earlier dispatch left open.

    `reply` is how the model's reply ended, None when it was cut off and must be asked again. `started_calls` says
    how often each call was begun; those that have no result were cut off. `noted` are the interrupts whose decision
    the log tells.
    """

    step: int
    message_id: str
    reply: FinishReason | None
    started_calls: Mapping[str, int] = field(default_factory=dict[str, int])
    noted: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSource:
    """A model answers: `model` is the provider's own name for it."""

    provider: Provider
    model: str
    settings: ModelSettings

    @property
    def name(self) -> str:
        """Who makes the replies."""
        return self.provider.name


@dataclass(frozen=True, slots=True, kw_only=True)
class BackendSource:
    """A backend answers instead of a model."""

    backend: Backend
    run_memory: Memory
    thread_memory: Memory

    @property
    def name(self) -> str:
        """Who makes the replies."""
        return self.backend.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One run and everything it needs.

    `source` is what makes the replies. `handoffs` are the agents that may take the run over, by the tools that say so.
    `frontend` tools are carried out by the client and never hide
    a server tool of the same name. `history` is the whole thread including this run's messages so far.
    `announced`: the log already says that the run started, `stated`: and with which shared state. `active_ms` is how
    long earlier dispatches carried it. `state` is the shared state of the thread.
    """

    run: Run
    agent: AgentSpec
    source: ModelSource | BackendSource
    tools: Mapping[str, Tool]
    frontend: Mapping[str, ToolSpec]
    history: tuple[Message, ...]
    interrupts: tuple[InterruptRecord, ...] = ()
    unfinished: Unfinished | None = None
    announced: bool = False
    stated: bool = False
    active_ms: int = 0
    state: JsonObject = field(default_factory=dict[str, JsonValue])
    prices: Prices = NO_PRICES
    handoffs: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a dispatch of a run ended: at rest (`waiting` with its interrupts), for good, or put back (`queued`).

    `queued` with an `error` is a failure that may pass, not before `retry_after_ms` where the vendor said so. Its step
    is left open: the run goes on from there, or is given up after `Loop.salvage`. `queued` with an `agent_id` goes on
    with that agent.
    """

    status: RunStatus
    stop_reason: StopReason | None = None
    error: ErrorReport | None = None
    interrupts: tuple[Interrupt, ...] = ()
    retry_after_ms: int | None = None
    agent_id: str | None = None
