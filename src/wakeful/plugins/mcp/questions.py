"""What a server asks the user in the middle of a call: its elicitations as our questions, one at a time. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from wakeful.contracts.errors import ToolError, ToolQuestion
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.tool import CallAnswer
from wakeful.plugins.mcp.listing import plain_text

if TYPE_CHECKING:
    from mcp.types import ElicitRequestFormParams, ElicitRequestURLParams, InputRequiredResult

    ElicitParams = ElicitRequestFormParams | ElicitRequestURLParams

LONGEST_QUESTION = 4096
LONGEST_NOTE = 131_072
MAX_QUESTIONS = 16
PAGE_KEY = "x-wakeful-url"
"""The keyword of an answer's schema that names the page where the user answers; the answer itself has no fields."""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """One elicitation: a form with a `schema`, or a page to visit at `url`."""

    key: str
    message: str
    schema: JsonObject | None = None
    url: str | None = None


class Note(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a call stands with its questions; kept in the open question, as JSON.

    `request_state` is the server's own, returned as it came. `open` are the questions still to be asked, `given` the
    elicitation results (`{"action", "content"?}`) so far, by key.
    """

    request_state: str | None = None
    open: tuple[Asked, ...] = ()
    given: Mapping[str, JsonObject] = {}


def asked(key: str, params: ElicitParams) -> Asked:
    """An elicitation (MCP 2026-07-28, "Elicitation") as data; raises `ToolError` for a page that is not on the web."""
    message = plain_text(params.message, LONGEST_QUESTION)
    if params.mode == "url":
        if not params.url.startswith(("https://", "http://")):
            raise ToolError("The MCP server asked the user to open something that is no web page.")
        return Asked(key, message, url=plain_text(params.url, 2000))
    return Asked(key, message, schema=params.requested_schema)


def asked_in(result: InputRequiredResult) -> Note:
    """The questions of an unfinished result (MCP 2026-07-28, "Multi round-trip requests").

    Raises `ToolError` when it asks for what was not offered, or for too much.
    """
    questions: list[Asked] = []
    for key, request in (result.input_requests or {}).items():
        if request.method != "elicitation/create":
            raise ToolError(f"The MCP server asked for {request.method}, which is not offered.")
        questions.append(asked(key, request.params))
    if len(questions) > MAX_QUESTIONS:
        raise ToolError(f"The MCP server asked {len(questions)} questions at once; expected at most {MAX_QUESTIONS}.")
    return Note(result.request_state, tuple(questions))


def fingerprint(params: ElicitParams) -> str:
    """What an elicitation says, as a short key for one that came without any."""
    said = msgspec.json.encode(params.model_dump(mode="json", include={"mode", "message", "requested_schema", "url"}))
    return hashlib.sha256(said).hexdigest()[:16]


def question(server: str, note: Note) -> ToolQuestion:
    """The first open question of a note, for the user; raises `ToolError` when it is too large to be kept."""
    first = note.open[0]
    resume = msgspec.json.encode(note).decode()
    if len(resume) > LONGEST_NOTE:
        raise ToolError(f"The MCP server's question has more than {LONGEST_NOTE} bytes.")
    text = f"The MCP server {server} asks: {first.message}"
    if first.url is not None:
        return ToolQuestion(f"{text}\nPlease open {first.url}", schema=_visit(first.url), resume=resume)
    return ToolQuestion(text, schema=first.schema, resume=resume)


def _visit(url: str) -> JsonObject:
    return {"type": "object", "properties": {}, PAGE_KEY: url}


def noted(answer: CallAnswer | None) -> Note:
    """The note a call goes on from: with the answer to its first open question, or blank."""
    if answer is None or answer.resume is None:
        return Note()
    note = msgspec.json.decode(answer.resume, type=Note)
    if not note.open:
        return note
    first, *rest = note.open
    given = {**note.given, first.key: _result(first, answer)}
    return msgspec.structs.replace(note, open=tuple(rest), given=given)


def _result(first: Asked, answer: CallAnswer) -> JsonObject:
    if answer.declined:
        return {"action": "decline"}
    if first.url is not None:
        return {"action": "accept"}
    content: JsonValue = answer.output
    if not isinstance(content, dict):
        raise ToolError("The answer to the MCP server's question is no JSON object.")
    return {"action": "accept", "content": content}
