"""Turns stored messages into the UI messages a client shows after a reload."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wakeful.contracts.interrupt import InterruptRecord
from wakeful.contracts.message import (
    ArtifactPart,
    DataPart,
    FilePart,
    InputPart,
    Message,
    MessagePart,
    ReasoningPart,
    ReplyInfo,
    SourcePart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from wakeful.contracts.usage import Usage
from wakeful.protocols.ai_sdk import build, parts
from wakeful.protocols.ai_sdk.dialects import Dialect
from wakeful.protocols.ai_sdk.history_calls import KnownCalls


def ui_messages(
    messages: Sequence[Message], interrupts: Sequence[InterruptRecord] = (), *, dialect: Dialect = "6"
) -> list[parts.UIMessage]:
    """The messages as the client would hold them had it watched every run.

    All steps of a run are one UI message under its first step's id, at that step's place; results are folded into
    their calls, sources and files stand where the stream had them. Input that reached the run later comes before that
    message, which answers it; for a client of major 7 it is a part of it. `interrupts` are those of the runs shown, at
    least of the waiting one: they tell an open approval from a call that still runs, and a front-end call from a
    server's.
    """
    calls = KnownCalls(messages, interrupts, dialect)
    turns: dict[str, _Turn] = {}
    shown: list[_Turn | parts.UIMessage] = []
    for message in messages:
        turn = turns.get(message.run_id) if message.run_id else None
        match message.role:
            case "assistant":
                if turn is None:
                    turn = _Turn(message, calls, dialect)
                    shown.append(turn)
                    if message.run_id:
                        turns[message.run_id] = turn
                turn.add_reply(message)
            case "tool":
                if turn is not None:
                    turn.add_result(message)
            case "user" | "system":
                if turn is None:
                    shown.append(_input(message))
                else:
                    turn.add_input(message)
    return [ready for item in shown for ready in (item.messages() if isinstance(item, _Turn) else [item])]


class _Turn:
    """The answer of one run in the making."""

    def __init__(self, first: Message, calls: KnownCalls, dialect: Dialect) -> None:
        self._first = first
        self._calls = calls
        self._dialect: Dialect = dialect
        self._before: list[parts.UIMessage] = []
        self._parts: list[parts.AnyPart] = []
        self._replies: list[ReplyInfo] = []
        self._called: list[str] = []

    def add_reply(self, message: Message) -> None:
        """A step's reply."""
        self._parts.append(parts.StepStart())
        self._parts.extend(_reply_parts(message, self._calls, self._dialect))
        called = [call.call_id for call in message.tool_calls]
        self._parts.extend(self._calls.asked_by(called))
        self._called.extend(called)
        if message.reply is not None:
            self._replies.append(message.reply)

    def add_result(self, message: Message) -> None:
        """What a call found and made; its result stands with the call."""
        for part in message.parts:
            if isinstance(part, SourcePart | FilePart):
                self._parts.append(_found(part))

    def add_input(self, message: Message) -> None:
        """Input that came meanwhile."""
        said = build.user_parts(_sent(message))
        if self._dialect == "7" and message.role == "user" and said:
            self._parts.append(parts.SteeringMessage(message.id, said))
        else:
            self._before.append(_input(message))

    def messages(self) -> list[parts.UIMessage]:
        """The answer, after the input that it took into account."""
        shown = [*self._parts, *self._calls.questions(self._called)]
        return [*self._before, parts.UIMessage(self._first.id, "assistant", shown, self._metadata())]

    def _metadata(self) -> parts.Metadata | None:
        if self._first.run_id is None:
            return None
        if not self._replies:
            return parts.Metadata(self._first.run_id, self._first.created_at)
        return parts.Metadata(
            self._first.run_id,
            self._first.created_at,
            model=self._replies[-1].model,
            usage=build.usage(sum((reply.usage for reply in self._replies), Usage())),
            duration_ms=sum(reply.duration_ms for reply in self._replies),
        )


def _input(message: Message) -> parts.UIMessage:
    role = "system" if message.role == "system" else "user"
    shown: list[parts.AnyPart] = []
    values = 0
    for part in _sent(message):
        if isinstance(part, DataPart):
            values += 1
            shown.append(build.value(message.id, values, part))
        else:
            shown.extend(build.user_parts([part]))
    return parts.UIMessage(message.id, role, shown)


def _sent(message: Message) -> list[InputPart]:
    return [part for part in message.parts if isinstance(part, TextPart | FilePart | DataPart)]


def _reply_parts(message: Message, calls: KnownCalls, dialect: Dialect) -> Iterable[parts.AnyPart]:
    reply, values = message.parts, 0
    for index, part in enumerate(reply):
        match part:
            case DataPart():
                values += 1
                yield build.value(message.id, values, part)
            case ArtifactPart():
                yield build.artifact(message.id, part)
            case TextPart(text):
                cited = _cited(reply[index + 1 :]) if dialect == "7" else ()
                yield parts.Text(text, "done", tuple(build.citation(source) for source in cited))
            case ReasoningPart(text) if text:
                yield parts.Reasoning(text, "done")
            case FilePart() | SourcePart():
                yield _found(part)
            case ToolCallPart():
                yield calls.part(part)
            case ReasoningPart() | ToolResultPart():
                pass


def _cited(after: Sequence[MessagePart]) -> Iterable[SourcePart]:
    """The sources that directly follow a text: they support it."""
    for part in after:
        if not isinstance(part, SourcePart):
            return
        yield part


def _found(part: SourcePart | FilePart) -> parts.SourceUrl | parts.SourceDocument | parts.File:
    return parts.File(part.media_type, part.url, part.filename) if isinstance(part, FilePart) else build.source(part)
