"""Connects the MCP servers that an editor names, by the MCP plugin: for the program that started this process only."""

from __future__ import annotations

import asyncio
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import ValidationError

from wakeful.bootstrap.redaction import Redaction
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.tool_source import ToolSource
from wakeful.plugins.mcp.spec import HttpSpec, McpServerSpec, StdioSpec
from wakeful.protocols.acp.requests import McpServer

CONNECT_SECONDS = 10
"""How long a server may take to start and to tell its tools, before the user is told that it does not."""


class EditorServers:
    """Keeps the promise of `protocols.acp.servers.Opener`. All calls of their tools ask the user first.

    What variables, headers and addresses hold is hidden from the log.
    """

    http = True

    def __init__(self, clock: Clock, redaction: Redaction, *, connect_seconds: float = CONNECT_SECONDS) -> None:
        self._clock = clock
        self._redaction = redaction
        self._connect_seconds = connect_seconds

    async def open(self, server: McpServer, *, id: str, cwd: str) -> ToolSource:
        """A source that starts or asks the server when it is run; raises `BadRequest`."""
        settings = (server.env if server.type == "stdio" else server.headers) or ()
        self._redaction.add([*(setting.value for setting in settings), *_secrets_of(server.url)])
        # The SDK takes a second to load, and nobody else should wait for it.
        await asyncio.to_thread(import_module, "wakeful.plugins.mcp.source")
        from wakeful.bootstrap.given_headers import GivenHeaders
        from wakeful.plugins.mcp.source import McpSource

        headers = {setting.name: setting.value for setting in settings}
        auth = GivenHeaders(headers) if server.type == "http" and headers else None
        return McpSource(self._spec(server, server_id=id, cwd=cwd), self._clock, auth=auth)

    def _spec(self, server: McpServer, *, server_id: str, cwd: str) -> McpServerSpec:
        try:
            return McpServerSpec(
                id=server_id,
                stdio=_stdio(server, cwd) if server.type == "stdio" else None,
                http=HttpSpec(url=server.url) if server.type == "http" else None,
                connect_timeout_seconds=self._connect_seconds,
            )
        except ValidationError:  # whose message holds what was wrong
            raise BadRequest(
                "its description cannot be used; expected a command, or a url of 2000 characters"
            ) from None


def _stdio(server: McpServer, cwd: str) -> StdioSpec:
    return StdioSpec(
        command=server.command,
        args=server.args or (),
        env={variable.name: variable.value for variable in server.env or ()},
        cwd=cwd if Path(cwd).is_dir() else None,
    )


def _secrets_of(url: str) -> list[str]:
    """What an address may hold that is nobody's business."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return [url]
    return [part for part in (parts.query, parts.password) if part]
