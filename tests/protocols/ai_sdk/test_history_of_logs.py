"""History shows what the stream showed: any log, watched and then read again as stored messages, is one UI message."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from wakeful.contracts import event as log
from wakeful.contracts.event import LogEntry
from wakeful.contracts.interrupt import Decision, InterruptRecord
from wakeful.contracts.message import Message, ReplyInfo, ToolCallPart, ToolResultPart
from wakeful.engine.accumulate import Accumulator
from wakeful.protocols.ai_sdk.dialects import DIALECTS, Dialect
from wakeful.protocols.ai_sdk.encode import Encoder
from wakeful.protocols.ai_sdk.history import ui_messages


class Shelf:
    """Stores what an engine stores of a log: replies, results with what calls found, input, questions and answers."""

    def __init__(self, entries: Sequence[LogEntry]) -> None:
        self.messages: list[Message] = []
        self.records: dict[str, InterruptRecord] = {}
        self.found: dict[str, list[Any]] = {}
        self.edited: dict[str, str] = {}
        for entry in entries:
            self.take(entry.event)

    def take(self, event: Any) -> None:
        match event:
            case log.StepStarted() | log.StepRestarted():
                self.reply = Accumulator(
                    message_id=event.message_id, run_id="run-1", step=event.step, provider="demo", created_at=0
                )
            case log.ModelCallFinished():
                info = ReplyInfo(event.model, event.provider, event.usage, event.duration_ms)
                self.messages.append(msgspec.structs.replace(self.reply.message(), reply=info))
            case log.SourceCited(found, str(call_id)) | log.FileGenerated(found, str(call_id)):
                self.found[call_id].append(found)
            case log.MessageCommitted(message_id, "user", parts) if parts:
                self.messages.append(Message(message_id, "user", parts, 0, run_id="run-1"))
            case log.InterruptRaised(interrupt):
                self.records[interrupt.id] = InterruptRecord(interrupt)
            case _ if type(event) in log.DELTAS and not isinstance(event, log.ToolProgressed):
                self.reply.add(event)
            case _:
                self.take_call(event)

    def take_call(self, event: Any) -> None:
        match event:
            case log.ToolCallReady():
                said = self.messages.pop()
                others = [part for part in said.parts if getattr(part, "call_id", None) != event.call_id]
                place = next((n for n, part in enumerate(said.parts) if part not in others), len(others))
                others.insert(place, ToolCallPart(event.call_id, event.name, event.arguments))
                self.messages.append(msgspec.structs.replace(said, parts=tuple(others)))
            case log.InterruptDecided():
                record = self.records[event.interrupt_id]
                decision = Decision(event.interrupt_id, approved=event.approved, reason=event.reason)
                self.records[event.interrupt_id] = msgspec.structs.replace(record, decision=decision)
                if event.arguments is not None:
                    self.edited[event.call_id] = event.arguments
            case log.ToolCallStarted():
                self.found[event.call_id] = []
            case log.ToolCallFinished():
                arguments = self.edited.get(event.call_id)
                result = ToolResultPart(event.call_id, event.name, event.status, event.output, arguments)
                found = self.found.pop(event.call_id, ()) if event.status in {"succeeded", "failed"} else ()
                self.messages.append(Message(event.message_id, "tool", (result, *found), 0, run_id="run-1"))
            case _:
                pass


BESIDE = {"data-approval-request", "data-question"}
"""Questions: history has what is still known of them, with the calls they are about."""


def as_kept(part: dict[str, Any]) -> dict[str, Any]:
    """A part without what only one side knows: a file's name, the question about a call, who ran a denied one."""
    left = {"filename"} if part["type"] == "file" else {"approval"}
    left |= {"providerExecuted"} if part.get("state") == "output-denied" else set()
    return {key: value for key, value in part.items() if key not in left}


@pytest.mark.proves("S27")
@settings(max_examples=300, deadline=None)
@given(data=st.data(), dialect=st.sampled_from(DIALECTS))
def test_a_reload_shows_the_message_that_was_watched(
    data: st.DataObject, dialect: Dialect, logs: st.SearchStrategy[list[LogEntry]], reader: Any, void: Any
) -> None:
    entries = [entry for entry in data.draw(logs) if getattr(entry.event, "delta", None) != ""]
    known = void(entries)
    ended = entries[-1].event
    assume(ended.stop_reason not in {"superseded", "cancelled"} and ended.outcome != "failed")
    replies = sum(isinstance(entry.event, log.ModelCallFinished) for entry in entries)
    assume(replies == sum(isinstance(entry.event, log.StepFinished) for entry in entries) > 0)
    assume(replies == sum(isinstance(entry.event, log.StepStarted) for entry in entries))
    client, encoder = reader(dialect=dialect), Encoder(run_id="run-1", thread_id="thread-1", dialect=dialect)
    for entry in entries:
        frames = encoder.encode(entry)
        for frame in () if known.covers(entry) else frames:
            client.feed(frame)

    shelf = Shelf(entries)
    *_, answer = json.loads(
        msgspec.json.encode(ui_messages(shelf.messages, tuple(shelf.records.values()), dialect=dialect))
    )

    watched = [part for part in client.parts if part["type"] not in BESIDE]
    if answer["parts"][-1] != {"type": "step-start"} and watched[-1] == {"type": "step-start"}:
        watched.pop()  # the empty step that keeps a client from sending its own answers again
    reloaded = [part for part in answer["parts"] if part["type"] not in BESIDE]
    assert [as_kept(part) for part in reloaded] == [as_kept(part) for part in watched]
    assert [part for part in answer["parts"] if part["type"] == "data-question"] == client.of_type("data-question")
    assert answer["id"] == client.message_id
    assert answer["metadata"].keys() <= client.metadata.keys()
