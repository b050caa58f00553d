"""A run's questions as requests to the client, and the client's answers as decisions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import msgspec

from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER, Decision, Interrupt
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.protocols.acp import calls, requests
from wakeful.protocols.acp.control import Asked

ALLOW, ALLOW_ALWAYS, REJECT, REJECT_ALWAYS = "allow_once", "allow_always", "reject_once", "reject_always"
ONCE = [
    requests.PermissionOption(ALLOW, "Allow", "allow_once"),
    requests.PermissionOption(REJECT, "Reject", "reject_once"),
]
ANSWER = "answer"
"""The one field of a form for an answer that is no object."""
PRIMITIVES = frozenset({"string", "number", "integer", "boolean"})
DECLINED = "The user declined to answer."
_KEPT = {
    "string": ("title", "description", "default", "minLength", "maxLength", "pattern", "format", "enum", "oneOf"),
    "number": ("title", "description", "default", "minimum", "maximum"),
    "integer": ("title", "description", "default", "minimum", "maximum"),
    "boolean": ("title", "description", "default"),
}
_FORMATS = frozenset({"email", "uri", "date", "date-time"})


def permission(session_id: str, asked: Asked) -> requests.RequestPermission:
    """The request for an approval. Whether a call may run once more is no matter for a rule."""
    tool = asked.interrupt.tool
    ever = [
        requests.PermissionOption(ALLOW_ALWAYS, f"Always allow {tool} in this session", "allow_always"),
        requests.PermissionOption(REJECT_ALWAYS, f"Always reject {tool} in this session", "reject_always"),
    ]
    return requests.RequestPermission(session_id, asked.call, ONCE if asked.again else [*ONCE, *ever])


def chosen(asked: Asked, answer: requests.PermissionAnswer) -> str | None:
    """The option the user chose; None when the turn was cancelled instead. What was not offered is a rejection."""
    if answer.outcome.outcome == "cancelled":
        return None
    offered = {option.option_id for option in permission("", asked).options}
    option_id = answer.outcome.option_id if answer.outcome.outcome == "selected" else None
    return option_id if option_id in offered else REJECT


def permission_decision(asked: Asked, option_id: str) -> Decision:
    """The decision that was chosen."""
    return Decision(asked.interrupt.id, approved=option_id in (ALLOW, ALLOW_ALWAYS))


def ruled(asked: Asked, *, allowed: bool) -> Decision:
    """The decision by a rule, which says so."""
    tool = asked.interrupt.tool
    reason = f"Allowed by rule: {tool} is always allowed in this session."
    return Decision(
        asked.interrupt.id,
        approved=allowed,
        reason=reason if allowed else f"{tool} is always rejected in this session.",
    )


@dataclass(frozen=True, slots=True)
class Form:
    """How a question looks as a form: `wrapped` when its answer is the one field `answer`, `json` when that is text
    which holds JSON.
    """

    schema: JsonObject
    wrapped: bool
    json: bool = False


def form(schema: JsonObject | None) -> Form:
    """The form for an answer of this schema. ACP's forms are objects of primitive fields."""
    if schema is None:
        return _wrap({"type": "string"})
    if _is_primitive(schema):
        return _wrap(_field(schema))
    given = schema.get("properties")
    # The cast says what decoded JSON is made of; `isinstance` alone cannot.
    fields = cast("dict[str, JsonObject]", given) if isinstance(given, dict) else {}
    if schema.get("type") == "object" and fields and all(_is_primitive(field) for field in fields.values()):
        required: JsonValue = schema.get("required")
        shown: JsonObject = {"type": "object", "properties": {name: _field(field) for name, field in fields.items()}}
        return Form(shown | ({"required": required} if isinstance(required, list) else {}), wrapped=False)
    return replace(_wrap({"type": "string", "description": f"JSON that fits {_json(schema)}"}), json=True)


def elicitation(session_id: str, asked: Asked) -> requests.Elicit:
    """The request for an answer."""
    interrupt = asked.interrupt
    schema = form(interrupt.response_schema).schema
    return requests.Elicit(session_id, asked.call.tool_call_id, question(interrupt), schema, "form")


def form_decision(interrupt: Interrupt, answer: requests.ElicitAnswer) -> Decision:
    """The answer that was filled in, or that there is none."""
    if answer.action != "accept" or answer.content is None:
        return Decision(interrupt.id, output=DECLINED, failed=True)
    shape = form(interrupt.response_schema)
    output: JsonValue = answer.content.get(ANSWER) if shape.wrapped else answer.content
    if shape.json and isinstance(output, str):
        output = calls.raw_input(output)
    return Decision(interrupt.id, output=output)


def text_decision(interrupt: Interrupt, said: str) -> Decision:
    """What the user wrote as the answer to a question, as near to its schema as text can be."""
    schema = interrupt.response_schema
    shape = form(schema)
    if schema is None or schema.get("type") == "string":
        return Decision(interrupt.id, output=said)
    value = calls.raw_input(said.strip())
    if not shape.wrapped and not isinstance(value, dict):
        fields: list[str] = list(shape.schema["properties"])
        return Decision(interrupt.id, output={fields[0]: value} if len(fields) == 1 else value)
    return Decision(interrupt.id, output=value)


def question(interrupt: Interrupt) -> str:
    """The question in words."""
    arguments = calls.read_arguments(interrupt.arguments)
    asked = interrupt.message or arguments.get("question")
    words = asked if isinstance(asked, str) and asked else f"{interrupt.tool} {interrupt.arguments} gives?"
    url = arguments.get("url")
    return f"{words}\n{url}" if interrupt.tool == ASK_AUTHORISATION and isinstance(url, str) else words


def invitation(interrupts: Sequence[Interrupt]) -> str:
    """What a client that knows no forms is told: the first question, to be answered by the next prompt."""
    first = interrupts[0]
    words = question(first)
    schema = first.response_schema
    hint = "" if schema is None or schema.get("type") == "string" else f"\nThe answer has to fit {_json(schema)}."
    more = f"\n{len(interrupts) - 1} more questions follow." if len(interrupts) > 1 else ""
    asker = "" if first.tool in (ASK_USER, ASK_AUTHORISATION) else f"{first.tool} asks: "
    return f"\n\n{asker}{words}{hint}{more}\n\nYour next message is the answer."


def _wrap(field: JsonObject) -> Form:
    return Form(
        {"type": "object", "properties": {ANSWER: {"title": "Answer", **field}}, "required": [ANSWER]}, wrapped=True
    )


def _is_primitive(field: JsonValue) -> bool:
    kind = cast("JsonObject", field).get("type") if isinstance(field, dict) else None
    return isinstance(kind, str) and kind in PRIMITIVES


def _field(schema: JsonObject) -> JsonObject:
    """What ACP knows of a primitive schema."""
    kind: str = schema["type"]
    kept = {key: schema[key] for key in _KEPT[kind] if key in schema}
    if kept.get("format") not in _FORMATS:
        kept.pop("format", None)
    return {"type": kind, **kept}


def _json(value: JsonValue) -> str:
    return msgspec.json.encode(value).decode()
