"""Turns stored messages into the UI messages a client shows after a reload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import (
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.protocols.ai_sdk import wire
from wakeful.protocols.ai_sdk.build import error_text, parse_input


def ui_messages(messages: Sequence[Message], interrupts: Sequence[InterruptRecord] = ()) -> list[wire.UIMessage]:
    """The messages as the client would hold them had it watched every run.

    All steps of a run are one UI message under its first step's id, at that step's place; results are folded into
    their calls. Input that reached the run later comes before that message, which answers it. `interrupts` are those
    of the runs shown, at least of the waiting one: they tell an open approval from a call that still runs, and a
    front-end call from a server's.
    """
    calls = _Calls(messages, interrupts)
    shown: list[wire.UIMessage] = []
    of_run: dict[str, wire.UIMessage] = {}
    for message in messages:
        if message.role == "tool":
            continue
        if message.role != "assistant":
            turn = of_run.get(message.run_id) if message.run_id else None
            place = len(shown) if turn is None else shown.index(turn)
            shown.insert(place, wire.UIMessage(message.id, message.role, list(_input_parts(message.parts))))
            continue
        turn = of_run.get(message.run_id) if message.run_id else None
        if turn is None:
            metadata = wire.RunMetadata(message.run_id) if message.run_id else None
            turn = wire.UIMessage(message.id, "assistant", [], metadata)
            shown.append(turn)
            if message.run_id:
                of_run[message.run_id] = turn
        turn.parts.append(wire.StepStartUIPart())
        turn.parts.extend(_output_parts(message.parts, calls))
    return shown


class _Calls:
    """Looks up what became of a call. Of several questions about one call the last counts."""

    def __init__(self, messages: Sequence[Message], interrupts: Sequence[InterruptRecord]) -> None:
        self._results: Mapping[str, ToolResultPart] = {
            part.call_id: part for message in messages for part in message.parts if isinstance(part, ToolResultPart)
        }
        self._records: Mapping[str, InterruptRecord] = {record.interrupt.call_id: record for record in interrupts}

    def part(self, call: ToolCallPart) -> wire.ToolUIPart:
        """The call as a part in its present state."""
        record = self._records.get(call.call_id)
        result = self._results.get(call.call_id)
        return self._open(call, record) if result is None else self._done(call, result, record)

    def _open(self, call: ToolCallPart, record: InterruptRecord | None) -> wire.ToolUIPart:
        approval = _approval(record)
        if approval is None:
            state = "input-available"
        else:
            state = "approval-requested" if approval.approved is None else "approval-responded"
        return wire.ToolUIPart(
            type=f"tool-{call.name}",
            tool_call_id=call.call_id,
            state=state,
            input=_input_of(call, record.decision if record else None),
            approval=approval,
        )

    def _done(self, call: ToolCallPart, result: ToolResultPart, record: InterruptRecord | None) -> wire.ToolUIPart:
        by_client = record is not None and record.interrupt.kind == "frontend_tool" and result.status != "cancelled"
        kind, call_id, value = f"tool-{call.name}", call.call_id, parse_input(result.arguments or call.arguments)
        approval = _approval(record)
        match result.status:
            case "succeeded":
                return wire.ToolUIPart(
                    type=kind,
                    tool_call_id=call_id,
                    state="output-available",
                    input=value,
                    output=result.output,
                    provider_executed=not by_client,
                    approval=approval if approval and approval.approved else None,
                )
            case "denied":
                refusal = approval if approval and approval.approved is False else None
                return wire.ToolUIPart(
                    type=kind,
                    tool_call_id=call_id,
                    state="output-denied",
                    input=value,
                    approval=refusal or wire.Approval(call_id, approved=False),
                )
            case "failed" | "cancelled":
                return wire.ToolUIPart(
                    type=kind,
                    tool_call_id=call_id,
                    state="output-error",
                    input=value,
                    error_text=error_text(result.output),
                    provider_executed=not by_client,
                    approval=approval if approval and approval.approved else None,
                )


def _input_of(call: ToolCallPart, decision: Decision | None) -> JsonValue:
    edited = decision.arguments if decision else None
    return parse_input(call.arguments) if edited is None else edited


def _approval(record: InterruptRecord | None) -> wire.Approval | None:
    if record is None or record.interrupt.kind != "approval":
        return None
    decision = record.decision
    if decision is None:
        return wire.Approval(record.interrupt.id)
    return wire.Approval(record.interrupt.id, decision.approved is True, decision.reason)


def _input_parts(parts: Iterable[MessagePart]) -> Iterable[wire.UIPart]:
    for part in parts:
        match part:
            case TextPart(text):
                yield wire.TextUIPart(text)
            case FilePart(media_type, url, filename):
                yield wire.FileUIPart(media_type, url, filename)
            case _:
                pass


def _output_parts(parts: Iterable[MessagePart], calls: _Calls) -> Iterable[wire.UIPart]:
    for part in parts:
        match part:
            case TextPart(text):
                yield wire.TextUIPart(text, "done")
            case ReasoningPart(text) if text:
                yield wire.ReasoningUIPart(text)
            case FilePart(media_type, url, filename):
                yield wire.FileUIPart(media_type, url, filename)
            case ToolCallPart():
                yield calls.part(part)
            case _:
                pass
