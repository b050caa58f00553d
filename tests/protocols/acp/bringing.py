"""What tests of the editor's own MCP servers share: servers to bring, and what became of their tools."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wakeful import Agent
from wakeful.providers.scripted import ScriptedProvider, call

PLAIN = str(Path(__file__).parent / "servers" / "plain.py")
SECRET = "hush-hush-4711"
PATIENCE = 30
ABOUT = call("mcp__notes__about")


def plain(*args: str, name: str = "notes", **env: str) -> dict[str, Any]:
    variables = [{"name": key, "value": value} for key, value in env.items()]
    return {"name": name, "command": sys.executable, "args": [PLAIN, *args], "env": variables}


def scripted(*replies: Any, **more: Any) -> dict[str, Any]:
    return {"agents": [Agent("a", model="scripted:x")], "providers": [ScriptedProvider(list(replies))], **more}


def offered(parts: Mapping[str, Any], request: int = 0) -> set[str]:
    return {tool.name for tool in parts["providers"][0].requests[request].tools}


def outputs(editor: Any) -> list[Any]:
    return [update["rawOutput"] for update in editor.updates if "rawOutput" in update]


def told(editor: Any) -> list[tuple[str, str]]:
    notices = [update for update in editor.updates if update["sessionUpdate"] == "notice"]
    return [(notice["title"], notice["description"]) for notice in notices]


async def until(holds: Any) -> None:
    """Other processes give no signal: look again and again."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


NOTICES = {"session": {"notices": {}}}
