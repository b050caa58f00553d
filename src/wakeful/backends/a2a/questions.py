"""What the other side asks, as calls of `ask_user` and `ask_authorisation`; and what was answered, as parts for it.

A server that puts `questions` into the metadata of its message (`[{interruptId, kind, question, schema?, url?}]`) is
answered by name, with data parts; any other with the answer as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

import msgspec
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import ParseDict

from wakeful.backends.a2a.failures import words
from wakeful.backends.a2a.incoming import Message, Status
from wakeful.contracts.backend import BackendChunk
from wakeful.contracts.event import ToolCallDelta, ToolCallProposed
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import ToolCallPart, ToolResultPart

MOST_QUESTIONS = 16
LONGEST_SCHEMA = 16_384
DECLINED = "The user would not answer."
UNSAID = "The remote agent waits for an answer."
APPROVAL: JsonObject = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}


class _Asked(msgspec.Struct, frozen=True, rename="camel"):
    """One question as its server describes it."""

    interrupt_id: str
    question: str = ""
    kind: Literal["approval", "question"] = "question"
    schema: JsonObject | None = None
    url: str | None = None


class _Arguments(msgspec.Struct, frozen=True, omit_defaults=True):
    """A question as the arguments of its call; `remote` is its id over there."""

    question: str
    schema: JsonObject | None = None
    url: str | None = None
    remote: str | None = None
    approval: bool = False


def asking(status: Status, *, call_id: str) -> list[BackendChunk]:
    """The calls that ask what a waiting task asks; their ids begin with `call_id`."""
    tool = ASK_AUTHORISATION if status.state == "TASK_STATE_AUTH_REQUIRED" else ASK_USER
    found = _named(status.message)
    if not found:
        text = words(status.message.text) if status.message else ""
        return _call(call_id, tool, _Arguments(text or UNSAID))
    chunks: list[BackendChunk] = []
    for number, one in enumerate(found):
        approval = one.kind == "approval"
        arguments = _Arguments(
            words(one.question) or UNSAID,
            APPROVAL if approval else one.schema,
            one.url,
            one.interrupt_id,
            approval,
        )
        chunks += _call(f"{call_id}:{number}", tool if approval or one.url else ASK_USER, arguments)
    return chunks


def answering(calls: Sequence[ToolCallPart], results: Sequence[ToolResultPart]) -> list[pb.Part]:
    """The parts that answer the calls of `asking`."""
    given = {result.call_id: result for result in results}
    return [_part(_arguments(call), given[call.call_id]) for call in calls if call.call_id in given]


def all_declined(results: Sequence[ToolResultPart]) -> bool:
    """Whether none of the questions was answered."""
    return all(result.status != "succeeded" for result in results)


def json_part(value: JsonValue) -> pb.Part:
    """A data part."""
    part = pb.Part()
    ParseDict(value, part.data)
    return part


def _named(message: Message | None) -> tuple[_Asked, ...]:
    """The questions by name, none unless all of them can be read."""
    listed = (message.metadata or {}).get("questions") if message else None
    if not isinstance(listed, list) or len(cast("list[JsonValue]", listed)) > MOST_QUESTIONS:
        return ()
    try:
        found = msgspec.convert(listed, tuple[_Asked, ...])
    except msgspec.ValidationError:
        return ()
    if any(one.schema and len(msgspec.json.encode(one.schema)) > LONGEST_SCHEMA for one in found):
        return ()
    return found


def _call(call_id: str, tool: str, arguments: _Arguments) -> list[BackendChunk]:
    return [ToolCallProposed(call_id, tool), ToolCallDelta(call_id, msgspec.json.encode(arguments).decode())]


def _arguments(call: ToolCallPart) -> _Arguments:
    return msgspec.json.decode(call.arguments, type=_Arguments)


def _part(asked: _Arguments, given: ToolResultPart) -> pb.Part:
    declined = given.status != "succeeded"
    output: JsonValue = given.output
    if asked.remote is None:
        answer = DECLINED if declined else output
        return pb.Part(text=answer) if isinstance(answer, str) else json_part(answer)
    if asked.approval:
        said = cast("JsonObject", output) if isinstance(output, dict) else {}
        approved = not declined and said.get("approved") is True
        return json_part({**said, "interruptId": asked.remote, "approved": approved})
    return json_part({"interruptId": asked.remote, "output": None if declined else output})
