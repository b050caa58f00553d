"""What a waiting task asks, and what a message to it answers.

The status message of a task that waits has one text per open question, and in `metadata.questions` what a program
needs: `[{interruptId, kind, question, tool, arguments?, schema?, url?}]`. `kind` is `approval` or `question`.

An approval is given by `approved: true` and nothing else: a data part `{"approved": true}`, or the same JSON as text.
A question is answered by a text or a data part. With several questions open each answer is a data part that names its
question: `{"interruptId": …, "approved": …}` or `{"interruptId": …, "output": …}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from wakeful.contracts.interrupt import ASK_AUTHORISATION, Decision, Interrupt
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import DataPart, FilePart, InputPart, TextPart
from wakeful.protocols.a2a.faults import invalid
from wakeful.protocols.a2a.wire import Message, Part, State

FIELD = "message.parts"
LONGEST_ARGUMENTS = 2000
HOW_TO_APPROVE = 'Answer with a data part {"approved": true} or {"approved": false}.'


def state_of(interrupts: Sequence[Interrupt]) -> State:
    """AUTH_REQUIRED while any of them asks for a right, else INPUT_REQUIRED."""
    asks_right = any(one.kind == "approval" or one.tool == ASK_AUTHORISATION for one in interrupts)
    return State.AUTH_REQUIRED if asks_right else State.INPUT_REQUIRED


def asked(interrupts: Sequence[Interrupt], *, task_id: str, context_id: str) -> Message:
    """The agent's message that asks these questions."""
    return Message(
        message_id=interrupts[0].id if interrupts else f"{task_id}-question",
        context_id=context_id,
        task_id=task_id,
        role="ROLE_AGENT",
        parts=tuple(Part(text=_words(one)) for one in interrupts),
        metadata={"questions": [_facts(one) for one in interrupts]},
    )


def answers(open_ones: Sequence[Interrupt], parts: Sequence[InputPart], message_id: str) -> tuple[Decision, ...] | None:
    """The decisions a message stands for; None when it answers none of the approvals it was asked for.

    Raises `Fault` when it cannot be told which question it answers.
    """
    named = [found for part in parts if (found := _object(part)) is not None and "interruptId" in found]
    if named:
        return tuple(_named(open_ones, found, message_id) for found in named)
    questions = [one for one in open_ones if one.kind != "approval"]
    if len(questions) == 1:
        return (Decision(questions[0].id, output=_output(questions[0], parts), decision_id=message_id),)
    if questions:
        ids = ", ".join(one.id for one in questions)
        raise invalid(FIELD, f'several questions are open ({ids}): answer with data parts {{"interruptId", "output"}}')
    verdict = next((found for part in parts if (found := _object(part)) is not None and "approved" in found), None)
    if verdict is None:
        return None
    if len(open_ones) > 1:
        ids = ", ".join(one.id for one in open_ones)
        raise invalid(
            FIELD, f'several approvals are open ({ids}): answer with data parts {{"interruptId", "approved"}}'
        )
    return (_verdict(open_ones[0], verdict, message_id),)


def given(decision: Decision) -> Part:
    """A decision as a part of the user's message that brought it."""
    if decision.approved is not None:
        said: JsonObject = {"approved": decision.approved}
        if decision.reason:
            said["reason"] = decision.reason
        return Part(data=said)
    return Part(text=decision.output) if isinstance(decision.output, str) else Part(data=decision.output)


# The questions.


def _words(interrupt: Interrupt) -> str:
    if interrupt.kind == "approval":
        arguments = interrupt.arguments
        if len(arguments) > LONGEST_ARGUMENTS:
            arguments = f"{arguments[:LONGEST_ARGUMENTS]}…"
        question = interrupt.message or f"May {interrupt.tool} be called with {arguments}?"
        return f"{question} {HOW_TO_APPROVE}"
    address = _arguments(interrupt).get("url")
    question = _question(interrupt)
    return f"{question} {address}" if isinstance(address, str) else question


def _question(interrupt: Interrupt) -> str:
    found = interrupt.message or _arguments(interrupt).get("question")
    return found if isinstance(found, str) and found else f"What is the result of {interrupt.tool}?"


def _facts(interrupt: Interrupt) -> JsonObject:
    facts: JsonObject = {
        "interruptId": interrupt.id,
        "kind": "approval" if interrupt.kind == "approval" else "question",
        "question": _words(interrupt),
        "tool": interrupt.tool,
    }
    arguments = _arguments(interrupt)
    if interrupt.kind != "question" and arguments:
        facts["arguments"] = arguments
    if isinstance(arguments.get("url"), str):
        facts["url"] = arguments["url"]
    if interrupt.response_schema is not None:
        facts["schema"] = interrupt.response_schema
    return facts


def _arguments(interrupt: Interrupt) -> JsonObject:
    return _parsed_object(interrupt.arguments) or {}


# The answers.


def _named(open_ones: Sequence[Interrupt], found: JsonObject, message_id: str) -> Decision:
    target = found["interruptId"]
    interrupt = next((one for one in open_ones if one.id == target), None)
    if interrupt is None:
        raise invalid(FIELD, f"no open question has the interruptId {target!r}; look at metadata.questions")
    if interrupt.kind == "approval":
        return _verdict(interrupt, found, message_id)
    if "output" not in found:
        raise invalid(FIELD, f"the answer to {target} has no 'output'")
    return Decision(interrupt.id, output=found["output"], decision_id=message_id)


def _verdict(interrupt: Interrupt, found: JsonObject, message_id: str) -> Decision:
    """Only an explicit true approves."""
    approved = found.get("approved") is True
    reason, arguments = found.get("reason"), found.get("arguments")
    if arguments is not None and not isinstance(arguments, dict):
        raise invalid(FIELD, "'arguments' are no object; expected the call's arguments")
    return Decision(
        interrupt.id,
        approved=approved,
        reason=reason if isinstance(reason, str) else None,
        decision_id=message_id,
        arguments=cast("JsonObject", arguments) if approved else None,
    )


def _output(interrupt: Interrupt, parts: Sequence[InputPart]) -> JsonValue:
    """A data part's value, else the text; where the question has a schema, text may be the JSON that fits it."""
    data = [part.data for part in parts if isinstance(part, DataPart)]
    if len(data) > 1 or any(isinstance(part, FilePart) for part in parts):
        raise invalid(FIELD, "the answer to a question is text or one data part")
    if data:
        return data[0]
    text = "".join(part.text for part in parts if isinstance(part, TextPart))
    if interrupt.response_schema is None or interrupt.response_schema.get("type") == "string":
        return text
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _object(part: InputPart) -> JsonObject | None:
    """The JSON object a part is, or has as its text."""
    match part:
        case DataPart(data):
            return cast("JsonObject", data) if isinstance(data, dict) else None
        case TextPart(text):
            return _parsed_object(text)
        case FilePart():
            return None


def _parsed_object(text: str) -> JsonObject | None:
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return cast("JsonObject", found) if isinstance(found, dict) else None
