"""A stand-in for the AI SDK client: checks each chunk's fields and order, and builds the message it builds."""

from __future__ import annotations

import json
from typing import Any

import pytest

TEXT, ANY = (str,), (object,)
CHUNKS: dict[str, tuple[dict[str, tuple[type, ...]], dict[str, tuple[type, ...]]]] = {
    "start": ({}, {"messageId": TEXT, "messageMetadata": (dict,)}),
    "start-step": ({}, {}),
    "finish-step": ({}, {}),
    "text-start": ({"id": TEXT}, {}),
    "text-delta": ({"id": TEXT, "delta": TEXT}, {}),
    "text-end": ({"id": TEXT}, {}),
    "reasoning-start": ({"id": TEXT}, {}),
    "reasoning-delta": ({"id": TEXT, "delta": TEXT}, {}),
    "reasoning-end": ({"id": TEXT}, {}),
    "tool-input-start": ({"toolCallId": TEXT, "toolName": TEXT}, {}),
    "tool-input-delta": ({"toolCallId": TEXT, "inputTextDelta": TEXT}, {}),
    "tool-input-available": ({"toolCallId": TEXT, "toolName": TEXT, "input": ANY}, {"providerExecuted": (bool,)}),
    "tool-approval-request": ({"approvalId": TEXT, "toolCallId": TEXT}, {}),
    "tool-output-available": ({"toolCallId": TEXT, "output": ANY}, {"providerExecuted": (bool,)}),
    "tool-output-error": ({"toolCallId": TEXT, "errorText": TEXT}, {"providerExecuted": (bool,)}),
    "tool-output-denied": ({"toolCallId": TEXT}, {}),
    "error": ({"errorText": TEXT}, {}),
    "abort": ({}, {"reason": TEXT}),
    "finish": ({"finishReason": TEXT}, {"messageMetadata": (dict,)}),
}
ONLY_7: dict[str, tuple[dict[str, tuple[type, ...]], dict[str, tuple[type, ...]]]] = {"reset-step": ({}, {})}
DATA = ({"data": (dict,), "transient": (bool,)}, {"id": TEXT})
FINISH_REASONS = {"stop", "length", "content-filter", "tool-calls", "error", "other"}


class Reader:
    """Holds one UI message while segments stream in.

    Source: npm `ai` 6.0.326 and 7.0.173, `process-ui-message-stream.ts`. `dialect` is the major it understands.
    """

    def __init__(self, *, dialect: str = "6") -> None:
        self.known = CHUNKS | (ONLY_7 if dialect == "7" else {})
        self.message_id: str | None = None
        self.parts: list[dict[str, Any]] = []
        self.chunks: list[dict[str, Any]] = []
        self.begin()

    def begin(self) -> None:
        """A new response arrives."""
        self.segment: list[str] = []
        self.block: tuple[str, str] | None = None
        self.in_step = False
        self.ended = False

    def feed(self, frame: bytes) -> None:
        assert b"\n" not in frame
        assert b"\r" not in frame
        chunk = json.loads(frame)
        if chunk["type"] == "start" and self.ended:
            self.begin()
        self.check_fields(chunk)
        self.check_place(chunk)
        self.apply(chunk)
        self.segment.append(chunk["type"])
        self.chunks.append(chunk)

    def check_fields(self, chunk: dict[str, Any]) -> None:
        kind = chunk["type"]
        required, optional = DATA if kind.startswith("data-") else self.known[kind]
        assert required.keys() <= chunk.keys() - {"type"} <= required.keys() | optional.keys(), chunk
        for key, types in {**required, **optional}.items():
            assert key not in chunk or isinstance(chunk[key], types), chunk

    def check_place(self, chunk: dict[str, Any]) -> None:
        kind = chunk["type"]
        assert not self.ended, f"{kind} after the end"
        assert (kind == "start") == (not self.segment), f"{kind} is out of place"
        if kind.startswith(("text", "reasoning", "reset", "tool-input")) and "providerExecuted" not in chunk:
            assert self.in_step, f"{kind} outside a step"
        if kind in {"start-step", "finish", "error", "abort"}:
            assert not self.in_step, f"{kind} inside a step"
        if self.block is not None:
            progress = f"{self.block[0]}-delta", f"{self.block[0]}-end"
            free = kind.startswith("data-") or kind == "tool-input-delta"
            assert kind in progress or free, f"{kind} while {self.block} is open"
        if self.segment and self.segment[-1] == "error":
            assert kind == "finish"

    def apply(self, chunk: dict[str, Any]) -> None:
        kind = chunk["type"]
        match kind.split("-"):
            case ["start"]:
                found = chunk.get("messageId")
                assert found is None or self.message_id in {None, found}, "the message is renamed"
                self.message_id = found or self.message_id
            case ["start", "step"]:
                self.in_step = True
                self.parts.append({"type": "step-start"})
            case ["finish", "step"]:
                assert self.in_step
                self.in_step = False
            case ["text" | "reasoning" as block, "start"]:
                self.block = (block, chunk["id"])
                self.parts.append({"type": block, "text": "", "state": "streaming"})
            case ["text" | "reasoning" as block, "delta"]:
                assert self.block == (block, chunk["id"])
                self.parts[-1]["text"] += chunk["delta"]
            case ["text" | "reasoning" as block, "end"]:
                assert self.block == (block, chunk["id"])
                self.open_part(block)["state"] = "done"
                self.block = None
            case ["reset", "step"]:
                del self.parts[len(self.parts) - len(self.present_step()) :]
            case ["tool", *_]:
                self.apply_tool(kind, chunk)
            case ["finish"] | ["abort"]:
                assert chunk.get("finishReason", "stop") in FINISH_REASONS
                self.ended = True
            case _:
                pass

    def open_part(self, block: str) -> dict[str, Any]:
        return next(part for part in reversed(self.parts) if part["type"] == block)

    def present_step(self) -> list[dict[str, Any]]:
        """The parts since the last `step-start`."""
        begins = [index for index, part in enumerate(self.parts) if part["type"] == "step-start"]
        return self.parts[begins[-1] + 1 :] if begins else self.parts

    def apply_tool(self, kind: str, chunk: dict[str, Any]) -> None:
        if kind in {"tool-input-start", "tool-input-available"}:
            self.apply_input(kind, chunk)
            return
        call_id = chunk["toolCallId"]
        part = self.find(call_id, self.present_step()) or self.find(call_id, self.parts)
        assert part is not None, f"{kind} for unknown call {call_id}"
        assert not part["state"].startswith("output"), f"{kind} for {call_id}, which has its result"
        match kind:
            case "tool-input-delta":
                assert part["state"] == "input-streaming"
                assert part in self.present_step()
            case "tool-approval-request":
                assert part["state"] != "input-streaming"
                assert part in self.present_step(), "a question nobody is asked: clients look in the last step"
                part |= {"state": "approval-requested", "approval": {"id": chunk["approvalId"]}}
            case _:
                part |= {key: chunk[key] for key in ("output", "errorText", "providerExecuted") if key in chunk}
                part["state"] = kind.removeprefix("tool-")

    def apply_input(self, kind: str, chunk: dict[str, Any]) -> None:
        """The input of a call is looked for in the present step only."""
        part = self.find(chunk["toolCallId"], self.present_step())
        edited = chunk.get("providerExecuted", False)
        assert edited == (part is not None and part["state"] != "input-streaming")
        assert part is None or kind == "tool-input-available"
        if part is None:
            part = {"type": f"tool-{chunk['toolName']}", "toolCallId": chunk["toolCallId"]}
            self.parts.append(part)
        part["state"] = "input-streaming" if kind == "tool-input-start" else "input-available"
        part |= {key: chunk[key] for key in ("input", "providerExecuted") if key in chunk}

    def find(self, call_id: str, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((part for part in reversed(parts) if part.get("toolCallId") == call_id), None)


@pytest.fixture(scope="session")
def reader() -> type[Reader]:
    """`reader(dialect=…)` is a fresh client; `.feed(frame)` raises `AssertionError` on what a real one refuses."""
    return Reader
