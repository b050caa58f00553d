"""Decides about one tool call before it runs: allow it, answer it, or ask."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ToolError, ToolInputInvalid, ToolQuestion
from wakeful.contracts.interrupt import (
    ASK_AUTHORISATION,
    ASK_USER,
    Decision,
    Interrupt,
    InterruptKind,
    InterruptRecord,
)
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ResultStatus, ToolCallPart
from wakeful.contracts.tool import CallAnswer, Tool, ToolSpec
from wakeful.engine.assignment import Assignment, BackendSource

OUTCOME_UNKNOWN = "The server stopped while this call was running. Its outcome is unknown and it was not repeated."
ATTEMPT_UNKNOWN = "The server had stopped while it was running before: whether that attempt had an effect is unknown."
log = logging.getLogger("wakeful.tools")
APPROVAL_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "reason": {"type": "string"},
        "arguments": {"type": "object"},
    },
    "required": ["approved"],
}


@dataclass(frozen=True, slots=True)
class Allow:
    """Run the tool with these checked arguments; `edited` is their JSON text where a human changed them.

    `answer` is the answer to the question the call asked last.
    """

    call: ToolCallPart
    tool: Tool
    arguments: JsonObject
    edited: str | None = None
    answer: CallAnswer | None = None


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


class _Question(msgspec.Struct):
    """The arguments of a call by which a backend asks."""

    question: str
    schema: JsonObject | None = None


class Gate:
    """Judges the calls of one step.

    `records` are the questions asked about these very calls, oldest first, `started` says how often each call had
    begun to run. A new step has neither, so that no decision is ever taken for another call's.
    """

    def __init__(
        self,
        assignment: Assignment,
        clock: Clock,
        *,
        records: Iterable[InterruptRecord] = (),
        started: Mapping[str, int] | None = None,
    ) -> None:
        self._assignment = assignment
        self._clock = clock
        self._records: dict[str, list[InterruptRecord]] = {}
        for record in records:
            self._records.setdefault(record.interrupt.call_id, []).append(record)
        self._started = started or {}

    def client_runs(self, call: ToolCallPart) -> bool:
        """Whether the client carries the call out."""
        tool = self._assignment.tools.get(call.name)
        return call.name in self._assignment.frontend if tool is None else tool.spec.frontend

    def judge(self, call: ToolCallPart) -> Verdict:
        """The verdict on a call."""
        tool = self._assignment.tools.get(call.name)
        if tool is None:
            return self._judge_offered(call)
        arguments = _checked(tool, call.arguments)
        if isinstance(arguments, str):
            return Answer(call, "failed", arguments)
        return self._judge_frontend(call, tool.spec) if tool.spec.frontend else self._judge_own(call, tool, arguments)

    def _judge_own(self, call: ToolCallPart, tool: Tool, arguments: JsonObject) -> Verdict:
        questions = self._questions(call)
        if questions and questions[-1].decision is None:
            return Ask(call, questions[-1].interrupt)
        answer = _answer(questions[-1]) if questions else None
        if tool.spec.approval:
            return self._judge_approval(call, tool, arguments, answer)
        if tool.spec.effect == "once" and self._starts(call) > len(questions):
            return Answer(call, "failed", OUTCOME_UNKNOWN)
        return Allow(call, tool, arguments, answer=answer)

    def question(self, call: ToolCallPart, asked: ToolQuestion) -> Interrupt:
        """What a running call asks."""
        asking = self._interrupt(call, "question", call.arguments, asked.message, asked.schema)
        return msgspec.structs.replace(asking, resume=asked.resume)

    def decided(self, call: ToolCallPart) -> list[tuple[Interrupt, Decision]]:
        """The questions about a call that were answered, oldest first."""
        records = self._records.get(call.call_id, ())
        return [(record.interrupt, record.decision) for record in records if record.decision]

    def _starts(self, call: ToolCallPart) -> int:
        return self._started.get(call.call_id, 0)

    def _questions(self, call: ToolCallPart) -> list[InterruptRecord]:
        return [record for record in self._records.get(call.call_id, ()) if record.interrupt.kind == "question"]

    def _judge_approval(
        self, call: ToolCallPart, tool: Tool, arguments: JsonObject, answer: CallAnswer | None
    ) -> Verdict:
        records = [one for one in self._records.get(call.call_id, ()) if one.interrupt.kind == "approval"]
        approvals = [record.decision for record in records if record.decision and record.decision.approved is True]
        edited = next((given.arguments for given in reversed(approvals) if given.arguments is not None), None)
        if records and records[-1].decision is None:
            return Ask(call, records[-1].interrupt)
        if records and records[-1].decision is not None and records[-1].decision.approved is not True:
            return Answer(call, "denied", _refusal(records[-1].decision, begun=bool(self._starts(call))))
        granted = len(approvals) + len(self._questions(call))
        cut_off = tool.spec.effect == "once" and 0 < self._starts(call) >= granted
        if cut_off or not approvals:
            return Ask(call, self._approval(call, edited, cut_off=cut_off))
        if edited is None:
            return Allow(call, tool, arguments, answer=answer)
        fitting = _checked(tool, edited)
        if isinstance(fitting, str):
            return Answer(call, "failed", f"The arguments that came with the approval do not fit: {fitting}")
        return Allow(call, tool, fitting, _json(edited), answer)

    def _judge_offered(self, call: ToolCallPart) -> Verdict:
        spec = self._assignment.frontend.get(call.name)
        if spec is None:
            known = ", ".join([*self._assignment.tools, *self._assignment.frontend]) or "none"
            return Answer(call, "failed", f"There is no tool named {call.name!r}. Available tools: {known}.")
        return self._judge_frontend(call, spec)

    def _judge_frontend(self, call: ToolCallPart, spec: ToolSpec) -> Verdict:
        records = self._records.get(call.call_id)
        if not records:
            question, schema = self._asked(call, spec)
            return Ask(call, self._interrupt(call, "frontend_tool", call.arguments, question, schema))
        decision = records[-1].decision
        if decision is None:
            return Ask(call, records[-1].interrupt)
        if self._asks(call) and decision.approved is False and decision.output is None:
            return Answer(call, "denied", decision.reason)
        return Answer(call, "failed" if decision.failed else "succeeded", decision.output)

    def _asks(self, call: ToolCallPart) -> bool:
        """Whether the call is a question of an agent without a model."""
        return isinstance(self._assignment.source, BackendSource) and call.name in (ASK_USER, ASK_AUTHORISATION)

    def _asked(self, call: ToolCallPart, spec: ToolSpec) -> tuple[str, JsonObject | None]:
        """The words and the schema of a question, which an agent without a model writes into its call."""
        if not self._asks(call):
            return "", spec.result
        asked = msgspec.json.decode(call.arguments, type=_Question)
        return asked.question, asked.schema

    def _approval(self, call: ToolCallPart, edited: JsonObject | None, *, cut_off: bool) -> Interrupt:
        question = (
            f"The server stopped while {call.name} was running: it may have happened or not. May it run again?"
            if cut_off
            else f"May {call.name} run?"
        )
        arguments = call.arguments if edited is None else _json(edited)
        return self._interrupt(call, "approval", arguments, question, APPROVAL_SCHEMA)

    def _interrupt(
        self, call: ToolCallPart, kind: InterruptKind, arguments: str, question: str, schema: JsonObject | None
    ) -> Interrupt:
        patience = self._assignment.agent.question_timeout_seconds
        return Interrupt(
            id=self._clock.new_id(),
            kind=kind,
            call_id=call.call_id,
            tool=call.name,
            arguments=arguments,
            message=question,
            response_schema=schema,
            expires_at=None if patience is None else self._clock.now() + round(patience * 1000),
        )


def _answer(record: InterruptRecord) -> CallAnswer:
    decision = record.decision
    declined = decision is None or decision.failed or decision.output is None
    return CallAnswer(decision.output if decision and not declined else None, declined, record.interrupt.resume)


def _checked(tool: Tool, arguments: JsonObject | str) -> JsonObject | str:
    """The arguments, or their JSON text, as the tool takes them; a text says what is wrong with them."""
    try:
        return tool.check(_parsed(arguments) if isinstance(arguments, str) else arguments)
    except ToolError as error:
        return error.message
    except Exception as error:
        log.exception("tool %s could not check its arguments", tool.spec.name)
        return f"The arguments could not be checked: {type(error).__name__}."


def _parsed(arguments: str) -> JsonObject:
    try:
        return msgspec.json.decode(arguments, type=JsonObject)
    except (msgspec.MsgspecError, UnicodeEncodeError) as error:
        raise ToolInputInvalid(f"The arguments are not a JSON object: {error}") from None


def _json(arguments: JsonObject) -> str:
    return msgspec.json.encode(arguments).decode()


def _refusal(decision: Decision, *, begun: bool) -> str:
    refused = f"The user denied this call: {decision.reason}" if decision.reason else "The user denied this call."
    return f"{refused} {ATTEMPT_UNKNOWN}" if begun else refused
