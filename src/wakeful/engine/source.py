"""What makes a step's reply: a model that is sent the thread, or a backend that is given a turn."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence

from wakeful.contracts.backend import BackendChunk, Turn
from wakeful.contracts.json import JsonObject
from wakeful.contracts.message import Message
from wakeful.contracts.model import ModelChunk
from wakeful.engine.assignment import Assignment, BackendSource
from wakeful.engine.prompt import build

Attempt = Callable[[], AsyncGenerator[list[ModelChunk]] | AsyncGenerator[list[BackendChunk]]]
"""Begins the reply, anew with every call."""


def attempts(assignment: Assignment, history: Sequence[Message], state: JsonObject, step: int) -> Attempt:
    """How to ask for the reply of a step."""
    source = assignment.source
    if isinstance(source, BackendSource):
        turn = Turn(
            run=assignment.run,
            agent=assignment.agent,
            step=step,
            history=tuple(history),
            state=state,
            run_memory=source.run_memory,
            thread_memory=source.thread_memory,
        )
        return lambda: source.backend.stream(turn)
    request = build(assignment, source, history, state)
    return lambda: source.provider.stream(request)
