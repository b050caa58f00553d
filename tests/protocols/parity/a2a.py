"""What a client of A2A learns from the stream of a task."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tests.protocols.parity.told import APPROVAL, Fact, Told


def facts(payloads: Iterable[bytes]) -> list[Fact]:
    """A stream of a task: its artifacts as they are in the end, then each state in which it rested, and the error."""
    artifacts: dict[str, str] = {}
    told = Told()
    for payload in map(json.loads, payloads):
        match payload:
            case {"artifactUpdate": {"artifact": artifact} as update}:
                words = "".join(part.get("text", "") for part in artifact["parts"])
                before = artifacts.get(artifact["artifactId"], "") if update.get("append") else ""
                artifacts[artifact["artifactId"]] = before + words
            case {"statusUpdate": {"status": {"state": "TASK_STATE_FAILED", "message": message}}}:
                told.say("state", "FAILED", message["parts"][0]["text"])
            case {"statusUpdate": {"status": {"state": state}}} if state != "TASK_STATE_WORKING":
                told.say("state", state.removeprefix("TASK_STATE_"))
            case _:
                pass
    return [("text", words) for words in sorted(artifacts.values()) if words] + told.facts


STATES = {
    "cancelled": "CANCELED",
    "superseded": "CANCELED",
    "withdrawn": "CANCELED",
    "content_filter": "REJECTED",
    "max_output": "FAILED",
    "max_steps": "FAILED",
    "max_tokens": "FAILED",
    "max_tool_errors": "FAILED",
}
"""How a task ends in A2A, by what AI SDK and AG-UI call it; everything else is COMPLETED."""
LIMITED = {
    "max_output": "The answer was cut off: the model's longest output was reached.",
    "max_steps": "Stopped: the agent's most steps were reached.",
    "max_tokens": "Stopped: the agent's most tokens were used.",
    "max_tool_errors": "Stopped: too many tools failed in a row.",
}


def sayable(learned: Iterable[Fact]) -> list[Fact]:
    """Of facts about a run that no restart disturbed, those that A2A has words for.

    A text for each step and for each artifact, and the states.
    """
    texts: list[str] = []
    states: list[Fact] = []
    calls: dict[str, str] = {}
    for kind, *rest in learned:
        match kind:
            case "step begins":
                texts.append("")
            case "text":
                texts[-1] += rest[0]
            case "artifact":
                texts.append("".join(part["text"] for part in json.loads(rest[2]) if part["type"] == "text"))
            case "call":
                calls[rest[0]] = rest[1]
            case "result":
                del calls[rest[0]]
            case _:
                states.extend(_state(kind, rest, calls.values()))
    return [("text", text) for text in sorted(texts) if text] + states


def _state(kind: str, about: list[Any], open_calls: Iterable[str]) -> list[Fact]:
    match kind:
        case "rests":
            asks_right = "ask_authorisation" in open_calls or any(asked[2] == APPROVAL for asked in about)
            return [("state", "AUTH_REQUIRED" if asks_right else "INPUT_REQUIRED")]
        case "error":
            return [("state", "FAILED", about[0])]
        case "run ends" if about[0] != "error":
            state = STATES.get(about[0], "COMPLETED")
            return [("state", state, LIMITED[about[0]]) if state == "FAILED" else ("state", state)]
        case _:
            return []
