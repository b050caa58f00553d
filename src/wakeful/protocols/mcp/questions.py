"""A run's questions as elicitations, and what the user said as decisions (MCP 2025-11-25 and 2026-07-28, elicitation).

A form is a flat object of texts, numbers and booleans. A question whose answer has another shape is asked for as one
field `answer`, in JSON where it is no plain text. A question that is answered on a page of the web is a URL elicitation
where the client knows those.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.interrupt import ASK_AUTHORISATION, Decision, Interrupt, InterruptRecord
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.client import Client

METHOD = "elicitation/create"
PLAIN = frozenset({"string", "number", "integer", "boolean"})
WORDLESS = "The client asks you to carry out"
WORDLESS_PAGE = "Please open this page."
PAGE_KEY = "x-wakeful-url"
"""The keyword of an answer's schema that names the page where the user answers instead of filling in a form."""


def open_questions(records: Sequence[InterruptRecord]) -> tuple[Interrupt, ...]:
    """Those without an answer, in order."""
    return tuple(record.interrupt for record in records if record.decision is None)


def elicitation(interrupt: Interrupt, client: Client, *, id: str | None = None) -> JsonObject:
    """The parameters of `elicitation/create`: a page to visit where the client can do that, else a form.

    `id` is the elicitation's, which pages of the old era have.
    """
    url = page_of(interrupt) if client.visits else None
    if url is None:
        return {"mode": "form", "message": _words(interrupt), "requestedSchema": _form(interrupt)}
    named: JsonObject = {} if id is None else {"elicitationId": id}
    return {"mode": "url", "message": interrupt.message or WORDLESS_PAGE, "url": url, **named}


def can_be_asked(interrupt: Interrupt, client: Client) -> bool:
    """Whether the client can put this question to its user."""
    return client.elicits or (client.visits and page_of(interrupt) is not None)


def page_of(interrupt: Interrupt) -> str | None:
    """The page on the web where a question is answered; None for one that is answered with words."""
    if interrupt.kind == "frontend_tool" and interrupt.tool == ASK_AUTHORISATION:
        try:
            url = msgspec.json.decode(interrupt.arguments, type=dict[str, JsonValue]).get("url")
        except (msgspec.MsgspecError, UnicodeError):
            url = None
    else:
        url = (interrupt.response_schema or {}).get(PAGE_KEY)
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else None


def input_requests(interrupts: Sequence[Interrupt], client: Client) -> JsonObject:
    """Open questions by their ids, as a result asks for them (multi round-trip requests)."""
    return {one.id: {"method": METHOD, "params": elicitation(one, client)} for one in interrupts}


def decision(interrupt: Interrupt, answer: JsonObject | None) -> Decision:
    """What an elicitation's result decides; None stands for a client that failed to ask.

    Only an accepted form with `approved: true` approves. Who went to a page has answered with that, `true` for a right
    that was asked for. Raises `Refused` for a result that is none.
    """
    action, content = _read(answer)
    if interrupt.kind == "approval":
        approved = action == "accept" and content.get("approved") is True
        return Decision(interrupt.id, approved=approved, reason=None if approved else f"The user chose: {action}.")
    if action != "accept":
        return Decision(interrupt.id, output="The user did not answer.", failed=True)
    if page_of(interrupt) is not None and not content:
        return Decision(interrupt.id, output=True if interrupt.response_schema is None else {})
    return Decision(interrupt.id, output=_output(interrupt, content))


def unfit(interrupt: Interrupt, problem: str) -> Decision:
    """The decision for an answer that cannot be used, where the client cannot be asked again."""
    return Decision(interrupt.id, approved=False, output=problem, failed=interrupt.kind != "approval", reason=problem)


def _read(answer: JsonObject | None) -> tuple[str, JsonObject]:
    if answer is None:
        return "cancel", {}
    action, content = answer.get("action"), answer.get("content")
    if action not in ("accept", "decline", "cancel"):
        raise wire.Refused(wire.INVALID_PARAMS, "expected an answer's action to be accept, decline or cancel")
    return str(action), wire.as_object(content) or {}


def _words(interrupt: Interrupt) -> str:
    call = f"{interrupt.tool}({interrupt.arguments})"
    match interrupt.kind:
        case "approval":
            return f"{interrupt.message or 'May this run?'}\n{call}"
        case "frontend_tool":
            if interrupt.tool == ASK_AUTHORISATION:
                return f"{interrupt.message}\n{page_of(interrupt) or ''}".strip()
            return interrupt.message or f"{WORDLESS} {call}"
        case "question":
            return interrupt.message or call


def _form(interrupt: Interrupt) -> JsonObject:
    if interrupt.kind == "approval":
        field: JsonObject = {"type": "boolean", "title": "Approve", "description": f"Let {interrupt.tool} run"}
        return {"type": "object", "properties": {"approved": field}, "required": ["approved"]}
    schema = interrupt.response_schema
    if schema is not None and _flat(schema):
        return {key: schema[key] for key in ("type", "properties", "required") if key in schema}
    return {"type": "object", "properties": {"answer": _one_field(schema)}, "required": ["answer"]}


def _flat(schema: JsonObject) -> bool:
    properties = wire.as_object(schema.get("properties"))
    if schema.get("type") != "object" or not properties:
        return False
    return all((wire.as_object(one) or {}).get("type") in PLAIN for one in properties.values())


def _one_field(schema: JsonObject | None) -> JsonObject:
    kind = "string" if schema is None else schema.get("type")
    if kind in PLAIN:
        return {"type": kind, "title": "Answer"}
    described = msgspec.json.encode(schema).decode()
    return {"type": "string", "title": "Answer", "description": f"JSON that fits this schema: {described}"}


def _output(interrupt: Interrupt, content: JsonObject) -> JsonValue:
    schema = interrupt.response_schema
    if schema is not None and _flat(schema):
        return content
    answer = content.get("answer")
    if schema is None or schema.get("type") in PLAIN or not isinstance(answer, str):
        return answer
    try:
        return msgspec.json.decode(answer)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return answer
