"""A verifier of AG-UI streams: the official models for the fields, the specification's rules for the order."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ag_ui.core import Event
from pydantic import BaseModel, TypeAdapter

MODELS: TypeAdapter[Any] = TypeAdapter(Event)
OPENERS = {
    "TEXT_MESSAGE_START": ("text", "messageId"),
    "TOOL_CALL_START": ("call", "toolCallId"),
    "REASONING_START": ("span", "messageId"),
    "REASONING_MESSAGE_START": ("thought", "messageId"),
    "STEP_STARTED": ("step", "stepName"),
}
CLOSERS = {
    "TEXT_MESSAGE_END": ("text", "messageId"),
    "TOOL_CALL_END": ("call", "toolCallId"),
    "REASONING_END": ("span", "messageId"),
    "REASONING_MESSAGE_END": ("thought", "messageId"),
    "STEP_FINISHED": ("step", "stepName"),
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


class Verifier:
    """AG-UI 1.0, event ordering; source: the verifier of npm `@ag-ui/client` 1.0.0. `modern` clients declared 1.0."""

    def __init__(self, *, modern: bool) -> None:
        self.modern = modern
        self.events: list[dict[str, Any]] = []
        self.open: set[tuple[str, str]] = set()
        self.started = False
        self.ended = False
        self.calls: set[str] = set()
        self.results: set[str] = set()
        self.messages: set[str] = set()

    def begin(self) -> None:
        """A new response arrives; what the client learned stays."""
        self.started = self.ended = False
        self.open.clear()

    def feed(self, frame: bytes) -> None:
        assert b"\n" not in frame
        assert b"\r" not in frame
        event = json.loads(frame)
        assert all(value is not None for value in event.values())
        assert unknown_fields(MODELS.validate_json(frame)) == []
        assert isinstance(event["timestamp"], int)
        self.check_order(event)
        self.check_dialect(event)
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
        if family == "call":
            assert event["toolCallId"] not in self.calls
            self.calls.add(event["toolCallId"])

    def check_dialect(self, event: dict[str, Any]) -> None:
        outcome = event.get("outcome")
        if outcome is not None and not self.modern:
            assert outcome["type"] == "interrupt"
        if outcome is not None and outcome["type"] == "interrupt":
            assert outcome["interrupts"]
            assert all(value is not None for interrupt in outcome["interrupts"] for value in interrupt.values())


@pytest.fixture(scope="session")
def verifier() -> type[Verifier]:
    """`verifier(modern=…)` is a fresh client; `.feed(frame)` raises `AssertionError` on what a real one refuses."""
    return Verifier
