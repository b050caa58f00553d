"""A tool context that records what a tool does with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from wakeful.contracts.tool import ToolContext


@dataclass
class Call:
    """One call as the engine sees it: its context, the progress it reported, and whether its run was cancelled."""

    progress: list[tuple[str | None, float | None, float | None]] = field(default_factory=list)
    cancelled: bool = False

    @property
    def context(self) -> ToolContext:
        return ToolContext(
            call_id="call-1",
            run_id="run-1",
            thread_id="thread-1",
            agent_id="agent-1",
            idempotency_key="key-1",
            progress=lambda *report: self.progress.append(report),
            cancelled=lambda: self.cancelled,
        )


@pytest.fixture
def call() -> Call:
    return Call()


@pytest.fixture
def context(call: Call) -> ToolContext:
    return call.context
