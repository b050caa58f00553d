"""Stored messages as the updates of a replay, under the ids a live turn gave them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
from wakeful.protocols.acp import calls, content, wire


def updates(messages: Sequence[Message], cwd: str) -> Iterator[wire.Update]:
    """What the client would have been shown, message by message. What the system said is not shown."""
    open_calls: dict[str, str] = {}
    for message in messages:
        match message.role:
            case "user":
                for part in message.parts:
                    if isinstance(part, TextPart | FilePart | DataPart):
                        yield wire.UserChunk(content.of_input(part), message.id)
            case "assistant":
                for part in message.parts:
                    yield from _said(message, part, cwd, open_calls)
            case "tool":
                yield from _results(message, cwd, open_calls)
            case "system":
                pass


def before(messages: Sequence[Message], run_id: str) -> list[Message]:
    """What precedes the log of a run: the thread up to its first reply, its own input included."""
    own = [message.run_id == run_id and message.role in {"assistant", "tool"} for message in messages]
    first = own.index(True) if True in own else len(messages)
    return list(messages[:first])


def _said(message: Message, part: MessagePart, cwd: str, open_calls: dict[str, str]) -> Iterator[wire.Update]:
    match part:
        case TextPart(text) if text:
            yield wire.AgentChunk(content.text(text), message.id)
        case ReasoningPart(text) if text:
            yield wire.ThoughtChunk(content.text(text), f"{message.id}/thought")
        case FilePart() | DataPart():
            yield wire.AgentChunk(content.of_input(part), message.id)
        case SourcePart():
            link = content.of_source(part)
            if link is not None:
                yield wire.AgentChunk(link, message.id)
        case ArtifactPart():
            message_id = f"{message.id}/artifact/{part.id}"
            if part.name:
                yield wire.AgentChunk(content.text(f"**{part.name}**\n\n"), message_id)
            for item in part.parts:
                yield wire.AgentChunk(content.of_input(item), message_id)
        case ToolCallPart(call_id, name, written):
            open_calls[call_id] = f"{message.id}/{call_id}"
            arguments = calls.read_arguments(written)
            yield wire.ToolCall(
                open_calls[call_id],
                calls.title(name, arguments),
                name,
                calls.kind(name),
                "pending",
                raw_input=calls.raw_input(written),
                locations=calls.locations(arguments, cwd),
            )
        case _:
            pass


def _results(message: Message, cwd: str, open_calls: dict[str, str]) -> Iterator[wire.Update]:
    shown: list[wire.Content | wire.Diff] = [
        wire.Content(block) for part in message.parts if (block := _beside(part)) is not None
    ]
    for part in message.parts:
        if isinstance(part, ToolResultPart) and part.call_id in open_calls:
            yield wire.ToolCallUpdate(
                open_calls.pop(part.call_id),
                status="completed" if part.status == "succeeded" else "failed",
                raw_input=None if part.arguments is None else calls.raw_input(part.arguments),
                raw_output=content.plain(part.output),
                content=[*shown, *calls.result(part.output, part.status, cwd)] or None,
            )


def _beside(part: MessagePart) -> wire.Block | None:
    match part:
        case FilePart():
            return content.of_file(part)
        case SourcePart():
            return content.of_source(part)
        case _:
            return None
