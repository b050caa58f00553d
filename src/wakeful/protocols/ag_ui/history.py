"""Turns stored messages into AG-UI messages, under the ids a stream gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.message import (
    ArtifactPart,
    DataPart,
    FilePart,
    Message,
    MessagePart,
    ReasoningPart,
    SourcePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.protocols.ag_ui import build
from wakeful.protocols.ag_ui.ids import MessageIds
from wakeful.protocols.ag_ui.messages import (
    AssistantMessage,
    FunctionCall,
    HistoryMessage,
    InputHistoryMessage,
    ReasoningMessage,
    ToolCall,
    ToolMessage,
)


def ag_ui_messages(messages: Sequence[Message]) -> list[HistoryMessage]:
    """The messages as the client would hold them had it watched every run.

    One stored reply becomes its reasoning messages, its text message with the tool calls, and a message for each
    further block of text. Calls have the arguments they really ran with. Sources, files, values and artifacts, which
    AG-UI's messages have no place for, are in the metadata of the text they follow, else of the message with the calls.
    """
    edited = {
        part.call_id: part.arguments
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResultPart) and part.arguments is not None
    }
    shown: list[HistoryMessage] = []
    for message in messages:
        match message.role:
            case "assistant":
                shown.extend(_reply(message, edited))
            case "tool":
                shown.extend(_results(message))
            case "user" | "system":
                beside = [part for part in message.parts if isinstance(part, DataPart)]
                said = build.said(message.parts)
                shown.append(InputHistoryMessage(message.id, message.role, said, _metadata(beside)))
    return shown


def before(messages: Sequence[Message], run_id: str) -> list[Message]:
    """What a client is to have before it is shown the whole run: the thread up to the run's first reply, and its input.

    Input that reached the run later stands before its replies too.
    """
    own = [message.run_id == run_id and message.role in {"assistant", "tool"} for message in messages]
    first = own.index(True) if True in own else len(messages)
    later = (message for message in messages[first:] if message.run_id == run_id)
    return [*messages[:first], *(message for message in later if message.role in {"user", "system"})]


def _reply(message: Message, edited: Mapping[str, str]) -> list[HistoryMessage]:
    ids = MessageIds(message.id)
    calls = [
        ToolCall(part.call_id, FunctionCall(part.name, edited.get(part.call_id, part.arguments)))
        for part in message.tool_calls
    ]
    shown: dict[str, HistoryMessage] = {}
    beside: dict[str, list[MessagePart]] = {}
    for part in message.parts:
        match part:
            case ReasoningPart() if part.text or part.encrypted:
                thought = ReasoningMessage(ids.next_reasoning(), "reasoning", part.text, part.encrypted)
                shown[thought.id] = thought
            case TextPart(text):
                message_id = ids.next_text()
                own = message_id == message.id
                shown[message_id] = AssistantMessage(message_id, "assistant", text, (calls or None) if own else None)
            case ToolCallPart() if not message.text and part is message.tool_calls[0]:
                shown[ids.parent()] = AssistantMessage(ids.parent(), "assistant", None, calls)
            case SourcePart() | FilePart() | DataPart() | ArtifactPart():
                beside.setdefault(ids.latest_text, []).append(part)
            case _:
                pass
    for message_id, parts in beside.items():
        whole = shown.get(message_id) or AssistantMessage(message_id, "assistant", None, None)
        shown[message_id] = msgspec.structs.replace(whole, metadata=_metadata(parts))
    return list(shown.values())


def _results(message: Message) -> Iterator[ToolMessage]:
    results = [part for part in message.parts if isinstance(part, ToolResultPart)]
    for number, part in enumerate(results, start=1):
        text = build.content(part.output)
        yield ToolMessage(
            message.id if number == 1 else f"{message.id}:{number}",
            "tool",
            part.call_id,
            text,
            None if part.status == "succeeded" else text or part.status,
            _metadata(message.parts) if number == 1 else None,
        )


def _metadata(parts: Sequence[MessagePart]) -> JsonObject | None:
    """{sources, files, data, artifacts}, of what there is."""
    sources: list[JsonValue] = [build.source(part) for part in parts if isinstance(part, SourcePart)]
    files: list[JsonValue] = [build.file(part) for part in parts if isinstance(part, FilePart)]
    data: list[JsonValue] = [build.value(part) for part in parts if isinstance(part, DataPart)]
    artifacts: list[JsonValue] = [build.artifact(part) for part in parts if isinstance(part, ArtifactPart)]
    found: JsonObject = {"sources": sources, "files": files, "data": data, "artifacts": artifacts}
    return {key: value for key, value in found.items() if value} or None
