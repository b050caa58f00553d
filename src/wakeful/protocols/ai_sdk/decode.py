"""Reads an AI SDK chat request: the new turn and the answers to open questions, nothing of the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, cast

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import FilePart, TextPart
from wakeful.contracts.request import InputMessage, Replacement, RunRequest
from wakeful.contracts.run import RunOptions
from wakeful.protocols.ai_sdk import wire
from wakeful.protocols.ai_sdk.dialects import OPTION, Dialect, read_dialect
from wakeful.protocols.ai_sdk.parts import QuestionData
from wakeful.server.files import Files

ROLES: dict[str, Literal["user", "system"]] = {"user": "user", "system": "system"}

_body = msgspec.json.Decoder(wire.ChatRequest)
_part: msgspec.json.Decoder[str | wire.SentPart] = msgspec.json.Decoder(str | wire.SentPart)


class Chat(msgspec.Struct, frozen=True):
    """A decoded request. `dialect` is the major version its body asks to be answered in, if any."""

    request: RunRequest
    dialect: Dialect | None


def decode(body: bytes, files: Files, *, thread_id: str | None = None, agent_id: str | None = None) -> Chat:
    """The request in `body`; ids from the path win over ids in the body, `files` admits what comes with it.

    Raises `BadRequest`.

    `messages` of the result are the user and system messages after the last assistant message; parts of kinds that
    bring no input are left out, as clients do with parts they do not know. When the last message is an assistant's,
    its answered approvals and front-end calls become `decisions` instead. An answer to be given again comes with the
    messages before it, one of which may never have arrived: the thread knows them by their ids. Model, system prompt
    and settings in the body have no effect: those are the operator's.
    """
    request = _parse(body)
    again = request.trigger == "regenerate-message"
    if request.messages is None and not again:
        raise BadRequest(_no_messages(request))
    sent = request.messages or []
    turn = _new_turn(sent)
    _check_ids(sent, len(turn))
    messages = _read([message for message in turn if message.id] if again else turn, files)
    decisions = () if again else _decisions(sent)
    if not messages and not decisions and not again:
        raise BadRequest("nothing new to answer: expected user text, a file, an approval or a tool output at the end")
    run_request = RunRequest(
        replace=_replacement(request, messages),
        thread_id=_id("thread id", thread_id, request.thread_camel, request.thread_snake, request.id),
        run_id=_id("run id", request.run_camel, request.run_snake),
        agent_id=_id("agent id", agent_id, request.agent_camel, request.agent_snake),
        messages=messages,
        decisions=decisions,
        options=RunOptions(state=_state(request.state)),
    )
    return Chat(run_request, read_dialect(f"'{OPTION}'", request.version))


def _check_ids(messages: Sequence[wire.ChatMessage], new: int) -> None:
    """Each of the last `new` messages is known by its id alone, so no other one may have that."""
    uses = Counter(message.id for message in messages)
    for message in messages[len(messages) - new :]:
        if message.id and uses[message.id] > 1:
            raise BadRequest(f"expected every new message to have an id of its own, found {message.id!r} twice")


def _state(sent: JsonValue) -> JsonObject | None:
    """The shared state a client sends; None when there is nothing in it."""
    if sent is None or sent in ("", [], {}):
        return None
    if not isinstance(sent, dict):
        raise BadRequest(f"expected 'state' to be a JSON object, found {msgspec.json.encode(sent).decode()[:40]}")
    return cast("JsonObject", sent)  # which is what decoded JSON objects are


def _replacement(request: wire.ChatRequest, messages: tuple[InputMessage, ...]) -> Replacement | None:
    """An answer to be given again, or an edited message: the client sends it under the id it has in the thread."""
    message_id = _id("messageId", request.message_id)
    if request.trigger == "regenerate-message":
        return Replacement("answer", message_id)
    if message_id is not None and messages and messages[-1].id == message_id:
        return Replacement("message", message_id)
    return None


def _parse(body: bytes) -> wire.ChatRequest:
    try:
        return _body.decode(body.decode())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the body is not a chat request: {error}") from None


def _no_messages(request: wire.ChatRequest) -> str:
    if request.session_id is not None or request.input is not None:
        return "a body with 'sessionId' and 'input' is no longer understood; send 'id' and 'messages'"
    return "'messages' is missing; expected a list of UI messages"


def _id(name: str, *candidates: str | None) -> str | None:
    """The first id given; blank ones are refused wherever they stand."""
    given = [candidate for candidate in candidates if candidate is not None]
    if any(not candidate.strip() for candidate in given):
        raise BadRequest(f"id must not be blank: {name}; leave it out to have one chosen")
    return given[0] if given else None


def _new_turn(messages: Sequence[wire.ChatMessage]) -> list[wire.ChatMessage]:
    turn: list[wire.ChatMessage] = []
    for message in reversed(messages):
        if message.role == "assistant":
            break
        turn.append(message)
    return turn[::-1]


def _parts(message: wire.ChatMessage) -> Iterator[wire.SentPart]:
    content = message.parts or message.content or []
    if isinstance(content, str):
        yield wire.SentPart("text", text=content)
        return
    for raw in content:
        try:
            part = _part.decode(raw)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadRequest(f"a part of the last message cannot be read: {error}") from None
        yield wire.SentPart("text", text=part) if isinstance(part, str) else part


# The new turn.


def _read(turn: Sequence[wire.ChatMessage], files: Files) -> tuple[InputMessage, ...]:
    messages: list[InputMessage] = []
    for message in turn:
        role = ROLES.get(message.role)
        if role is None:
            continue
        parts = tuple(part for sent in _parts(message) if (part := _input_part(sent, files)) is not None)
        if any(isinstance(part, FilePart) or part.text.strip() for part in parts):
            messages.append(InputMessage(role, parts, message.id or None))
    return tuple(messages)


def _input_part(part: wire.SentPart, files: Files) -> TextPart | FilePart | None:
    if part.type == "text":
        return TextPart(part.text) if part.text else None
    if part.type == "file":
        return files.admit_url(part.url or "", media_type=part.media_type, filename=part.filename)
    return None


# The answers.


def _decisions(messages: Sequence[wire.ChatMessage]) -> tuple[Decision, ...]:
    """Answers in the last message; one per target, the last wins. Text sent after them supersedes them."""
    if not messages or messages[-1].role != "assistant":
        return ()
    parts = tuple(_parts(messages[-1]))
    questions = _questions(parts)
    found = (decision for part in parts if (decision := _decision(part, questions)) is not None)
    return tuple({decision.target: decision for decision in found}.values())


def _questions(parts: Iterable[wire.SentPart]) -> dict[str, str]:
    """The calls that ask, and under which interrupt; what was answered is history."""
    open_ones: dict[str, str] = {}
    for part in parts:
        if part.type != "data-question":
            continue
        try:
            asked = msgspec.convert(part.data, QuestionData)
        except msgspec.ValidationError:
            continue
        if asked.answered:
            open_ones.pop(asked.tool_call_id, None)
        else:
            open_ones[asked.tool_call_id] = asked.interrupt_id
    return open_ones


def _decision(part: wire.SentPart, questions: Mapping[str, str]) -> Decision | None:
    if part.type == "tool-approval-response" and part.state is None:
        return _answer(wire.SentApproval(part.approval_id, part.approved, part.reason, part.edited_args), part)
    if not part.type.startswith("tool-") and part.type != "dynamic-tool":
        return None
    if part.state == "output-denied":
        return _answer(msgspec.structs.replace(part.approval or wire.SentApproval(), approved=False), part)
    if part.state == "approval-responded":
        return _answer(part.approval or wire.SentApproval(), part)
    return _output(part, questions)


def _answer(approval: wire.SentApproval, part: wire.SentPart) -> Decision | None:
    """An approval's answer: only an explicit `true` approves, with the model's arguments or edited ones."""
    target = approval.id if isinstance(approval.id, str) else part.tool_call_id
    if not target:
        return None
    approved = approval.approved is True
    edited = approval.edited_args if approved else None
    if edited is not None and not isinstance(edited, dict):
        raise BadRequest(f"'editedArgs' of the approval {target!r} are no object; expected the call's arguments")
    reason = approval.reason if isinstance(approval.reason, str) else None
    return Decision(target, approved=approved, reason=reason, arguments=edited)


def _output(part: wire.SentPart, questions: Mapping[str, str]) -> Decision | None:
    """A front-end call's result, or the answer to what a call asks; an error is a refusal to say.

    A call that does not ask and was put to approval, or answered by the server, is history.
    """
    target = questions.get(part.tool_call_id or "")
    done = part.approval is not None or part.provider_executed is True
    if not part.tool_call_id or part.preliminary is True or (target is None and done):
        return None
    if part.state == "output-available":
        return Decision(target or part.tool_call_id, output=part.output)
    if part.state == "output-error":
        return Decision(target or part.tool_call_id, output=part.error_text or "The tool failed.", failed=True)
    return None
