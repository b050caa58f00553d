"""What a client of the AI SDK learns from a stream, in any of its majors."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.parity.told import APPROVAL, QUESTION, Fact, Told, value_of


def facts(frames: Iterable[bytes]) -> list[Fact]:
    """The chunks of a stream."""
    told, asked = Told(), list[Fact]()
    for chunk in map(json.loads, frames):
        match chunk["type"]:
            case "tool-approval-request":
                asked.append((chunk["approvalId"], chunk["toolCallId"], APPROVAL))
            case "data-approval-request":
                asked.append((chunk["data"]["approvalId"], chunk["data"]["toolCallId"], APPROVAL))
            case "data-question" if "answered" not in chunk["data"]:
                asked.append((chunk["id"], chunk["data"]["toolCallId"], QUESTION))
            case "finish" if "stopReason" not in chunk["messageMetadata"]:
                told.rest(asked)
                asked = []
            case "start" | "start-step" | "finish-step" | "finish" | "abort" | "error" | "message-metadata":
                _lifecycle(told, chunk)
            case kind if kind.startswith("data-"):
                _data(told, chunk)
            case _:
                _content(told, chunk)
    return told.facts


def _lifecycle(told: Told, chunk: dict[str, Any]) -> None:
    match chunk["type"]:
        case "start":
            told.say("run begins")
        case "start-step" | "finish-step" as kind:
            told.say("step begins" if kind == "start-step" else "step ends")
        case "error":
            told.say("error", chunk["errorText"])
        case "finish" | "message-metadata":
            told.end(chunk["messageMetadata"]["stopReason"])
        case _:
            pass


def _content(told: Told, chunk: dict[str, Any]) -> None:
    match chunk["type"]:
        case "text-delta" | "reasoning-delta" as kind:
            told.add(kind.partition("-")[0], chunk["delta"])
        case "tool-input-start":
            told.propose(chunk["toolCallId"], chunk["toolName"])
        case "tool-input-available":
            told.propose(chunk["toolCallId"], chunk["toolName"])
            told.ready(chunk["toolCallId"], chunk["input"])
        case "tool-output-available":
            told.done(chunk["toolCallId"], chunk["output"])
        case "tool-output-error":
            told.done(chunk["toolCallId"], chunk["errorText"])
        case "tool-output-denied":
            told.done(chunk["toolCallId"], "The user denied this call")
        case "reset-step":
            told.again()
        case "steering-message":
            told.say("input", chunk["id"])
        case _:
            pass


def _data(told: Told, chunk: dict[str, Any]) -> None:
    data = chunk["data"]
    match chunk["type"]:
        case "data-state-snapshot":
            told.hold(data)
        case "data-state-delta":
            told.change(data["patch"])
        case "data-activity":
            told.say("activity", chunk["id"], data.get("message"), data.get("progress"))
        case "data-subagent":
            told.delegate(data["runId"], "failed" if data["status"] == "cancelled" else data["status"])
        case "data-steered":
            told.say("input", data["messageId"])
        case "data-step-restarted":
            told.reopen()
        case "data-status":
            told.say("status", data["message"])
        case "data-artifact":
            told.make(data["id"], data["parts"])
        case _ if "id" in chunk and not chunk.get("transient") and chunk["type"] != "data-question":
            told.say("value", value_of(data))
        case _:
            pass
