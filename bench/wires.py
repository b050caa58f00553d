"""How a run is asked for in each protocol, where it is read again, and what its stream ends with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

AGENT = "bench"


@dataclass(frozen=True, slots=True)
class Wire:
    """One protocol. `body` takes the ids of thread and run and what the user says; `again` the ids of both."""

    name: str
    path: str
    body: Callable[[str, str, str], Any]
    again: Callable[[str, str], str]
    end: bytes
    """What the stream of a completed run has among its last events."""


def _native(thread: str, run: str, text: str) -> Any:
    return {"agent_id": AGENT, "thread_id": thread, "run_id": run, "messages": [{"content": text}]}


def _ag_ui(thread: str, run: str, text: str) -> Any:
    message = {"id": f"m-{run}", "role": "user", "content": text}
    return {
        "threadId": thread, "runId": run, "messages": [message], "state": {}, "tools": [], "context": [],
        "forwardedProps": {},
    }  # fmt: skip


def _ai_sdk(thread: str, run: str, text: str) -> Any:
    return {"id": thread, "messages": [{"id": f"m-{run}", "role": "user", "parts": [{"type": "text", "text": text}]}]}


NATIVE = Wire("native", "/v1/runs", _native, lambda _, run: f"/v1/runs/{run}/events/stream", b'"run_finished"')
AG_UI = Wire(
    "ag-ui", f"/v1/ag-ui/agents/{AGENT}/runs", _ag_ui, lambda _, run: f"/v1/ag-ui/runs/{run}/stream", b"RUN_FINISHED"
)
AI_SDK = Wire(
    "ai-sdk", f"/v1/ai-sdk/agents/{AGENT}/runs", _ai_sdk, lambda thread, _: f"/v1/ai-sdk/chat/{thread}/stream",
    b'"type":"finish"',
)  # fmt: skip
WIRES: Mapping[str, Wire] = {wire.name: wire for wire in (AG_UI, AI_SDK, NATIVE)}
