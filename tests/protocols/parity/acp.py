"""What an editor learns from a turn over ACP."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.parity.told import APPROVAL, QUESTION, Fact, Told


def facts(payloads: Iterable[bytes]) -> list[Fact]:
    """The updates of a turn, and what the agent acts upon beside them."""
    told, asked = Told(), list[Fact]()
    for payload in map(json.loads, payloads):
        match payload.get("control"):
            case None:
                _update(told, payload)
            case "asked" if payload["interrupt"]["kind"] in {APPROVAL, QUESTION}:
                interrupt = payload["interrupt"]
                asked.append((interrupt["id"], interrupt["call_id"], interrupt["kind"]))
            case "waiting":
                told.rest(asked)
                asked = []
            case "ended":
                if "message" in payload and payload["code"]:
                    told.say("error", payload["message"])
                told.end(payload["stop_reason"])
            case _:
                pass
    return told.facts


def _update(told: Told, update: dict[str, Any]) -> None:
    call = _last(update.get("toolCallId", ""))
    match update["sessionUpdate"]:
        case "agent_message_chunk" | "agent_thought_chunk" if update["messageId"].endswith("/status"):
            told.say("status", update["content"]["text"])
        case "agent_message_chunk" if update["content"]["type"] == "text" and "/artifact/" not in update["messageId"]:
            told.add("text", update["content"]["text"])
        case "agent_thought_chunk":
            told.add("reasoning", update["content"]["text"])
        case "tool_call":
            told.propose(call, update["name"])
        case "tool_call_update" if "rawInput" in update:
            told.ready(call, update["rawInput"])
        case "tool_call_update" if update.get("status") in {"completed", "failed"}:
            told.done(call, update["rawOutput"] if "rawOutput" in update else update["content"][-1]["content"]["text"])
        case _:
            pass


def _last(call: str) -> str:
    """The model's id of a call, which ACP has behind the id of its message."""
    return call.rpartition("/")[2]


STOPS = {
    "max_output": "max_tokens",
    "max_tokens": "max_tokens",
    "max_steps": "max_turn_requests",
    "max_tool_errors": "max_turn_requests",
    "content_filter": "refusal",
    "cancelled": "cancelled",
    "superseded": "cancelled",
    "withdrawn": "cancelled",
}
"""Why a turn ended in ACP, by what AI SDK and AG-UI call it; everything else is `end_turn`."""


def sayable(learned: Iterable[Fact]) -> list[Fact]:
    """Of facts, those that ACP has words for."""
    told = Told()
    for kind, *rest in learned:
        match kind:
            case "text" | "reasoning":
                told.add(kind, rest[0])
            case "call" | "arguments" | "result" | "error" | "rests" | "status":
                told.say(kind, *rest)
            case "run ends":
                told.say(kind, STOPS.get(rest[0], "end_turn"))
            case _:
                pass
    return told.facts
