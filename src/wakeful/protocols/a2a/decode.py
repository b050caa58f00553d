"""Reads what a client sends: ProtoJSON (camelCase or the proto's own names, null for absent) into our requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import msgspec
from msgspec import UNSET

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import DataPart, FilePart, InputPart, TextPart
from wakeful.contracts.request import InputMessage
from wakeful.protocols.a2a.faults import CONTENT_TYPE_NOT_SUPPORTED, INVALID_PARAMS, Fault, Violation, invalid
from wakeful.protocols.a2a.wire import Message, Part, PushConfig, SendRequest, State
from wakeful.server.files import Files, check_type, essence

T = TypeVar("T")
FREE = frozenset({"data", "metadata"})
"""What is the client's own JSON."""
OUTPUT_MODES = ("text/plain", "application/json")
ENUMS = frozenset({"role", "status"})
"""Fields that are enums, whose values ProtoJSON lets be numbers, too."""
USER = frozenset({"ROLE_USER", "1"})
STATES = (
    State.SUBMITTED,
    State.WORKING,
    State.COMPLETED,
    State.FAILED,
    State.CANCELED,
    State.INPUT_REQUIRED,
    State.REJECTED,
    State.AUTH_REQUIRED,
)
STATE_NUMBERS = {"0": ""} | {str(number): found.value for number, found in enumerate(STATES, start=1)}
ANY_MODE = frozenset({"text", "text/*", "application/*", "*", "*/*"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that was sent, and how it is to be answered. `task_id` is the task it is for, None: a new one."""

    message: InputMessage
    message_id: str
    task_id: str | None
    context_id: str | None
    history_length: int | None
    at_once: bool
    push: PushConfig | None


def read(value: JsonValue, shape: type[T]) -> T:
    """A request in its shape; raises `Fault`."""
    if not isinstance(value, dict):
        raise Fault(INVALID_PARAMS, "the request is no JSON object")
    try:
        return msgspec.convert(_tidy(cast("JsonValue", value)), shape, strict=False)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        raise invalid(path.strip("`").removeprefix("$.") or "request", problem) from None


def sent(request: SendRequest, files: Files) -> Sent:
    """The message of a request; raises `Fault`."""
    message, configuration = request.message, request.configuration
    _check(message)
    modes = [essence(mode) for mode in configuration.accepted_output_modes]
    if modes and not any(mode in ANY_MODE or mode in OUTPUT_MODES for mode in modes):
        raise Fault(
            CONTENT_TYPE_NOT_SUPPORTED,
            f"none of the acceptedOutputModes can be made; expected one of {', '.join(OUTPUT_MODES)}",
        )
    metadata = {**(request.metadata or {}), **(message.metadata or {})}
    parts = tuple(_part(part, at, files) for at, part in enumerate(message.parts))
    return Sent(
        message=InputMessage("user", parts, message.message_id, metadata or None),
        message_id=message.message_id,
        task_id=message.task_id or None,
        context_id=message.context_id or None,
        history_length=history_length(configuration.history_length),
        at_once=configuration.return_immediately,
        push=configuration.task_push_notification_config,
    )


def history_length(length: int | None) -> int | None:
    """How many messages of a task's history are wanted, None: all; raises `Fault`."""
    if length is not None and length < 0:
        raise invalid("historyLength", f"expected 0 or more, found {length}")
    return length


def state(name: str) -> State | None:
    """A task state by its name or its number in the proto, None for no filter; raises `Fault`."""
    name = STATE_NUMBERS.get(name, name)
    if name in ("", "TASK_STATE_UNSPECIFIED"):
        return None
    try:
        return State(name)
    except ValueError:
        raise invalid("status", f"expected one of {', '.join(State)}; found {name!r}") from None


def moment(text: str) -> int | None:
    """A time as milliseconds since the epoch, None for no filter; raises `Fault`."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is None:
            raise ValueError
        return int(found.timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise invalid("statusTimestampAfter", f"expected a time such as 2026-01-31T12:00:00Z, found {text!r}") from None


def _check(message: Message) -> None:
    found: list[Violation] = []
    if message.role not in USER:
        found.append(Violation("message.role", f"expected ROLE_USER, found {message.role!r}"))
    if not message.message_id.strip():
        found.append(Violation("message.messageId", "is missing"))
    if not message.parts:
        found.append(Violation("message.parts", "expected at least one part"))
    for at, part in enumerate(message.parts):
        content = [field for field in (part.text, part.raw, part.url, part.data) if field is not UNSET]
        if len(content) != 1:
            found.append(
                Violation(f"message.parts[{at}]", f"expected exactly one of text, raw, url, data; found {len(content)}")
            )
    if found:
        text = "; ".join(f"{violation.field}: {violation.description}" for violation in found)
        raise Fault(INVALID_PARAMS, text, violations=found)


def _part(part: Part, at: int, files: Files) -> InputPart:
    if isinstance(part.text, str):
        return TextPart(part.text)
    if part.data is not UNSET:
        name = (part.metadata or {}).get("name")
        return DataPart(part.data, name if isinstance(name, str) else "")
    try:
        return _file(part, files)
    except BadRequest as error:
        raise invalid(f"message.parts[{at}]", error.message) from None


def _file(part: Part, files: Files) -> FilePart:
    media_type = part.media_type or ""
    if media_type:
        _check_type(media_type)
    if isinstance(part.raw, str):
        return files.admit_content(
            part.raw.replace("-", "+").replace("_", "/"), media_type=media_type, filename=part.filename
        )
    return files.admit_url(str(part.url), media_type=part.media_type, filename=part.filename)


def _check_type(media_type: str) -> None:
    try:
        check_type(essence(media_type))
    except BadRequest as error:
        raise Fault(CONTENT_TYPE_NOT_SUPPORTED, error.message) from None


def _tidy(value: JsonValue) -> JsonValue:
    """The same with names in camelCase and without nulls; what is the client's own stays as it is."""
    if isinstance(value, dict):
        fields = ((camel_case(name), _named(name, found)) for name, found in cast("JsonObject", value).items())
        return {
            name: found if name in FREE else _tidy(found)
            for name, found in fields
            if found is not None or name == "data"
        }
    if isinstance(value, list):
        return [_tidy(item) for item in cast("Sequence[Any]", value)]
    return value


def _named(name: str, value: JsonValue) -> JsonValue:
    """The field's value, a number of an enum as its text."""
    return str(value) if name in ENUMS and isinstance(value, int) else value


def camel_case(name: str) -> str:
    """A field's JSON name, from that or from the proto's own."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others) if others else name
