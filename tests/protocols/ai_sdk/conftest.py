"""A stand-in for the AI SDK client: checks each chunk's fields and order, and builds the message it builds."""

from __future__ import annotations

import json
from typing import Any

import pytest

Fields = dict[str, tuple[type, ...]]
Vocabulary = dict[str, tuple[Fields, Fields]]
TEXT, ANY = (str,), (object,)
EVERY: Vocabulary = {
    "start": ({}, {"messageId": TEXT, "messageMetadata": (dict,)}),
    "start-step": ({}, {}),
    "finish-step": ({}, {}),
    "text-start": ({"id": TEXT}, {}),
    "text-delta": ({"id": TEXT, "delta": TEXT}, {}),
    "text-end": ({"id": TEXT}, {}),
    "reasoning-start": ({"id": TEXT}, {}),
    "reasoning-delta": ({"id": TEXT, "delta": TEXT}, {}),
    "reasoning-end": ({"id": TEXT}, {}),
    "source-url": ({"sourceId": TEXT, "url": TEXT}, {"title": TEXT}),
    "source-document": ({"sourceId": TEXT, "mediaType": TEXT, "title": TEXT}, {"filename": TEXT}),
    "file": ({"url": TEXT, "mediaType": TEXT}, {}),
    "tool-input-start": ({"toolCallId": TEXT, "toolName": TEXT}, {}),
    "tool-input-delta": ({"toolCallId": TEXT, "inputTextDelta": TEXT}, {}),
    "tool-input-available": ({"toolCallId": TEXT, "toolName": TEXT, "input": ANY}, {"providerExecuted": (bool,)}),
    "tool-output-available": ({"toolCallId": TEXT, "output": ANY}, {"providerExecuted": (bool,)}),
    "tool-output-error": ({"toolCallId": TEXT, "errorText": TEXT}, {"providerExecuted": (bool,)}),
    "message-metadata": ({"messageMetadata": (dict,)}, {}),
    "error": ({"errorText": TEXT}, {}),
    "abort": ({}, {}),
    "finish": ({"finishReason": TEXT}, {"messageMetadata": (dict,)}),
}
SINCE_6: Vocabulary = {
    "tool-approval-request": ({"approvalId": TEXT, "toolCallId": TEXT}, {}),
    "tool-output-denied": ({"toolCallId": TEXT}, {}),
    "abort": ({}, {"reason": TEXT}),
}
SINCE_7: Vocabulary = {
    "reset-step": ({}, {}),
    "text-end": ({"id": TEXT}, {"citations": (list,)}),
    "tool-approval-request": ({"approvalId": TEXT, "toolCallId": TEXT}, {"reason": TEXT}),
    "tool-approval-response": ({"approvalId": TEXT, "approved": (bool,)}, {"reason": TEXT}),
    "steering-message": ({"id": TEXT, "parts": (list,)}, {}),
}
KNOWN = {"5": EVERY, "6": EVERY | SINCE_6, "7": EVERY | SINCE_6 | SINCE_7}
DATA: tuple[Fields, Fields] = ({"data": ANY}, {"id": TEXT, "transient": (bool,)})
PASSING_DATA = {
    "data-activity",
    "data-artifact-delta",
    "data-reasoning-encrypted",
    "data-retry",
    "data-run-info",
    "data-state-delta",
    "data-state-snapshot",
    "data-status",
    "data-steered",
    "data-step-restarted",
    "data-subagent",
    "data-usage",
}
FINISH_REASONS = {"stop", "length", "content-filter", "tool-calls", "error", "other"}


class Reader:
    """Holds one UI message while segments stream in.

    Source: npm `ai` 5.0.277, 6.0.326 and 7.0.173, `process-ui-message-stream.ts`. `dialect` is the major it is.
    """

    def __init__(self, *, dialect: str = "6") -> None:
        self.dialect = dialect
        self.message_id: str | None = None
        self.metadata: dict[str, Any] = {}
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
        required, optional = DATA if kind.startswith("data-") else KNOWN[self.dialect][kind]
        assert required.keys() <= chunk.keys() - {"type"} <= required.keys() | optional.keys(), chunk
        for key, types in {**required, **optional}.items():
            assert key not in chunk or isinstance(chunk[key], types), chunk
        for citation in chunk.get("citations", ()):
            self.check_citation(citation)

    def check_citation(self, citation: dict[str, Any]) -> None:
        source = citation["source"]
        assert citation.keys() <= {"source", "startIndex", "endIndex", "citedText"}
        assert all(citation[key] >= 0 for key in ("startIndex", "endIndex") if key in citation)
        assert source["type"] == "source"
        needed = {"url"} if source["sourceType"] == "url" else {"mediaType", "title"}
        assert {"id", *needed} <= source.keys() <= {"type", "sourceType", "id", "title", "filename", *needed}

    def check_place(self, chunk: dict[str, Any]) -> None:
        kind = chunk["type"]
        assert not self.ended, f"{kind} after the end"
        assert (kind == "start") == (not self.segment), f"{kind} is out of place"
        again = "providerExecuted" in chunk or self.has_asked(chunk.get("toolCallId"))
        if kind.startswith(("text", "reasoning", "reset", "tool-input")) and not again:
            assert self.in_step, f"{kind} outside a step"
        if kind in {"start-step", "finish", "error", "abort"}:
            assert not self.in_step, f"{kind} inside a step"
        if self.block is not None:
            progress = f"{self.block[0]}-delta", f"{self.block[0]}-end"
            free = kind.startswith(("data-", "source-")) or kind == "tool-input-delta"
            assert not kind.startswith("source-") or self.block[0] == "text", f"{kind} in reasoning"
            assert kind in progress or free, f"{kind} while {self.block} is open"
        if self.segment and self.segment[-1] in {"error", "abort"}:
            assert kind == "finish"
        if self.segment and self.segment[-1] == "message-metadata":
            assert kind == "abort"

    def apply(self, chunk: dict[str, Any]) -> None:
        kind = chunk["type"]
        self.metadata |= chunk.get("messageMetadata", {})
        match kind.split("-"):
            case ["start"] | ["finish"] | ["abort"]:
                self.apply_bounds(kind, chunk)
            case ["text" | "reasoning" as block, _]:
                self.apply_block(kind, block, chunk)
            case ["tool", *_]:
                self.apply_tool(kind, chunk)
            case ["source", _] | ["file"] | ["steering", _]:
                self.parts.append(chunk)
            case ["data", *_]:
                self.apply_data(kind, chunk)
            case [_, "step"]:
                self.apply_step(kind)
            case _:
                pass

    def apply_bounds(self, kind: str, chunk: dict[str, Any]) -> None:
        match kind:
            case "start":
                found = chunk.get("messageId")
                assert found is None or self.message_id in {None, found}, "the message is renamed"
                self.message_id = found or self.message_id
            case "finish":
                assert chunk["finishReason"] in FINISH_REASONS | ({"interrupted"} if self.dialect == "7" else set())
                self.ended = True
            case _:
                self.ended = self.dialect != "7"

    def apply_step(self, kind: str) -> None:
        if kind == "reset-step":
            del self.parts[len(self.parts) - len(self.present_step()) :]
            return
        assert self.in_step == (kind == "finish-step")
        self.in_step = not self.in_step
        if self.in_step:
            self.parts.append({"type": "step-start"})

    def apply_block(self, kind: str, block: str, chunk: dict[str, Any]) -> None:
        if kind.endswith("start"):
            self.block = (block, chunk["id"])
            self.parts.append({"type": block, "text": "", "state": "streaming"})
            return
        assert self.block == (block, chunk["id"])
        part = self.open_part(block)
        if kind.endswith("delta"):
            part["text"] += chunk["delta"]
            return
        part |= {"state": "done"} | {key: chunk[key] for key in ("citations",) if key in chunk}
        self.block = None

    def open_part(self, block: str) -> dict[str, Any]:
        return next(part for part in reversed(self.parts) if part["type"] == block)

    def present_step(self) -> list[dict[str, Any]]:
        """The parts since the last `step-start`."""
        begins = [index for index, part in enumerate(self.parts) if part["type"] == "step-start"]
        return self.parts[begins[-1] + 1 :] if begins else self.parts

    def apply_data(self, kind: str, chunk: dict[str, Any]) -> None:
        assert chunk.get("transient", False) == (kind in PASSING_DATA), chunk
        if kind == "data-question":
            assert self.find(chunk["data"]["toolCallId"], self.parts) is not None
            assert chunk["data"].get("answered") or self.find(chunk["data"]["toolCallId"], self.present_step())
        if kind not in PASSING_DATA | {"data-approval-request"}:
            same = (part for part in self.parts if part["type"] == kind and part["id"] == chunk["id"])
            found = next(same, None)
            if found is None:
                self.parts.append(chunk)
            else:
                found["data"] = chunk["data"]
        if kind == "data-approval-request":
            assert self.dialect == "5"
            assert chunk["data"].keys() == {"approvalId", "toolCallId", "toolName", "input"}
            part = self.find(chunk["data"]["toolCallId"], self.present_step())
            assert part is not None, "a question about a call that is not in the message's last step"
            assert part["type"] == f"tool-{chunk['data']['toolName']}"
            self.parts.append(chunk)

    def apply_tool(self, kind: str, chunk: dict[str, Any]) -> None:
        if kind in {"tool-input-start", "tool-input-available"}:
            self.apply_input(kind, chunk)
            return
        if kind == "tool-approval-response":
            self.apply_answer(chunk)
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

    def apply_answer(self, chunk: dict[str, Any]) -> None:
        asked = [part for part in self.parts if part.get("approval", {}).get("id") == chunk["approvalId"]]
        assert asked, f"nobody asked {chunk['approvalId']}"
        assert not asked[0]["state"].startswith("output")
        asked[0]["state"] = "approval-responded"
        asked[0]["approval"] |= {key: chunk[key] for key in ("approved", "reason") if key in chunk}

    def apply_input(self, kind: str, chunk: dict[str, Any]) -> None:
        """The input of a call is looked for in the present step only."""
        part = self.find(chunk["toolCallId"], self.present_step())
        again = chunk.get("providerExecuted", False) or self.has_asked(chunk["toolCallId"])
        assert again == (part is not None and part["state"] != "input-streaming")
        assert part is None or kind == "tool-input-available"
        if part is None:
            part = {"type": f"tool-{chunk['toolName']}", "toolCallId": chunk["toolCallId"]}
            self.parts.append(part)
        part["state"] = "input-streaming" if kind == "tool-input-start" else "input-available"
        part |= {key: chunk[key] for key in ("input", "providerExecuted") if key in chunk}

    def has_asked(self, call_id: str | None) -> bool:
        """Whether a running call asked for an answer: it is shown once more when it runs with that."""
        return any(part["data"]["toolCallId"] == call_id for part in self.of_type("data-question"))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [part for part in self.parts if part["type"] == kind]

    def find(self, call_id: str, parts: list[dict[str, Any]]) -> dict[str, Any] | None:
        return next((part for part in reversed(parts) if part.get("toolCallId") == call_id), None)


@pytest.fixture(scope="session")
def reader() -> type[Reader]:
    """`reader(dialect=…)` is a fresh client; `.feed(frame)` raises `AssertionError` on what a real one refuses."""
    return Reader
