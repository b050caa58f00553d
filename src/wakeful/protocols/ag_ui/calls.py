"""Tool calls: opened once, their arguments shown whether streamed or not, answered once."""

from __future__ import annotations

import msgspec

from wakeful.contracts import event as log
from wakeful.protocols.ag_ui import build, wire
from wakeful.protocols.ag_ui.blocks import Blocks
from wakeful.protocols.ag_ui.held import Held
from wakeful.protocols.ag_ui.segment import Segment
from wakeful.protocols.ag_ui.step import Step

_json = msgspec.json.encode


class Calls:
    """The calls without a result so far."""

    def __init__(self, segment: Segment, step: Step, blocks: Blocks, held: Held) -> None:
        self._segment = segment
        self._step = step
        self._blocks = blocks
        self._held = held
        self._open: dict[str, _Call] = {}

    def propose(self, call_id: str, name: str) -> _Call:
        """A call opens, if it is not open already."""
        call = self._open.get(call_id)
        if call is None:
            self._blocks.close()
            call = self._open[call_id] = _Call(call_id)
            parent = self._step.ids.parent()
            self._segment.put(
                wire.ToolCallStart(
                    tool_call_id=call_id, tool_call_name=name, parent_message_id=parent, timestamp=self._segment.at
                )
            )
            self._held.open_call(parent, call_id, name)
        return call

    def more_arguments(self, call_id: str, delta: str) -> None:
        """More arguments of an open call."""
        call = self._open.get(call_id)
        if call is not None and not call.ended:
            call.streamed = True
            self._segment.more(call.head, delta)
            self._held.more_arguments(call_id, delta)

    def ready(self, event: log.ToolCallReady) -> None:
        """The arguments are complete; shown now when the model did not stream them."""
        call = self.propose(event.call_id, event.name)
        if not call.streamed and not call.ended:
            arguments = event.arguments if event.arguments.strip() else "{}"
            self._segment.put(
                wire.ToolCallArgs(tool_call_id=event.call_id, delta=arguments, timestamp=self._segment.at)
            )
            self._held.more_arguments(event.call_id, arguments)
        self._end(event.call_id, call)

    def finish(self, event: log.ToolCallFinished) -> None:
        """The result of a call, also of one that opened in an earlier segment."""
        call = self._open.pop(event.call_id, None)
        if call is not None:
            self._end(event.call_id, call)
        self._answer(event.message_id, event.call_id, build.content(event.output))

    def call_off(self, reason: str) -> None:
        """Answer what nobody will answer, so that no client takes an open call for its own."""
        for call_id, call in self._open.items():
            self._end(call_id, call)
            self._answer(self._step.ids.result_of(call_id), call_id, reason)
        self._open.clear()

    def end_all(self) -> None:
        """No open call takes more arguments."""
        for call_id, call in self._open.items():
            self._end(call_id, call)

    def _answer(self, message_id: str, call_id: str, content: str) -> None:
        self._segment.put(build.result(message_id, call_id, content, self._segment.at))
        self._held.result(message_id, call_id, content)

    def _end(self, call_id: str, call: _Call) -> None:
        if not call.ended:
            call.ended = True
            self._segment.put(wire.ToolCallEnd(tool_call_id=call_id, timestamp=self._segment.at))


class _Call:
    """A tool call without a result so far. `head` is its `TOOL_CALL_ARGS` up to the delta's value."""

    __slots__ = ("ended", "head", "streamed")

    def __init__(self, call_id: str) -> None:
        self.head = b'{"type":"TOOL_CALL_ARGS","toolCallId":' + _json(call_id) + b',"delta":'
        self.streamed = False
        self.ended = False
