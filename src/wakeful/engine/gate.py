"""Decides about one tool call before it runs: allow it, answer it, or ask."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from wakeful.contracts.errors import ToolError, ToolInputInvalid
from wakeful.contracts.interrupt import Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ResultStatus, ToolCallPart
from wakeful.contracts.tool import Tool
from wakeful.engine.assignment import Assignment

OUTCOME_UNKNOWN = "The server stopped while this call was running. Its outcome is unknown and it was not repeated."
log = logging.getLogger("wakeful.tools")
APPROVAL_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}


@dataclass(frozen=True, slots=True)
class Allow:
    """Run the tool with these checked arguments."""

    call: ToolCallPart
    tool: Tool
    arguments: JsonObject


@dataclass(frozen=True, slots=True)
class Answer:
    """Do not run anything: this is the result."""

    call: ToolCallPart
    status: ResultStatus
    output: JsonValue


@dataclass(frozen=True, slots=True)
class Ask:
    """Wait for a decision."""

    call: ToolCallPart
    interrupt: Interrupt


Verdict = Allow | Answer | Ask


class Gate:
    """Judges the calls of one step.

    `records` are the questions asked about these very calls, `started` the calls that had begun to run. A new step
    has neither, so that no decision is ever taken for another call's.
    """

    def __init__(
        self,
        assignment: Assignment,
        *,
        records: Iterable[InterruptRecord] = (),
        started: frozenset[str] = frozenset(),
    ) -> None:
        self._assignment = assignment
        self._records = {record.interrupt.call_id: record for record in records}
        self._started = started

    def judge(self, call: ToolCallPart, interrupt_id: str) -> Verdict:
        """The verdict on a call; `interrupt_id` names the question if one must be asked."""
        record = self._records.get(call.call_id)
        tool = self._assignment.tools.get(call.name)
        if tool is None:
            return self._judge_frontend(call, record, interrupt_id)
        try:
            arguments = tool.check(_parse(call.arguments))
        except ToolError as error:
            return Answer(call, "failed", error.message)
        except Exception as error:
            log.exception("tool %s could not check its arguments", call.name)
            return Answer(call, "failed", f"The arguments could not be checked: {type(error).__name__}.")
        if call.call_id in self._started and tool.spec.effect == "once":
            return Answer(call, "failed", OUTCOME_UNKNOWN)
        if not tool.spec.approval:
            return Allow(call, tool, arguments)
        return self._judge_approval(call, tool, arguments, record, interrupt_id)

    def decision(self, call: ToolCallPart) -> InterruptRecord | None:
        """The decided question about a call, if there is one."""
        record = self._records.get(call.call_id)
        return record if record and record.decision else None

    def _judge_approval(
        self, call: ToolCallPart, tool: Tool, arguments: JsonObject, record: InterruptRecord | None, interrupt_id: str
    ) -> Verdict:
        if record is None:
            question = f"May {call.name} run?"
            return Ask(call, _interrupt(call, interrupt_id, "approval", question, APPROVAL_SCHEMA))
        if record.decision is None:
            return Ask(call, record.interrupt)
        if record.decision.approved is True:
            return Allow(call, tool, arguments)
        return Answer(call, "denied", _refusal(record.decision))

    def _judge_frontend(self, call: ToolCallPart, record: InterruptRecord | None, interrupt_id: str) -> Verdict:
        spec = self._assignment.frontend.get(call.name)
        if spec is None:
            known = ", ".join([*self._assignment.tools, *self._assignment.frontend]) or "none"
            return Answer(call, "failed", f"There is no tool named {call.name!r}. Available tools: {known}.")
        if record is None:
            return Ask(call, _interrupt(call, interrupt_id, "frontend_tool", "", None))
        if record.decision is None:
            return Ask(call, record.interrupt)
        return Answer(call, "failed" if record.decision.failed else "succeeded", record.decision.output)


def _parse(arguments: str) -> JsonObject:
    try:
        return msgspec.json.decode(arguments, type=JsonObject)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise ToolInputInvalid(f"The arguments are not a JSON object: {error}") from None


def _interrupt(call: ToolCallPart, interrupt_id: str, kind: str, question: str, schema: JsonObject | None) -> Interrupt:
    return Interrupt(
        id=interrupt_id,
        kind="approval" if kind == "approval" else "frontend_tool",
        call_id=call.call_id,
        tool=call.name,
        arguments=call.arguments,
        message=question,
        response_schema=schema,
    )


def _refusal(decision: Decision) -> str:
    return f"The user denied this call: {decision.reason}" if decision.reason else "The user denied this call."
