"""Events that are shown for a while: progress, usage, other agents, the shared state, input that came meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wakeful.contracts.event import (
    ErrorReport,
    Event,
    MessageCommitted,
    ModelCallFinished,
    Outcome,
    RetryScheduled,
    StateChanged,
    StateReplaced,
    StatusNoted,
    StepRestarted,
    SubagentFinished,
    SubagentStarted,
    ToolCallFinished,
    ToolProgressed,
)
from wakeful.contracts.json import JsonObject
from wakeful.protocols.ai_sdk import build, chunks, parts
from wakeful.protocols.ai_sdk.dialects import Dialect

Notice = chunks.Data | parts.SteeringMessage
LASTING = (StateReplaced, MessageCommitted)
"""Events that count also when they come between two segments: their notices wait for the next one."""


class Notices:
    """Says what an event is to be announced as. Remembers which agents are at work."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect: Dialect = dialect
        self._agents: dict[str, SubagentStarted] = {}

    def of(self, event: Event) -> Iterable[Notice]:
        """The notices of this event; mostly one or none."""
        match event:
            case SubagentStarted():
                self._agents[event.run_id] = event
                yield _agent(event, "running", event)
            case SubagentFinished():
                yield _agent(event, event.outcome, self._agents.pop(event.run_id, None), event.error)
            case ToolCallFinished():
                yield from self._left_behind(event.call_id)
            case MessageCommitted(role="user"):
                yield self._input(event)
            case StatusNoted(message):
                yield chunks.DataStatus(data={"message": message}, transient=True)
            case _ if (passing := _passing(event)) is not None:
                yield passing
            case _:
                pass

    def _left_behind(self, call_id: str) -> Iterable[Notice]:
        """Agents whose end nobody saw, because the process that waited for them was lost."""
        for began in [began for began in self._agents.values() if began.call_id == call_id]:
            yield _agent(began, "cancelled", self._agents.pop(began.run_id))

    def _input(self, event: MessageCommitted) -> Notice:
        said = build.user_parts(event.parts)
        if self._dialect == "7" and said:
            return parts.SteeringMessage(event.message_id, said)
        return chunks.DataSteered(data={"messageId": event.message_id}, transient=True)


def restart(event: StepRestarted) -> chunks.DataStepRestarted:
    """What major 6 is told of a step that begins again: {step, messageId, reason}."""
    data = {"step": event.step, "messageId": event.message_id, "reason": event.reason}
    return chunks.DataStepRestarted(data=data, transient=True)


def _passing(event: Event) -> chunks.Data | None:
    match event:
        case ToolProgressed():
            return chunks.DataActivity(id=event.call_id, data=_progress(event), transient=True)
        case ModelCallFinished():
            return chunks.DataUsage(data=_usage(event), transient=True)
        case StateReplaced(state):
            return chunks.DataStateSnapshot(data=state, transient=True)
        case StateChanged(patch=patch):
            return chunks.DataStateDelta(data={"patch": list(patch)}, transient=True)
        case RetryScheduled():
            return chunks.DataRetry(data=_retry(event), transient=True)
        case _:
            return None


def _agent(
    event: SubagentStarted | SubagentFinished,
    status: Outcome | Literal["running"],
    began: SubagentStarted | None,
    error: ErrorReport | None = None,
) -> chunks.DataSubagent:
    """{runId, threadId, agentId, toolCallId, status, error?}; `status` is `running` or how it ended."""
    data: JsonObject = {"runId": event.run_id, "toolCallId": event.call_id, "status": status}
    if began is not None:
        data |= {"agentId": began.agent_id, "threadId": began.thread_id}
    if error is not None:
        data["error"] = error.message
    return chunks.DataSubagent(id=event.run_id, data=data, transient=True)


def _progress(event: ToolProgressed) -> JsonObject:
    """{toolName, message?, progress?, total?}."""
    data = {"toolName": event.name, "message": event.message, "progress": event.progress, "total": event.total}
    return {key: value for key, value in data.items() if value is not None}


def _usage(event: ModelCallFinished) -> JsonObject:
    """{model, provider, usage, durationMs}."""
    return {
        "model": event.model,
        "provider": event.provider,
        "usage": build.usage(event.usage),
        "durationMs": event.duration_ms,
    }


def _retry(event: RetryScheduled) -> JsonObject:
    """{target, attempt, delayMs, code, message}; `target` is `model_call` or `run`."""
    return {
        "target": event.target,
        "attempt": event.attempt,
        "delayMs": event.delay_ms,
        "code": event.error.code,
        "message": event.error.message,
    }
