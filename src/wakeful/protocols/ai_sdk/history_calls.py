"""What became of the tool calls of a thread, as parts of UI messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import UNSET

from wakeful.contracts.interrupt import InterruptRecord
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import Message, ToolCallPart, ToolResultPart
from wakeful.protocols.ai_sdk import build, parts
from wakeful.protocols.ai_sdk.dialects import Dialect


class KnownCalls:
    """Looks up what became of a call. Of several approvals of one call the last counts."""

    def __init__(self, messages: Sequence[Message], interrupts: Sequence[InterruptRecord], dialect: Dialect) -> None:
        self._results: Mapping[str, ToolResultPart] = {
            part.call_id: part for message in messages for part in message.parts if isinstance(part, ToolResultPart)
        }
        asked = [record for record in interrupts if record.interrupt.kind != "question"]
        self._records: Mapping[str, InterruptRecord] = {record.interrupt.call_id: record for record in asked}
        self._questions = [record for record in interrupts if record.interrupt.kind == "question"]
        self._dialect: Dialect = dialect

    def part(self, call: ToolCallPart) -> parts.Tool:
        """The call as a part in its present state."""
        record = self._records.get(call.call_id)
        result = self._results.get(call.call_id)
        return self._open(call, record) if result is None else self._done(call, result, record)

    def questions(self, call_ids: Iterable[str]) -> Iterable[parts.ApprovalRequest]:
        """The approvals asked about those of these calls that have no result, for a client of major 5."""
        for call_id in call_ids if self._dialect == "5" else ():
            record = self._records.get(call_id)
            if record is not None and record.interrupt.kind == "approval" and call_id not in self._results:
                asked = record.interrupt
                yield build.approval_request(asked.id, call_id, asked.tool, build.parse_input(asked.arguments))

    def asked_by(self, call_ids: Iterable[str]) -> Iterable[parts.Question]:
        """What these calls asked while they ran, in the order in which they did."""
        calls = frozenset(call_ids)
        for record in self._questions:
            if record.interrupt.call_id in calls:
                yield build.question(record.interrupt, answered=record.decision is not None)

    def _open(self, call: ToolCallPart, record: InterruptRecord | None) -> parts.Tool:
        approval = self._approval(record)
        if approval is None:
            state = "input-available"
        else:
            state = "approval-requested" if approval.approved is None else "approval-responded"
        return parts.Tool(
            type=f"tool-{call.name}",
            tool_call_id=call.call_id,
            state=state,
            input=_input_of(call, record),
            approval=approval,
        )

    def _done(self, call: ToolCallPart, result: ToolResultPart, record: InterruptRecord | None) -> parts.Tool:
        if result.status == "denied":
            return self._denied(call, result, record)
        by_client = record is not None and record.interrupt.kind == "frontend_tool" and result.status != "cancelled"
        approval = self._approval(record)
        succeeded = result.status == "succeeded"
        return parts.Tool(
            type=f"tool-{call.name}",
            tool_call_id=call.call_id,
            state="output-available" if succeeded else "output-error",
            input=build.parse_input(result.arguments or call.arguments),
            output=result.output if succeeded else UNSET,
            error_text=None if succeeded else build.error_text(result.output),
            provider_executed=not by_client,
            approval=approval if approval and approval.approved else None,
        )

    def _denied(self, call: ToolCallPart, result: ToolResultPart, record: InterruptRecord | None) -> parts.Tool:
        kind, value = f"tool-{call.name}", build.parse_input(result.arguments or call.arguments)
        if self._dialect == "5":
            return parts.Tool(
                type=kind,
                tool_call_id=call.call_id,
                state="output-error",
                input=value,
                error_text=build.denial_text(result.output),
                provider_executed=True,
            )
        approval = self._approval(record)
        refusal = approval if approval and approval.approved is False else None
        return parts.Tool(
            type=kind,
            tool_call_id=call.call_id,
            state="output-denied",
            input=value,
            approval=refusal or parts.Approval(call.call_id, approved=False),
        )

    def _approval(self, record: InterruptRecord | None) -> parts.Approval | None:
        if record is None or record.interrupt.kind != "approval" or self._dialect == "5":
            return None
        asked, decision = record.interrupt, record.decision
        question = asked.message or None if self._dialect == "7" else None
        if decision is None:
            return parts.Approval(asked.id, request_reason=question)
        return parts.Approval(asked.id, decision.approved is True, decision.reason, question)


def _input_of(call: ToolCallPart, record: InterruptRecord | None) -> JsonValue:
    edited = record.decision.arguments if record and record.decision else None
    return build.parse_input(call.arguments) if edited is None else edited
