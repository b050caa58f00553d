"""The answer to a call, made of what its run wrote: the last message of an agent, or the value of a tool."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import ArtifactPart, DataPart, FilePart, Message, TextPart, ToolResultPart
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import wire
from wakeful.protocols.mcp.tools import THREAD_KEY

RUN_KEY = "wakeful/runId"
NATURAL = frozenset({"answered", "stop_on_tool", "stop_on_text", "steered"})


def failed(message: str) -> JsonObject:
    """The result of a call that could not even begin."""
    return {"content": [{"type": "text", "text": message}], "isError": True}


def of_run(run: Run, messages: Sequence[Message], *, is_tool: bool) -> JsonObject:
    """The result of a run that is finished; `messages` are those it wrote."""
    made = _of_tool(run, messages) if is_tool else _of_agent(run, messages)
    return {**made, "_meta": {RUN_KEY: run.id, THREAD_KEY: run.thread_id}}


def waiting(run: Run, questions: Sequence[str]) -> JsonObject:
    """The result for a client that cannot be asked: the run goes on waiting for an answer from elsewhere."""
    asked = "; ".join(questions)
    text = (
        f"Run {run.id} waits for an answer that this client cannot give: {asked}. "
        "Declare the elicitation capability, or answer it over another protocol."
    )
    return {**failed(text), "_meta": {RUN_KEY: run.id, THREAD_KEY: run.thread_id}}


def _of_agent(run: Run, messages: Sequence[Message]) -> JsonObject:
    answers = [message for message in messages if message.role == "assistant"]
    last = answers[-1] if answers else None
    text = last.text if last else ""
    problem = _problem(run)
    blocks = [block for part in (last.parts if last else ()) for block in _blocks(part)]
    shown: list[JsonValue] = [{"type": "text", "text": text}] if text or not blocks else []
    if problem is not None:
        shown = [{"type": "text", "text": problem}, *([{"type": "text", "text": text}] if text else [])]
    structured: JsonObject = {
        "text": text,
        "threadId": run.thread_id,
        "runId": run.id,
        "stopReason": run.stop_reason or "",
        "usage": {"inputTokens": run.usage.input_tokens, "outputTokens": run.usage.output_tokens},
    }
    return {"content": [*shown, *blocks], "structuredContent": structured, "isError": problem is not None}


def _problem(run: Run) -> str | None:
    """Why a finished run is no success."""
    if run.status is RunStatus.FAILED:
        return f"The agent failed: {run.error.message}" if run.error else "The agent failed."
    if run.status is RunStatus.CANCELLED:
        return "The run was cancelled."
    if run.stop_reason in NATURAL:
        return None
    return f"The agent was stopped before it was done ({run.stop_reason})."


def _of_tool(run: Run, messages: Sequence[Message]) -> JsonObject:
    parts = [part for message in messages for part in message.parts]
    result = next((part for part in parts if isinstance(part, ToolResultPart)), None)
    if result is None:
        return failed(_problem(run) or "The tool was not called.")
    text = result.output if isinstance(result.output, str) else msgspec.json.encode(result.output).decode()
    made: JsonObject = {
        "content": [{"type": "text", "text": text}, *(block for part in parts for block in _blocks(part))],
        "isError": result.status != "succeeded",
    }
    return made if wire.as_object(result.output) is None else {**made, "structuredContent": result.output}


def _blocks(part: object) -> list[JsonValue]:
    """A part of an answer that is no plain text, as content."""
    match part:
        case FilePart():
            return [_file(part)]
        case DataPart():
            return [_json({"name": part.name, "data": part.data} if part.name else part.data)]
        case ArtifactPart():
            inside = [
                {"type": "text", "text": one.text} if isinstance(one, TextPart) else _blocks(one)[0]
                for one in part.parts
            ]
            return [*([{"type": "text", "text": f"# {part.name}"}] if part.name else []), *inside]
        case _:
            return []


def _json(value: JsonValue) -> JsonObject:
    return {"type": "text", "text": msgspec.json.encode(value).decode()}


def _file(part: FilePart) -> JsonObject:
    """Inline pictures and sounds as such, other inline files as resources, linked ones as links."""
    if not part.url.startswith("data:"):
        link: JsonObject = {"type": "resource_link", "uri": part.url, "name": part.filename or part.url}
        return {**link, "mimeType": part.media_type}
    data = part.url.partition(",")[2]
    family = part.media_type.partition("/")[0]
    if family in ("image", "audio"):
        return {"type": family, "data": data, "mimeType": part.media_type}
    uri = f"attachment:{part.filename or 'file'}"
    return {"type": "resource", "resource": {"uri": uri, "mimeType": part.media_type, "blob": data}}
