"""One conversation as each protocol tells it afterwards, in the same few words."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

Line = tuple[str, ...]
"""`("user", text)`, `("agent", text)` or `("call", tool, output as JSON)`."""


def native(messages: list[dict[str, Any]]) -> list[Line]:
    """What `/v1/threads/{id}/messages` has, and what an MCP resource has."""
    return [line for message in messages for part in message["parts"] if (line := _native(message["role"], part))]


def _native(role: str, part: dict[str, Any]) -> Line | None:
    match part["type"]:
        case "text":
            return ("user" if role == "user" else "agent", part["text"])
        case "tool_result":
            return ("call", part["name"], _sorted(part["output"]))
        case _:
            return None


def ai_sdk(messages: list[dict[str, Any]]) -> list[Line]:
    """UI messages; a call's part stands where it was asked for, which is where its result is."""
    return [line for message in messages for part in message["parts"] if (line := _ai_sdk(message["role"], part))]


def _ai_sdk(role: str, part: dict[str, Any]) -> Line | None:
    if part["type"] == "text":
        return ("user" if role == "user" else "agent", part["text"])
    if part["type"].startswith("tool-"):
        return ("call", part["type"].removeprefix("tool-"), _sorted(part["output"]))
    return None


def ag_ui(messages: list[dict[str, Any]]) -> list[Line]:
    """AG-UI messages; a result names its call, and the call its tool."""
    lines: list[Line] = []
    tools: dict[str, str] = {}
    for message in messages:
        tools |= {call["id"]: call["function"]["name"] for call in message.get("toolCalls") or ()}
        match message["role"]:
            case "tool":
                lines.append(("call", tools[message["toolCallId"]], _sorted(json.loads(message["content"]))))
            case role if message.get("content"):
                lines.append(("user" if role == "user" else "agent", message["content"]))
            case _:
                pass
    return lines


def a2a(task: dict[str, Any]) -> list[Line]:
    """A task: what the user said, and its artifacts. Calls are the agent's own business, and so are the answers."""
    said = [message for message in task["history"] if message["role"] == "ROLE_USER"]
    texts = [("user", text) for message in said if (text := _text(message["parts"]))]
    return [*texts, *(("agent", _text(artifact["parts"])) for artifact in task["artifacts"])]


def _text(parts: Iterable[dict[str, Any]]) -> str:
    return "".join(part.get("text", "") for part in parts)


def acp(updates: Iterable[Any]) -> list[Line]:
    """The updates of a session, as the SDK's own types; chunks of one message are one line."""
    lines: list[Line] = []
    tools: dict[str, str] = {}
    last: str | None = None
    for update in updates:
        match update.session_update:
            case "user_message_chunk" | "agent_message_chunk" as kind:
                who = kind.removesuffix("_message_chunk")
                if last == update.message_id and lines[-1][0] == who:
                    lines[-1] = (who, lines[-1][1] + update.content.text)
                else:
                    lines.append((who, update.content.text))
                last = update.message_id
            case "tool_call":
                tools[update.tool_call_id] = update.title.lower()
            case "tool_call_update" if update.status == "completed":
                lines.append(("call", tools[update.tool_call_id], _sorted(update.raw_output)))
                last = None
            case _:
                pass
    return lines


def _sorted(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
