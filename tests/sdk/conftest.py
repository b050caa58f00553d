"""A tool context that records what a tool does with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from wakeful.contracts.json import JsonValue
from wakeful.contracts.tool import CallReport, ToolContext

T = TypeVar("T")


@dataclass
class Call:
    """One call as the engine sees it: its context, what it reported and shared, and whether its run was cancelled."""

    reports: list[CallReport] = field(default_factory=list[CallReport])
    state: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    cancelled: bool = False

    def update_state(self, key: str, change: Callable[[T], T], default: T) -> T:
        self.state[key] = changed = change(self.state.get(key, default))  # type: ignore[arg-type, assignment]
        return changed

    def report(self, event: CallReport) -> None:
        self.reports.append(event)

    @property
    def context(self) -> ToolContext:
        return ToolContext(
            call_id="call-1",
            tool_name="a_tool",
            run_id="run-1",
            thread_id="thread-1",
            agent_id="agent-1",
            scope="default",
            idempotency_key="key-1",
            desk=self,
        )


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.fixture
def context(call: Call) -> ToolContext:
    return call.context
