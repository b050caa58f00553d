"""Other agents at work for a call: SUBAGENT_* for clients of 1.0, CUSTOM for older ones, which die on those."""

from __future__ import annotations

from wakeful.contracts import event as log
from wakeful.contracts.json import JsonObject
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.segment import Segment

CANCELLED = "The run of this agent was cancelled."


class Subagents:
    """The other agents at work.

    One is begun and ended at most once in a segment. While the run waits it is suspended; it shows up again when
    there is more to say about it.
    """

    def __init__(self, segment: Segment, *, modern: bool) -> None:
        self._segment = segment
        self._modern = modern
        self._working: dict[str, log.SubagentStarted] = {}
        self._shown: set[str] = set()
        self._over: set[str] = set()

    def begin(self) -> None:
        """A new segment: nothing of it was shown."""
        self._shown.clear()
        self._over.clear()

    def start(self, event: log.SubagentStarted) -> None:
        """An agent begins."""
        if event.run_id in self._over:
            return
        self._working[event.run_id] = event
        self._show(event)

    def finish(self, event: log.SubagentFinished) -> None:
        """An agent is done."""
        started = self._working.pop(event.run_id, None)
        if started is None:
            return
        self._show(started)
        if event.outcome == "completed":
            self._end(started, wire.SubagentFinished(subagent_run_id=event.run_id, timestamp=self._segment.at))
        elif event.error is not None:
            self._fail(started, event.error.message, event.error.code)
        else:
            self._fail(started, CANCELLED, "CANCELLED")

    def call_over(self, call_id: str) -> None:
        """A call has its result, so nobody works for it any more."""
        for started in [started for started in self._working.values() if started.call_id == call_id]:
            self._fail(self._working.pop(started.run_id), "The call ended before this agent did.", "CANCELLED")

    def suspend(self) -> None:
        """The run waits."""
        for started in self._working.values():
            if self._modern and started.run_id in self._shown:
                self._segment.put(
                    wire.SubagentFinished(
                        subagent_run_id=started.run_id, outcome=wire.SubagentSuspended(), timestamp=self._segment.at
                    )
                )

    def call_off(self, reason: str) -> None:
        """The run is over."""
        for started in self._working.values():
            self._fail(started, reason, "CANCELLED")
        self._working.clear()

    def _show(self, started: log.SubagentStarted) -> None:
        if started.run_id in self._shown:
            return
        self._shown.add(started.run_id)
        if self._modern:
            self._segment.put(
                wire.SubagentStarted(
                    subagent_run_id=started.run_id,
                    name=started.agent_id,
                    parent_tool_call_id=started.call_id,
                    metadata={"threadId": started.thread_id},
                    timestamp=self._segment.at,
                )
            )
        else:
            self._segment.custom("subagent_started", {**_who(started), "agentId": started.agent_id})

    def _fail(self, started: log.SubagentStarted, message: str, code: str) -> None:
        self._show(started)
        at = self._segment.at
        self._end(
            started,
            wire.SubagentError(subagent_run_id=started.run_id, message=message, code=code, timestamp=at),
        )

    def _end(self, started: log.SubagentStarted, event: wire.SubagentFinished | wire.SubagentError) -> None:
        self._over.add(started.run_id)
        if self._modern:
            self._segment.put(event)
        elif isinstance(event, wire.SubagentError):
            error = {"code": event.code, "message": event.message}
            self._segment.custom("subagent_finished", {**_who(started), "outcome": "failed", "error": error})
        else:
            self._segment.custom("subagent_finished", {**_who(started), "outcome": "completed"})


def _who(started: log.SubagentStarted) -> JsonObject:
    """{runId, threadId, toolCallId}."""
    return {"runId": started.run_id, "threadId": started.thread_id, "toolCallId": started.call_id}
