"""Reads a `RunAgentInput`: the new turn and the answers to open questions, nothing of the history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.request import RunRequest
from wakeful.contracts.run import FrontendTool, RunOptions
from wakeful.protocols.ag_ui.base import SnapshotBase, snapshot_base
from wakeful.protocols.ag_ui.sent import RunInput, SentContext, SentMessage, SentResume, SentTool
from wakeful.protocols.ag_ui.turn import after_the_last_answer, new_turn, parts_of
from wakeful.server.files import Files

OTHER_KINDS: dict[type, str] = {bool: "true or false", str: "a text", list: "a list"}
DECLINED = "The user would not answer this question."
NO_PARAMETERS: JsonObject = {"type": "object", "properties": {}}

_body = msgspec.json.Decoder(RunInput)


class Resumption(msgspec.Struct, frozen=True):
    """The answer to one interrupt: what it decides where that is an approval, and where it is a question.

    A `cancelled` one is a refusal that may come late.
    """

    decision: Decision
    answer: Decision
    cancelled: bool

    @property
    def target(self) -> str:
        """The interrupt's id."""
        return self.decision.target


class Input(msgspec.Struct, frozen=True):
    """A decoded request.

    `request.decisions` are all answers, those of `resume` as if all were approvals, and the results of front-end calls,
    which are also in `results`.
    `client_run_id` is to be echoed; `protocol_version` is what the client declared. `held` are the messages it sent,
    where a snapshot may give them back.
    """

    request: RunRequest
    client_run_id: str | None
    protocol_version: str | None
    resume: tuple[Resumption, ...] = ()
    results: tuple[Decision, ...] = ()
    held: SnapshotBase | None = None


def decode(
    body: bytes,
    files: Files,
    *,
    thread_id: str | None = None,
    agent_id: str | None = None,
    strict_ids: bool = False,
) -> Input:
    """The request in `body`; ids from the path win over ids in the body. Raises `BadRequest`.

    `messages` of the result are the user, system and developer messages after the last assistant message; the tool
    messages there and `resume` entries become `decisions`. With `strict_ids` the body must have `threadId`
    and `runId`. The client's run id becomes the run's own only for a new turn: an answer continues a run that has
    an id. Model, system prompt and configuration in the body have no effect: those are the operator's.
    """
    sent = _parse(body)
    thread = _id("threadId", thread_id, sent.thread_camel, sent.thread_snake)
    run = _id("runId", sent.run_camel, sent.run_snake)
    if strict_ids and (thread is None or run is None):
        raise BadRequest(f"'{'threadId' if thread is None else 'runId'}' is missing; expected both threadId and runId")
    messages = new_turn(sent.messages or (), files)
    resume = _resume(sent)
    results = _results(sent.messages or ())
    decisions = tuple({answer.target: answer for answer in [*(entry.decision for entry in resume), *results]}.values())
    if not messages and not decisions:
        raise BadRequest("nothing new to answer: expected a user message, a tool message at the end, or 'resume'")
    request = RunRequest(
        thread_id=thread,
        run_id=run if messages else None,
        agent_id=_id("agentId", agent_id, sent.agent_camel, sent.agent_snake),
        parent_run_id=sent.parent_run_id or None,
        messages=messages,
        decisions=decisions,
        options=RunOptions(_tools(sent.tools or ()), _context(sent.context), _state(sent.state)),
    )
    return Input(request, run, sent.protocol_version, resume, results, snapshot_base(body))


def _parse(body: bytes) -> RunInput:
    try:
        return _body.decode(body.decode())
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise BadRequest(f"the body is not a RunAgentInput: {error}") from None


def _id(name: str, *candidates: str | None) -> str | None:
    """The first id given; blank ones are refused wherever they stand."""
    given = [candidate for candidate in candidates if candidate is not None]
    if any(not candidate.strip() for candidate in given):
        raise BadRequest(f"id must not be blank: {name}; leave it out to have one chosen")
    return given[0] if given else None


# The answers.


def _resume(sent: RunInput) -> tuple[Resumption, ...]:
    """Answers to interrupts; one per interrupt, the last wins."""
    entries = [sent.resume] if isinstance(sent.resume, SentResume) else sent.resume or []
    return tuple({found.target: found for found in map(_resumed, entries)}.values())


def _resumed(entry: SentResume) -> Resumption:
    target = _id("interruptId", entry.interrupt_camel, entry.interrupt_snake)
    if target is None:
        raise BadRequest("a resume entry has no interruptId; expected {interruptId, status, payload}")
    resolved = entry.status == "resolved"
    answer = Decision(target, output=entry.payload) if resolved else Decision(target, output=DECLINED, failed=True)
    return Resumption(_verdict(target, entry, resolved=resolved), answer, entry.status == "cancelled")


def _verdict(target: str, entry: SentResume, *, resolved: bool) -> Decision:
    # A decoder gives an object's keys as texts; `isinstance` cannot say so.
    given = entry.payload
    payload = cast("JsonObject", given) if isinstance(given, dict) else {}
    approved = resolved and payload.get("approved") is True
    edited = payload.get("editedArgs") if approved else None
    if edited is not None and not isinstance(edited, dict):
        raise BadRequest(f"'editedArgs' for the interrupt {target!r} are no object; expected the call's arguments")
    reason = payload.get("reason")
    return Decision(
        target,
        approved=approved,
        reason=reason if isinstance(reason, str) else None,
        arguments=cast("JsonObject | None", edited),
    )


def _results(messages: Sequence[SentMessage]) -> tuple[Decision, ...]:
    """Results of front-end calls; one per call, the last wins."""
    turn = after_the_last_answer(messages)
    answered = (_answered(message) for message in turn if message.role == "tool" and message.tool_call_id)
    return tuple({decision.target: decision for decision in answered}.values())


def _answered(message: SentMessage) -> Decision:
    text = "".join(part.text or "" for part in parts_of(message))
    target = message.tool_call_id or ""
    if message.error:
        return Decision(target, output=message.error if isinstance(message.error, str) else text, failed=True)
    return Decision(target, output=_value(text))


def _value(text: str) -> JsonValue:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return text


# What else comes along.


def _tools(tools: Sequence[SentTool]) -> tuple[FrontendTool, ...]:
    offered: dict[str, FrontendTool] = {}
    for tool in tools:
        if not tool.name.strip():
            raise BadRequest("a tool has a blank name; expected {name, description, parameters}")
        if tool.execute in {None, "frontend"}:
            offered[tool.name] = FrontendTool(tool.name, tool.description or "", tool.parameters or NO_PARAMETERS)
    return tuple(offered.values())


def _context(context: list[SentContext] | JsonObject | None) -> str | None:
    """Context entries as lines of one text."""
    if isinstance(context, dict):
        return f"Context: {_text(context)}" if context else None
    return "\n".join(f"{entry.description or 'Context'}: {_text(entry.value)}" for entry in context or ()) or None


def _state(state: JsonValue) -> JsonObject | None:
    """The client's shared state; every kind of nothing is none."""
    if state in (None, {}, [], ""):
        return None
    if isinstance(state, dict):
        # A decoder gives an object's keys as texts; `isinstance` cannot say so.
        return cast("JsonObject", state)
    kind = next((name for kinds, name in OTHER_KINDS.items() if isinstance(state, kinds)), "a number")
    raise BadRequest(f"expected 'state' to be a JSON object, found {kind}; leave it out when there is none")


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
