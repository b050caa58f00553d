"""The ids of messages on the wire, the same in a live stream and in history."""

from __future__ import annotations


class MessageIds:
    """Names the messages of one step.

    The first text and all tool calls belong to the step's own id, further texts are `<id>:<n>`, reasoning is
    `<id>:r<n>`. Attempt n of a step that began again counts from `<id>:a<n>` instead of `<id>`: a client may know
    ids of the void attempt that no log has. History, which knows only what counts, gives the step's own id.
    """

    def __init__(self, message_id: str, *, attempt: int = 1) -> None:
        self._mark = "" if attempt == 1 else f":a{attempt}"
        self._base = message_id + self._mark
        self._texts = 0
        self._reasonings = 0
        self._latest_text = self._base
        self._given: dict[str, None] = {}

    @property
    def given(self) -> list[str]:
        """All ids given so far, in order."""
        return list(self._given)

    @property
    def likely(self) -> tuple[str, str]:
        """The first text's and the first reasoning's id: what a client may know of an attempt that no log has."""
        return self._base, f"{self._base}:r1"

    @property
    def latest_text(self) -> str:
        """The text given last, else the first to be given: where sources and files belong."""
        return self._latest_text

    def parent(self) -> str:
        """The message that holds the tool calls."""
        return self._give(self._base)

    def next_text(self) -> str:
        """The id of the next text message."""
        self._texts += 1
        self._latest_text = self._base if self._texts == 1 else f"{self._base}:{self._texts}"
        return self._give(self._latest_text)

    def next_reasoning(self) -> str:
        """The id of the next reasoning message."""
        self._reasonings += 1
        return self._give(f"{self._base}:r{self._reasonings}")

    def result_of(self, call_id: str) -> str:
        """The id of the result of a call that nobody answered."""
        return self._give(f"{call_id}{self._mark}:result")

    def _give(self, message_id: str) -> str:
        self._given[message_id] = None
        return message_id
