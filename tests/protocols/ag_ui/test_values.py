"""Values and artifacts: what a client of AG-UI is told of them is what history has, in the same messages."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wakeful.contracts import event as log
from wakeful.contracts.event import LogEntry
from wakeful.contracts.message import DataPart, Message, TextPart
from wakeful.engine.accumulate import Accumulator
from wakeful.protocols.ag_ui.encode import Encoder
from wakeful.protocols.ag_ui.history import ag_ui_messages

Recorded = Callable[[str], list[LogEntry]]


def events(entries: Sequence[LogEntry]) -> list[dict[str, Any]]:
    encoder = Encoder(run_id="run-1", thread_id="t", client_run_id="client", protocol_version="1.0")
    return [json.loads(frame) for entry in entries for frame in encoder.encode(entry)]


def replies(entries: Sequence[LogEntry]) -> list[Message]:
    """What an engine stores of the steps that were completed."""
    stored: list[Message] = []
    for entry in entries:
        match entry.event:
            case log.StepStarted(step, message_id):
                reply = Accumulator(message_id=message_id, run_id="run-1", step=step, provider="demo", created_at=0)
            case log.ModelCallFinished():
                stored.append(reply.message())
            case log.SourceCited(_, str()) | log.FileGenerated(_, str()) | log.ToolProgressed():
                pass
            case event if type(event) in log.DELTAS:
                reply.add(event)
            case _:
                pass
    return stored


class Page:
    """What a client holds that keeps texts and what comes beside them, by message."""

    def __init__(self, found: Sequence[dict[str, Any]]) -> None:
        self.texts: dict[str, str] = {}
        self.beside: dict[str, dict[str, list[Any]]] = {}
        for event in found:
            if event["type"] == "TEXT_MESSAGE_CONTENT":
                self.texts[event["messageId"]] = self.texts.get(event["messageId"], "") + event["delta"]
            elif event["type"] == "CUSTOM" and "messageId" in event["value"] and "reason" not in event["value"]:
                self.take(event["name"], dict(event["value"]))

    def take(self, name: str, value: dict[str, Any]) -> None:
        beside = self.beside.setdefault(value.pop("messageId"), {})
        match name:
            case "data":
                beside.setdefault("data", []).append(value)
            case "artifact":
                self.change(beside.setdefault("artifacts", []), value)
            case "source" | "file":
                beside.setdefault(f"{name}s", []).append(value)
            case _:
                pass

    def change(self, artifacts: list[Any], change: dict[str, Any]) -> None:
        part, append = change.pop("part"), change.pop("append")
        del change["last"]
        made = next((artifact for artifact in artifacts if artifact["id"] == change["id"]), None)
        if made is None:
            made = {"parts": []}
            artifacts.append(made)
        made |= change
        if not append:
            made["parts"].clear()
        last = made["parts"][-1] if made["parts"] else {"type": None}
        if part["type"] == last["type"] == "text":
            last["text"] += part["text"]
        else:
            made["parts"].append(part)


def assert_same(entries: Sequence[LogEntry]) -> None:
    stored = replies(entries)
    complete = {message.id for message in stored}
    shown = json.loads(msgspec.json.encode(ag_ui_messages(stored)))
    page = Page(events(entries))

    texts = {
        message["id"]: message["content"]
        for message in shown
        if message.get("content") and message["role"] == "assistant"
    }
    beside = {message["id"]: message["metadata"] for message in shown if "metadata" in message}
    assert {name: text for name, text in page.texts.items() if name.partition(":")[0] in complete} == texts
    assert {
        name: found for name, found in page.beside.items() if found and name.partition(":")[0] in complete
    } == beside


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_client_that_folds_what_it_is_told_holds_what_history_has(
    data: st.DataObject, logs: st.SearchStrategy[list[LogEntry]], void: Any
) -> None:
    entries = [entry for entry in data.draw(logs) if getattr(entry.event, "delta", None) != ""]

    assert_same(void(entries).undisturbed)


@pytest.mark.parametrize("name", ["data_and_artifacts", "artifact_restarted"])
def test_values_and_artifacts_of_a_recording_are_those_of_its_history(name: str, recorded: Recorded, void: Any) -> None:
    assert_same(void(recorded(name)).undisturbed)


def test_what_a_restarted_step_made_is_told_to_be_void(recorded: Recorded) -> None:
    found = [event["value"] for event in events(recorded("artifact_restarted")) if event["type"] == "CUSTOM"]
    (void,) = [value["messageId"] for value in found if "reason" in value]
    left = [value["messageId"] for value in found if "reason" not in value]

    assert void == "msg-1"
    assert left[:5] == ["msg-1"] * 5
    assert set(left[5:]) == {"msg-1:a2"}


def test_what_the_agent_is_about_is_told_and_not_kept(recorded: Recorded) -> None:
    found = [event["value"] for event in events(recorded("data_and_artifacts")) if event.get("name") == "status"]

    assert found == [{"message": "looking"}, {"message": "writing"}]


def test_a_users_values_are_in_the_metadata_of_the_message() -> None:
    stored = Message("m", "user", (TextPart("look"), DataPart({"a": 1}, "form")), 0)

    (shown,) = json.loads(msgspec.json.encode(ag_ui_messages([stored])))

    assert (shown["content"], shown["metadata"]) == ("look", {"data": [{"data": {"a": 1}, "name": "form"}]})
