"""Gives every tool call of a reply an id that is unique in its thread."""

from __future__ import annotations

from collections.abc import Callable

from wakeful.contracts.model import ModelRequest


def call_count(request: ModelRequest) -> int:
    """How many tool calls the thread holds so far."""
    return sum(len(message.tool_calls) for message in request.messages)


class CallIds:
    """The call ids of one reply.

    A vendor's own id is kept where it gave one that is new. Servers that give none, or `call_0` in every reply, get
    `call_<n>` with n counted over the whole thread, so the same request always yields the same ids.
    """

    def __init__(self, request: ModelRequest, mint: Callable[[int], str] = "call_{}".format) -> None:
        self._taken = {call.call_id for message in request.messages for call in message.tool_calls}
        self._count = call_count(request)
        self._mint = mint

    def claim(self, given: str | None = None) -> str:
        """An id nobody has: `given` when it is one, else a minted one."""
        self._count += 1
        call_id = given or self._mint(self._count)
        number = self._count
        while call_id in self._taken:
            call_id = self._mint(number)
            number += 1
        self._taken.add(call_id)
        return call_id
