"""Turns stored messages into AG-UI messages, under the ids a stream gave them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from wakeful.contracts.message import FilePart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from wakeful.protocols.ag_ui import wire
from wakeful.protocols.ag_ui.build import content
from wakeful.protocols.ag_ui.ids import MessageIds

MediaKind = Literal["image", "audio", "video", "document"]
MEDIA_KINDS: dict[str, MediaKind] = {"image": "image", "audio": "audio", "video": "video"}


def ag_ui_messages(messages: Sequence[Message]) -> list[wire.HistoryMessage]:
    """The messages as the client would hold them had it watched every run.

    One stored reply becomes its reasoning messages, its text message with the tool calls, and a message for each
    further block of text. Calls have the arguments they really ran with.
    """
    edited = {
        part.call_id: part.arguments
        for message in messages
        for part in message.parts
        if isinstance(part, ToolResultPart) and part.arguments is not None
    }
    shown: list[wire.HistoryMessage] = []
    for message in messages:
        match message.role:
            case "assistant":
                shown.extend(_reply(message, edited))
            case "tool":
                shown.extend(_results(message))
            case "user" | "system":
                shown.append(wire.InputHistoryMessage(message.id, message.role, _input(message)))
    return shown


def before(messages: Sequence[Message], run_id: str) -> list[Message]:
    """What a client is to have before it is shown the whole run: the thread up to the run's first reply, and its input.

    Input that reached the run later stands before its replies too.
    """
    own = [message.run_id == run_id and message.role in {"assistant", "tool"} for message in messages]
    first = own.index(True) if True in own else len(messages)
    later = (message for message in messages[first:] if message.run_id == run_id)
    return [*messages[:first], *(message for message in later if message.role in {"user", "system"})]


def _reply(message: Message, edited: Mapping[str, str]) -> Iterator[wire.HistoryMessage]:
    ids = MessageIds(message.id)
    calls = [
        wire.ToolCall(part.call_id, wire.FunctionCall(part.name, edited.get(part.call_id, part.arguments)))
        for part in message.tool_calls
    ]
    for part in message.parts:
        match part:
            case ReasoningPart() if part.text or part.encrypted:
                yield wire.ReasoningMessage(ids.next_reasoning(), "reasoning", part.text, part.encrypted)
            case TextPart(text):
                message_id = ids.next_text()
                own = message_id == message.id
                yield wire.AssistantMessage(message_id, "assistant", text, (calls or None) if own else None)
            case ToolCallPart() if not message.text and part is message.tool_calls[0]:
                yield wire.AssistantMessage(ids.parent(), "assistant", None, calls)
            case _:
                pass


def _results(message: Message) -> Iterator[wire.ToolMessage]:
    results = [part for part in message.parts if isinstance(part, ToolResultPart)]
    for number, part in enumerate(results, start=1):
        text = content(part.output)
        yield wire.ToolMessage(
            message.id if number == 1 else f"{message.id}:{number}",
            "tool",
            part.call_id,
            text,
            None if part.status == "succeeded" else text or part.status,
        )


def _input(message: Message) -> str | list[wire.TextContent | wire.MediaContent]:
    if not any(isinstance(part, FilePart) for part in message.parts):
        return message.text
    return [shown for part in message.parts if (shown := _content_part(part)) is not None]


def _content_part(part: object) -> wire.TextContent | wire.MediaContent | None:
    match part:
        case TextPart(text):
            return wire.TextContent(text)
        case FilePart(media_type, url):
            kind: MediaKind = MEDIA_KINDS.get(media_type.partition("/")[0], "document")
            head, _, data = url.partition(";base64,")
            inline = head[:5].lower() == "data:" and bool(data)
            return wire.MediaContent(
                kind, wire.Source("data" if inline else "url", data if inline else url, media_type)
            )
        case _:
            return None
