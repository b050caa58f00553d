"""An editor: the official ACP client, with `wakeful acp` as its agent."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import acp
from acp import schema
from tests.processes import transcripts
from tests.processes.transcripts import Line

PATIENCE = 60
ALLOWED = schema.RequestPermissionResponse(outcome=schema.AllowedOutcome(outcome="selected", option_id="allow_once"))


class Editor(acp.Client):
    """Notes every update. A permission it is asked for is given once `allow` is called."""

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.asked: list[Any] = []
        self._changed = asyncio.Condition()
        self._may = asyncio.Event()
        self._connection: Any = None

    def on_connect(self, conn: Any) -> None:
        """Called by the SDK once there is an agent."""
        self._connection = conn

    async def load(self, session: str) -> None:
        """Open a session: `updates` begins again with what shows it, and what goes on in it follows."""
        self.updates.clear()
        async with asyncio.timeout(PATIENCE):
            await self._connection.load_session(session_id=session, cwd="/project", mcp_servers=[])

    async def shows(self, lines: list[Line]) -> None:
        """Return when the session is as these lines say."""
        await self.until(lambda: transcripts.acp(self.updates) == lines)

    def allow(self) -> None:
        """Give the permissions that were asked for, and all that follow."""
        self._may.set()

    async def until(self, fits: Callable[[], object]) -> None:
        """Return when what was heard makes `fits()` true."""
        try:
            async with asyncio.timeout(PATIENCE), self._changed:
                await self._changed.wait_for(fits)
        except TimeoutError:
            raise AssertionError(f"it was asked {self.asked} and shows {transcripts.acp(self.updates)}") from None

    async def session_update(self, session_id: str, update: Any, **_: Any) -> None:
        """Called by the SDK."""
        async with self._changed:
            self.updates.append(update)
            self._changed.notify_all()

    async def request_permission(self, **request: Any) -> schema.RequestPermissionResponse:
        """Called by the SDK."""
        async with self._changed:
            self.asked.append(request["tool_call"])
            self._changed.notify_all()
        await self._may.wait()
        return ALLOWED


@asynccontextmanager
async def editing(target: str, folder: Path, **environment: str) -> AsyncIterator[Editor]:
    """An editor whose agent's process carries no runs itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WAKEFUL_")}
    command = (sys.executable, "-m", "wakeful", "acp", target, "--no-worker")
    editor = Editor()
    async with acp.spawn_agent_process(editor, *command, env={**clean, **environment}, cwd=folder) as (connection, _):
        async with asyncio.timeout(PATIENCE):
            await connection.initialize(protocol_version=acp.PROTOCOL_VERSION)
        yield editor
