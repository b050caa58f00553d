"""Folds a run's log into the notifications and requests that go before a call's response."""

from __future__ import annotations

from collections.abc import Iterator

from wakeful.contracts.event import (
    Event,
    LogEntry,
    RetryScheduled,
    RunFinished,
    RunStarted,
    RunWaiting,
    StatusNoted,
    StepStarted,
    SubagentStarted,
    ToolCallFinished,
    ToolCallStarted,
    ToolProgressed,
)
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.json import JsonObject
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import questions, wire
from wakeful.protocols.mcp.client import LEVELS, Client, LogLevel

ProgressToken = str | int
RELATED_KEY = "io.modelcontextprotocol/related-task"
"""The `_meta` key by which what belongs to a task of the old era names it."""


class Encoder:
    """What a client is shown of one run: progress where it gave a `token`, log messages from its level on.

    In the old era questions become `elicitation/create` requests, whose ids name the run and the question. An agent's
    progress is the number of its event, which always grows; a tool's own numbers are shown where they grow.
    """

    def __init__(
        self, run: Run, client: Client, *, token: ProgressToken | None, is_tool: bool, is_task: bool = False
    ) -> None:
        self._run = run
        self._client = client
        self._token = token
        self._least = len(LEVELS) if client.log_level is None else LEVELS.index(client.log_level)
        self._is_tool = is_tool
        self._is_task = is_task
        self._shown = -1.0

    def encode(self, entry: LogEntry) -> list[bytes]:
        """The messages that an event adds."""
        found = [*self._progress(entry), *self._log(entry.event)]
        if self._client.answers_requests and isinstance(entry.event, RunWaiting):
            found += [self.question(one) for one in entry.event.interrupts]
        return found

    def question(self, interrupt: Interrupt) -> bytes:
        """The request that asks a client of the old era a question; a task's question names the task."""
        name = f"{self._run.id}/{interrupt.id}"
        params = questions.elicitation(interrupt, self._client, id=name)
        if self._is_task:
            params["_meta"] = {RELATED_KEY: {"taskId": self._run.id}}
        return wire.request(name, questions.METHOD, params)

    def _progress(self, entry: LogEntry) -> Iterator[bytes]:
        if self._token is None:
            return
        event = entry.event
        params: JsonObject = {"progressToken": self._token, "progress": entry.seq}
        if self._is_tool:
            if not isinstance(event, ToolProgressed) or event.progress is None or event.progress <= self._shown:
                return
            self._shown = event.progress
            params["progress"] = event.progress
            if event.total is not None:
                params["total"] = event.total
        message = _doing(event)
        if message is not None:
            params["message"] = message
        if message is not None or self._is_tool:
            yield wire.notification("notifications/progress", params)

    def _log(self, event: Event) -> Iterator[bytes]:
        said = _said(event)
        if said is not None and LEVELS.index(said[0]) >= self._least:
            params: JsonObject = {"level": said[0], "logger": self._run.agent_id, "data": said[1]}
            yield wire.notification("notifications/message", params)


def _doing(event: Event) -> str | None:
    """What the run is about, in words."""
    match event:
        case StepStarted(step=step):
            found = f"step {step}"
        case ToolCallStarted(name=name):
            found = f"running {name}"
        case ToolProgressed(message=message) | StatusNoted(message=message):
            found = message
        case SubagentStarted(agent_id=agent):
            found = f"asking {agent}"
        case RetryScheduled():
            found = "trying again"
        case _:
            found = None
    return found


def _said(event: Event) -> tuple[LogLevel, str] | None:
    """An event as a log message; texts that the model or a tool wrote are no part of it."""
    found: tuple[LogLevel, str] | None = None
    match event:
        case RunStarted(resumed=resumed):
            found = "info", "the run goes on" if resumed else "the run begins"
        case StepStarted(step=step):
            found = "debug", f"step {step} begins"
        case ToolCallStarted(name=name):
            found = "info", f"tool {name} begins"
        case ToolCallFinished(name=name, status=status):
            found = "info" if status == "succeeded" else "warning", f"tool {name} {status}"
        case RetryScheduled(error=error):
            found = "warning", f"trying again after: {error.message}"
        case RunFinished(outcome="failed", error=error):
            found = "error", f"the run failed: {error.message if error else 'no reason is known'}"
        case RunFinished(outcome=outcome):
            found = "notice", f"the run is {outcome}"
        case _:
            pass
    return found
