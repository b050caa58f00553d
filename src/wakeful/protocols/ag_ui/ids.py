"""The ids of messages on the wire, the same in a live stream and in history."""

from __future__ import annotations


class MessageIds:
    """Names the messages of one step.

    The first text and all tool calls belong to the step's own id, further texts are `<id>:<n>`, reasoning is
    `<id>:r<n>`. After a restart that showed something, the new attempt's messages go on counting.
    """

    def __init__(self, base: str) -> None:
        self._base = base
        self._parent = base
        self._messages = 1
        self._reasonings = 0
        self._used = False
        self._texts = 0

    def restart(self, base: str) -> None:
        """The messages named so far are void."""
        if base != self._base:
            self._base = self._parent = base
            self._messages, self._reasonings = 1, 0
        elif self._used:
            self._parent = self._count()
        self._used, self._texts = False, 0

    def parent(self) -> str:
        """The message that holds the tool calls."""
        self._used = True
        return self._parent

    def next_text(self) -> str:
        """The id of the next text message."""
        self._texts += 1
        return self.parent() if self._texts == 1 else self._count()

    def next_reasoning(self) -> str:
        """The id of the next reasoning message."""
        self._reasonings += 1
        return f"{self._base}:r{self._reasonings}"

    def _count(self) -> str:
        self._messages += 1
        return f"{self._base}:{self._messages}"
