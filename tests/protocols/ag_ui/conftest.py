"""A verifier of AG-UI streams: the official models for the fields, the specification's rules for the order."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import jsonpatch
import jsonpointer
import pytest
from ag_ui.core import Event
from pydantic import BaseModel, TypeAdapter
from tests.protocols.ag_ui.asking import Chat

MODELS: TypeAdapter[Any] = TypeAdapter(Event)
OPENERS = {
    "TEXT_MESSAGE_START": ("text", "messageId"),
    "TOOL_CALL_START": ("call", "toolCallId"),
    "REASONING_START": ("span", "messageId"),
    "REASONING_MESSAGE_START": ("thought", "messageId"),
    "STEP_STARTED": ("step", "stepName"),
    "SUBAGENT_STARTED": ("subagent", "subagentRunId"),
}
CLOSERS = {
    "TEXT_MESSAGE_END": ("text", "messageId"),
    "TOOL_CALL_END": ("call", "toolCallId"),
    "REASONING_END": ("span", "messageId"),
    "REASONING_MESSAGE_END": ("thought", "messageId"),
    "STEP_FINISHED": ("step", "stepName"),
    "SUBAGENT_FINISHED": ("subagent", "subagentRunId"),
    "SUBAGENT_ERROR": ("subagent", "subagentRunId"),
}
INSIDE = {
    "TEXT_MESSAGE_CONTENT": ("text", "messageId"),
    "TOOL_CALL_ARGS": ("call", "toolCallId"),
    "REASONING_MESSAGE_CONTENT": ("thought", "messageId"),
}


def unknown_fields(model: BaseModel) -> list[str]:
    """Names in `model` and below that its type does not declare."""
    found = list(model.model_extra or {})
    for value in dict(model).values():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, BaseModel):
                found += unknown_fields(item)
    return found


class History:
    """What a client holds. Source: `apply/default.ts` of npm `@ag-ui/client` 0.0.59 and 1.0.0."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.state: Any = {}
        self.misfits = 0

    @property
    def transcript(self) -> list[dict[str, Any]]:
        """What is shown and sent, under the ids of an undisturbed run."""
        text = json.dumps([message for message in self.messages if message["role"] != "activity"])
        return json.loads(re.sub(r":a\d+", "", text))

    def apply(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "TEXT_MESSAGE_START" | "REASONING_MESSAGE_START":
                self.open(event["messageId"], event["role"]).setdefault("content", "")
            case "TEXT_MESSAGE_CONTENT" | "REASONING_MESSAGE_CONTENT":
                message = self.open(event["messageId"], "")
                assert message["role"] in {"assistant", "reasoning"}, "text for a message of another kind is dropped"
                message["content"] += event["delta"]
            case "TOOL_CALL_START":
                function = {"name": event["toolCallName"], "arguments": ""}
                call = {"id": event["toolCallId"], "type": "function", "function": function}
                if self.owner(event["toolCallId"]) is None:
                    self.open(event["parentMessageId"], "assistant").setdefault("toolCalls", []).append(call)
            case "TOOL_CALL_ARGS":
                self.call(event["toolCallId"])["function"]["arguments"] += event["delta"]
            case "TOOL_CALL_RESULT":
                self.add_result(event)
            case "ACTIVITY_SNAPSHOT":
                self.open(event["messageId"], "activity").clear()
                self.open("", "").update(id=event["messageId"], role="activity", content=event["content"])
            case "MESSAGES_SNAPSHOT":
                self.take_snapshot(event["messages"])
            case _:
                self.apply_state(event)

    def apply_state(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "STATE_SNAPSHOT":
                self.state = event["snapshot"]
            case "STATE_DELTA":
                self.change_state(event["delta"])
            case _:
                pass

    def take_snapshot(self, messages: list[dict[str, Any]]) -> None:
        """Own activities stay, own reasoning stays unless the snapshot has some, everything else is replaced."""
        given = {message["id"]: message for message in messages}
        own = {"activity"} if any(m["role"] == "reasoning" for m in messages) else {"activity", "reasoning"}
        kept = [given.pop(m["id"], m) for m in self.messages if m["id"] in given or m["role"] in own]
        self.messages = [*kept, *given.values()]

    def change_state(self, patch: list[dict[str, Any]]) -> None:
        """Clients leave out a change that does not fit."""
        try:
            self.state = jsonpatch.apply_patch(self.state, patch)
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException):
            self.misfits += 1

    def open(self, message_id: str, role: str) -> dict[str, Any]:
        """The message with this id, made when there is none; an emptied one has the id ""."""
        found = next((message for message in self.messages if message.get("id", "") == message_id), None)
        if found is None:
            found = {"id": message_id, "role": role}
            self.messages.append(found)
        return found

    def owner(self, call_id: str) -> int | None:
        found = (n for n, m in enumerate(self.messages) if any(c["id"] == call_id for c in m.get("toolCalls", [])))
        return next(found, None)

    def call(self, call_id: str) -> dict[str, Any]:
        return next(call for m in self.messages for call in m.get("toolCalls", []) if call["id"] == call_id)

    def add_result(self, event: dict[str, Any]) -> None:
        place = self.owner(event["toolCallId"])
        place = len(self.messages) if place is None else place + 1
        while place < len(self.messages) and self.messages[place]["role"] == "tool":
            place += 1
        kept = {"id": event["messageId"], "role": "tool", "toolCallId": event["toolCallId"]}
        self.messages.insert(place, kept | {"content": event["content"]})


class Verifier:
    """AG-UI 1.0, event ordering; source: the verifier of npm `@ag-ui/client` 1.0.0. `modern` clients declared 1.0."""

    def __init__(self, *, modern: bool) -> None:
        self.modern = modern
        self.history = History()
        self.events: list[dict[str, Any]] = []
        self.open: set[tuple[str, str]] = set()
        self.started = False
        self.ended = False
        self.calls: set[str] = set()
        self.results: set[str] = set()
        self.messages: set[str] = set()
        self.subagents: set[str] = set()

    def begin(self) -> None:
        """A new response arrives; what the client learned stays."""
        self.started = self.ended = False
        self.open.clear()
        self.subagents.clear()

    def feed(self, frame: bytes) -> None:
        assert b"\n" not in frame
        assert b"\r" not in frame
        event = json.loads(frame)
        assert all(value is not None for value in event.values())
        assert unknown_fields(MODELS.validate_json(frame)) == []
        assert isinstance(event["timestamp"], int)
        self.check_order(event)
        self.check_dialect(event)
        self.history.apply(event)
        self.events.append(event)

    def check_order(self, event: dict[str, Any]) -> None:
        kind = event["type"]
        if kind == "RUN_STARTED":
            assert not self.started or self.ended
            self.begin()
            self.started = True
            return
        assert self.started, f"{kind} before RUN_STARTED"
        assert not self.ended, f"{kind} after the end"
        if kind in OPENERS:
            self.check_opener(kind, event)
        elif kind in CLOSERS:
            item = (CLOSERS[kind][0], event[CLOSERS[kind][1]])
            assert item in self.open, f"{kind} without its start"
            self.open.remove(item)
        elif kind in INSIDE:
            assert (INSIDE[kind][0], event[INSIDE[kind][1]]) in self.open, f"{kind} without its start"
        elif kind == "TOOL_CALL_RESULT":
            assert ("call", event["toolCallId"]) not in self.open
            assert event["toolCallId"] not in self.results
            self.results.add(event["toolCallId"])
        elif kind == "CUSTOM" and event["name"] == "step_restarted":
            assert {family for family, _ in self.open} == {"step"}, f"{self.open} outlived the attempt"
            self.calls.clear()
            self.results.clear()
        elif kind in {"RUN_FINISHED", "RUN_ERROR"}:
            assert not self.open, f"{kind} while {self.open} are open"
            self.ended = True

    def check_opener(self, kind: str, event: dict[str, Any]) -> None:
        family, key = OPENERS[kind]
        assert (family, event[key]) not in self.open
        self.open.add((family, event[key]))
        if family in {"text", "call"}:
            assert not {name for name, _ in self.open} & {"span", "thought"}, "reasoning is still open"
        if family in {"text", "span"}:
            assert event[key] not in self.messages, "a message id is used twice"
            self.messages.add(event[key])
        if family == "subagent":
            assert event[key] not in self.subagents, "a subagent begins twice in one run"
            self.subagents.add(event[key])
        if family == "call":
            assert event["toolCallId"] not in self.calls
            self.calls.add(event["toolCallId"])

    def check_dialect(self, event: dict[str, Any]) -> None:
        outcome = event.get("outcome") if event["type"] == "RUN_FINISHED" else None
        assert self.modern or not event["type"].startswith("SUBAGENT_")
        if outcome is not None and not self.modern:
            assert outcome["type"] == "interrupt"
        if outcome is not None and outcome["type"] == "interrupt":
            assert outcome["interrupts"]
            assert all(value is not None for interrupt in outcome["interrupts"] for value in interrupt.values())


@pytest.fixture(scope="session")
def verifier() -> type[Verifier]:
    """`verifier(modern=…)` is a fresh client; `.feed(frame)` raises `AssertionError` on what a real one refuses."""
    return Verifier


@pytest.fixture(scope="session")
def undeclared() -> Callable[[BaseModel], list[str]]:
    """`undeclared(model)`: the names in one of the protocol's models, and below, that its type does not declare."""
    return unknown_fields


@pytest.fixture
def chat(server: Any) -> Chat:
    """A new thread of the demo agent."""
    return Chat(server)
