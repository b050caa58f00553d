"""The backend socket: what carries an agent's steps instead of a model: a function, or a server elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from wakeful.contracts.event import ArtifactChanged, DataEmitted, StatusNoted
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import Message
from wakeful.contracts.model import ModelChunk
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec

BackendChunk = ModelChunk | DataEmitted | ArtifactChanged | StatusNoted


class Memory(Protocol):
    """One JSON object that outlives the process, at most 64 KiB of it."""

    async def read(self) -> JsonObject | None:
        """What was written last, None before that."""
        ...

    async def write(self, value: JsonObject) -> None:
        """Put a value in its place; durable once this returns."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One step to carry: what was said on the thread so far, the last thing first to be answered.

    `history` ends with the run's input, or with the answers to what the step before asked (tool results of
    `ask_user` and `ask_authorisation` calls). `step` counts from 1 over the run. `run_memory` is this run's,
    `thread_memory` is shared by all runs of this agent on the thread.
    """

    run: Run
    agent: AgentSpec
    step: int
    history: Sequence[Message]
    state: JsonObject
    run_memory: Memory
    thread_memory: Memory


class Backend(Protocol):
    """Carries the steps of the agents it was made for.

    `stream` yields chunks in batches and ends after exactly one `ReplyFinished`, like a provider's; everything that
    goes wrong is raised as a `ModelError`, retryable where it may pass. It asks by proposing a call of `ask_user` or
    `ask_authorisation` with its arguments and finishing with reason `tool_calls`; the next step brings the answers.
    After a crash the step is streamed again: what it did is found by `run_memory`.
    """

    @property
    def name(self) -> str:
        """Who made its answers, where a model's would name their provider."""
        ...

    def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        """Carry one step."""
        ...

    async def abandon(self, run: Run, memory: Memory) -> None:
        """The run was cancelled or failed before its work was done: stop what goes on elsewhere for it."""
        ...

    async def aclose(self) -> None:
        """Release connections; the backend is not used afterwards."""
        ...
