"""Turns a run's log into ACP updates and into what a turn must act upon: a fold that remembers only what is open.

ACP has no update that takes text back. When a step restarts, what follows has message ids of its own and the calls of
the void attempt have failed; an artifact that begins anew is another message. Ids of calls are the step's message id
and the model's call id, because models use call ids again; so a replay of the history names them alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from wakeful.contracts import event as log
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.message import SourcePart
from wakeful.contracts.usage import Usage
from wakeful.protocols.acp import calls, content, control, wire
from wakeful.protocols.acp.plan import PlanKeeper

STOPS: Mapping[log.StopReason, wire.StopReason] = {
    "max_output": "max_tokens",
    "max_tokens": "max_tokens",
    "max_cost": "max_tokens",
    "max_steps": "max_turn_requests",
    "max_seconds": "max_turn_requests",
    "max_repeats": "max_turn_requests",
    "max_tool_errors": "max_turn_requests",
    "content_filter": "refusal",
    "cancelled": "cancelled",
    "superseded": "cancelled",
    "withdrawn": "cancelled",
}
"""Why a turn stopped; every other reason is `end_turn`."""
_encoder = msgspec.json.Encoder()


class View(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a run is shown: the session's folder, whether the client reads notices, how large a context is (tokens,
    0: not known), and what the session has cost before the run (millionths of a US dollar).
    """

    cwd: str
    notices: bool = False
    context_size: int = 0
    spent: int = 0


class _Call:
    """A call that has no result yet."""

    def __init__(self, wire_id: str, name: str) -> None:
        self.id = wire_id
        self.name = name
        self.arguments = ""
        self.started = False
        self.shown: list[wire.Content | wire.Diff] = []


class Encoder:
    """Feed it a run's log in order, from the first event; it never fails and awaits nothing."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._agent_id = ""
        self._message = ""
        self._attempt = 1
        self._calls: dict[str, _Call] = {}
        self._versions: dict[str, int] = {}
        self._plan = PlanKeeper()
        self._usage = Usage()
        self._out: list[bytes] = []

    def encode(self, entry: log.LogEntry) -> list[bytes]:
        """The payloads this entry adds, each one JSON object."""
        event = entry.event
        match event:
            case log.TextDelta(delta):
                self._say(delta)
            case log.ReasoningDelta(delta):
                self._think(delta, f"{self._id}/thought")
            case log.RunStarted() | log.HandedOff() | log.RunWaiting() | log.RunFinished():
                self._on_run(event)
            case log.StepStarted() | log.StepRestarted():
                self._on_step(event)
            case log.ToolCallProposed() | log.ToolCallReady() | log.ToolCallStarted() | log.ToolCallFinished():
                self._on_call(event)
            case log.ToolProgressed() | log.InterruptRaised() | log.InterruptDecided():
                self._on_wait(event)
            case _:
                self._on_rest(event)
        out, self._out = self._out, []
        return out

    @property
    def _id(self) -> str:
        """The id of what the step says in its present attempt."""
        return self._message if self._attempt == 1 else f"{self._message}~{self._attempt}"

    def _put(self, payload: wire.Update | control.Control) -> None:
        self._out.append(_encoder.encode(payload))

    def _say(self, delta: str) -> None:
        if delta:
            self._put(wire.AgentChunk(content.text(delta), self._id or None))

    def _think(self, delta: str, message_id: str) -> None:
        if delta:
            self._put(wire.ThoughtChunk(content.text(delta), message_id))

    # -- the run and its steps

    def _on_run(self, event: log.RunStarted | log.HandedOff | log.RunWaiting | log.RunFinished) -> None:
        match event:
            case log.RunStarted(agent_id):
                self._agent_id = agent_id
                self._put(control.Going())
            case log.HandedOff(agent_id):
                self._agent_id = agent_id
            case log.RunWaiting(interrupts):
                self._put(control.Waiting(tuple(interrupt.id for interrupt in interrupts)))
            case log.RunFinished(outcome, reason):
                self._give_up("The run ended before this call did.")
                failure = event.error if outcome == "failed" else None
                stop = STOPS.get(reason, "end_turn")
                if outcome == "failed":
                    failure = failure or log.ErrorReport("internal", "The run failed.")
                    self._put(control.Ended(stop, failure.code, failure.message))
                else:
                    self._put(control.Ended("cancelled" if outcome == "cancelled" else stop))

    def _on_step(self, event: log.StepStarted | log.StepRestarted) -> None:
        self._versions.clear()
        if isinstance(event, log.StepStarted):
            self._message, self._attempt = event.message_id, 1
            return
        self._give_up("This call was interrupted; the model is asked again.")
        self._message = event.message_id
        self._attempt += 1

    def _give_up(self, why: str) -> None:
        for call in self._calls.values():
            self._put(wire.ToolCallUpdate(call.id, status="failed", content=[wire.Content(content.text(why))]))
        self._calls.clear()

    # -- calls

    def _on_call(
        self, event: log.ToolCallProposed | log.ToolCallReady | log.ToolCallStarted | log.ToolCallFinished
    ) -> None:
        match event:
            case log.ToolCallProposed(call_id, name):
                self._propose(call_id, name)
            case log.ToolCallReady(call_id, name, arguments):
                call = self._calls.get(call_id) or self._propose(call_id, name)
                self._tell_arguments(call, arguments)
            case log.ToolCallStarted(call_id, name):
                call = self._calls.get(call_id) or self._propose(call_id, name)
                call.started = True
                self._put(wire.ToolCallUpdate(call.id, status="in_progress"))
            case log.ToolCallFinished(call_id, name, status):
                call = self._calls.pop(call_id, None) or self._propose(call_id, name)
                self._calls.pop(call_id, None)
                self._put(
                    wire.ToolCallUpdate(
                        call.id,
                        status="completed" if status == "succeeded" else "failed",
                        raw_output=content.plain(event.output),
                        content=[*call.shown, *calls.result(event.output, status, self._view.cwd)] or None,
                    )
                )

    def _propose(self, call_id: str, name: str) -> _Call:
        call = self._calls[call_id] = _Call(f"{self._id}/{call_id}", name)
        self._put(wire.ToolCall(call.id, calls.title(name, {}), name, calls.kind(name), "pending"))
        return call

    def _tell_arguments(self, call: _Call, written: str) -> None:
        call.arguments = written
        arguments = calls.read_arguments(written)
        self._put(
            wire.ToolCallUpdate(
                call.id,
                title=calls.title(call.name, arguments),
                raw_input=calls.raw_input(written),
                locations=calls.locations(arguments, self._view.cwd),
            )
        )

    def _on_wait(self, event: log.ToolProgressed | log.InterruptRaised | log.InterruptDecided) -> None:
        match event:
            case log.ToolProgressed(call_id):
                call = self._calls.get(call_id)
                if call is not None:
                    shown = [*call.shown, wire.Content(content.text(_progress(event)))]
                    self._put(wire.ToolCallUpdate(call.id, status="in_progress", content=shown))
            case log.InterruptRaised(interrupt):
                call = self._calls.get(interrupt.call_id) or self._propose(interrupt.call_id, interrupt.tool)
                self._put(control.Asked(interrupt, self._asked(call, interrupt), self._agent_id, call.started))
            case log.InterruptDecided(interrupt_id, call_id):
                call = self._calls.get(call_id)
                if call is not None:
                    self._tell_decision(call, event)
                self._put(control.Decided(interrupt_id))

    def _tell_decision(self, call: _Call, event: log.InterruptDecided) -> None:
        """What a human changed, and why a call was allowed; why it was not is in its result."""
        if event.arguments is not None:
            self._tell_arguments(call, event.arguments)
        if event.approved and event.reason:
            call.shown.append(wire.Content(content.text(event.reason)))
            self._put(wire.ToolCallUpdate(call.id, content=[*call.shown]))

    def _asked(self, call: _Call, interrupt: Interrupt) -> wire.AskedCall:
        written = interrupt.arguments
        arguments = calls.read_arguments(written)
        return wire.AskedCall(
            call.id,
            calls.title(call.name, arguments),
            call.name,
            calls.kind(call.name),
            "pending",
            raw_input=calls.raw_input(written),
            locations=calls.locations(arguments, self._view.cwd),
            content=[wire.Content(content.text(interrupt.message))] if call.started else None,
        )

    # -- what stands beside messages and calls

    def _on_rest(self, event: log.Event) -> None:
        match event:
            case log.SourceCited(source, call_id):
                self._cite(source, call_id)
            case log.FileGenerated(file, call_id):
                self._attach(content.of_file(file), call_id)
            case log.DataEmitted(data, name):
                self._attach(content.of_data(data, name), None)
            case log.ArtifactChanged():
                self._show_artifact(event)
            case log.StatusNoted(message):
                self._think(message, f"{self._id}/status")
            case _:
                self._on_notice(event)

    def _on_notice(self, event: log.Event) -> None:
        match event:
            case log.StateReplaced() | log.StateChanged():
                plan = self._plan.change(event)
                if plan is not None:
                    self._put(plan)
            case log.ModelCallFinished(usage=usage):
                self._count(usage)
            case log.MessageCommitted(message_id, "user", parts):
                for part in parts:
                    self._put(wire.UserChunk(content.of_input(part), message_id))
            case log.RetryScheduled() if self._view.notices:
                again = f"Trying again in {event.delay_ms} ms."
                self._put(wire.Notice("warning", event.error.message or event.error.code, again))
            case _:
                pass

    def _cite(self, source: SourcePart, call_id: str | None) -> None:
        link = content.of_source(source)
        if link is not None:
            self._attach(link, call_id)

    def _attach(self, block: wire.Block, call_id: str | None) -> None:
        """To the answer, or to the call that brought it."""
        call = self._calls.get(call_id) if call_id is not None else None
        if call is None:
            self._put(wire.AgentChunk(block, self._id or None))
            return
        call.shown.append(wire.Content(block))
        self._put(wire.ToolCallUpdate(call.id, content=[*call.shown]))

    def _show_artifact(self, event: log.ArtifactChanged) -> None:
        version = self._versions.get(event.id, int(event.append)) + (not event.append)
        self._versions[event.id] = version
        message_id = f"{self._id}/artifact/{event.id}" + (f"~{version}" if version > 1 else "")
        if event.name and not event.append:
            self._put(wire.AgentChunk(content.text(f"**{event.name}**\n\n"), message_id))
        self._put(wire.AgentChunk(content.of_input(event.part), message_id))

    def _count(self, usage: Usage) -> None:
        self._usage += usage
        spent = self._view.spent + self._usage.cost
        cost = wire.Cost(spent / 1_000_000, "USD") if spent else None
        self._put(wire.UsageUpdate(usage.total_tokens, self._view.context_size, cost))


def _progress(event: log.ToolProgressed) -> str:
    share = ""
    if event.progress is not None:
        share = f"{event.progress:g}" if event.total is None else f"{event.progress:g}/{event.total:g}"
    return " ".join(word for word in (event.message, share) if word) or "…"
