"""The messages a client holds while it watches, for the snapshot that comes before a question.

A snapshot erases what it leaves out, so there is one only while everything the client holds is known: what it sent, or
was given, and what it was shown since. Activities and reasoning are left out, because clients keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from wakeful.contracts.message import InputPart
from wakeful.protocols.ag_ui.build import said
from wakeful.protocols.ag_ui.messages import (
    AssistantMessage,
    FunctionCall,
    HistoryMessage,
    InputHistoryMessage,
    ToolCall,
    ToolMessage,
)


class Held:
    """Fed what a client is shown; `base` are the messages it held before, None when nobody knows them."""

    def __init__(self, base: Sequence[msgspec.Raw] | None) -> None:
        self._base = base
        self._shown: dict[str, _Reply | HistoryMessage] = {}
        self._callers: dict[str, _Reply] = {}
        self._open: _Reply | None = None

    def open_text(self, message_id: str) -> None:
        """A text of the agent opens."""
        if self._base is not None:
            self._open = self._reply(message_id)
            self._open.text = self._open.text or []

    def more_text(self, delta: str) -> None:
        """More of the open text."""
        if self._open is not None and self._open.text is not None:
            self._open.text.append(delta)

    def open_call(self, message_id: str, call_id: str, name: str) -> None:
        """A call opens in a message of the agent."""
        if self._base is not None:
            caller = self._callers[call_id] = self._reply(message_id)
            caller.calls[call_id] = (name, [])

    def more_arguments(self, call_id: str, delta: str) -> None:
        """More of a call's arguments."""
        caller = self._callers.get(call_id)
        if caller is not None:
            caller.calls[call_id][1].append(delta)

    def result(self, message_id: str, call_id: str, content: str) -> None:
        """The result of a call."""
        if self._base is not None:
            self._shown[message_id] = ToolMessage(message_id, "tool", call_id, content)

    def joined(self, message_id: str, parts: Sequence[InputPart]) -> None:
        """Input of the user joined the run; whoever sent it holds it. Without its body no snapshot is complete."""
        if not parts:
            self._base = None
        elif self._base is not None:
            self._shown[message_id] = InputHistoryMessage(message_id, "user", said(parts))

    def void(self, message_ids: Iterable[str]) -> None:
        """These messages do not count any more."""
        self._open = None
        for message_id in message_ids:
            self._shown.pop(message_id, None)

    def messages(self) -> list[HistoryMessage | msgspec.Raw] | None:
        """All of them in order; None when some are not known."""
        if self._base is None:
            return None
        own = [shown.message() if isinstance(shown, _Reply) else shown for shown in self._shown.values()]
        return [*self._base, *own]

    def _reply(self, message_id: str) -> _Reply:
        found = self._shown.get(message_id)
        if not isinstance(found, _Reply):
            found = self._shown[message_id] = _Reply(message_id)
        return found


class _Reply:
    """A message of the agent that still grows; `text` is None while it has none."""

    __slots__ = ("calls", "id", "text")

    def __init__(self, message_id: str) -> None:
        self.id = message_id
        self.text: list[str] | None = None
        self.calls: dict[str, tuple[str, list[str]]] = {}

    def message(self) -> AssistantMessage:
        calls = [
            ToolCall(call_id, FunctionCall(name, "".join(arguments)))
            for call_id, (name, arguments) in self.calls.items()
        ]
        content = None if self.text is None else "".join(self.text)
        return AssistantMessage(self.id, "assistant", content, calls or None)
