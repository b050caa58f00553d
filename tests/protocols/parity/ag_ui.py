"""What a client of AG-UI 1.0 learns from a stream."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.parity.told import APPROVAL, QUESTION, Fact, Told, value_of


def facts(frames: Iterable[bytes]) -> list[Fact]:
    """The events of a stream."""
    told = Told()
    for event in map(json.loads, frames):
        match event["type"].split("_"):
            case ["RUN" | "STEP", _]:
                _lifecycle(told, event)
            case ["STATE" | "ACTIVITY" | "SUBAGENT", _] | ["CUSTOM"]:
                _beside(told, event)
            case _:
                _content(told, event)
    return told.facts


def _lifecycle(told: Told, event: dict[str, Any]) -> None:
    outcome = event.get("outcome") or {}
    match event["type"]:
        case "RUN_STARTED":
            told.say("run begins")
        case "STEP_STARTED" | "STEP_FINISHED" as kind:
            told.say("step begins" if kind == "STEP_STARTED" else "step ends")
        case "RUN_FINISHED" if "result" in event:
            told.end(event["result"]["stopReason"])
        case "RUN_FINISHED":
            kinds = {"confirmation": APPROVAL, "input_required": QUESTION}
            asked = outcome.get("interrupts", ())
            told.rest((one["id"], one["toolCallId"], kinds[one["reason"]]) for one in asked)
        case "RUN_ERROR" if event["code"] == "BLOCKED":
            told.end("content_filter")
        case _:
            told.say("error", event["message"])
            told.end("error")


def _content(told: Told, event: dict[str, Any]) -> None:
    match event["type"]:
        case "TEXT_MESSAGE_CONTENT":
            told.add("text", event["delta"])
        case "REASONING_MESSAGE_CONTENT":
            told.add("reasoning", event["delta"])
        case "TOOL_CALL_START":
            told.propose(event["toolCallId"], event["toolCallName"])
            told.written[event["toolCallId"]] = ""
        case "TOOL_CALL_ARGS":
            told.written[event["toolCallId"]] += event["delta"]
        case "TOOL_CALL_END":
            told.ready(event["toolCallId"], told.written[event["toolCallId"]])
        case "TOOL_CALL_RESULT":
            told.done(event["toolCallId"], event["content"])
        case _:
            pass


def _beside(told: Told, event: dict[str, Any]) -> None:
    match event["type"], event:
        case "STATE_SNAPSHOT", {"snapshot": state}:
            told.hold(state)
        case "STATE_DELTA", {"delta": patch}:
            told.change(patch)
        case "ACTIVITY_SNAPSHOT", {"activityType": "tool-call-progress", "content": content}:
            told.say("activity", content["call_id"], content.get("message"), content.get("progress"))
        case (("SUBAGENT_STARTED" | "SUBAGENT_FINISHED" | "SUBAGENT_ERROR" as kind), {"subagentRunId": run}):
            status = {"SUBAGENT_STARTED": "running", "SUBAGENT_FINISHED": "completed"}.get(kind, "failed")
            told.delegate(run, status)
        case "CUSTOM", {"name": name, "value": value}:
            _custom(told, name, value)
        case _:
            pass


def _custom(told: Told, name: str, value: dict[str, Any]) -> None:
    match name:
        case "steered":
            told.say("input", value["messageId"])
        case "step_restarted":
            told.again()
        case "status":
            told.say("status", value["message"])
        case "data":
            told.say("value", value_of(value["data"]))
        case "artifact":
            told.make(value["id"], [value["part"]], append=value["append"])
        case _:
            pass
