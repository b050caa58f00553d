"""Stays connected to one MCP server and offers its tools: connects, listens for changes, notices death, tries again."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ToolError
from wakeful.contracts.tool import Tool
from wakeful.contracts.tool_source import SourceHealth
from wakeful.plugins.mcp.connection import Connection, connect, reason_of
from wakeful.plugins.mcp.listing import Listing, prefix_of, read_listing
from wakeful.plugins.mcp.spec import McpServerSpec
from wakeful.plugins.mcp.tool import McpTool

if TYPE_CHECKING:
    import httpx2

FIRST_DELAY_MS = 500
LONGEST_DELAY_MS = 60_000
SETTLED_MS = 60_000
"""A connection that lasted this long makes up for earlier failures."""
RELIST_MS = 1000
"""Changes are asked after no more often than this, however often they are announced."""
log = logging.getLogger("wakeful.mcp")


class McpSource:
    """Keeps the promise of `contracts.tool_source.ToolSource` with one MCP server.

    While the server is away its last known tools stay on offer, so that what the model may call does not flicker; their
    calls fail at once and say so. `auth` replaces the configured credentials: any `httpx2.Auth`, such as the SDK's
    `OAuthClientProvider` with a token storage and a browser of the caller's own.
    """

    def __init__(self, spec: McpServerSpec, clock: Clock, *, auth: httpx2.Auth | None = None) -> None:
        self._spec = spec
        self._clock = clock
        self._auth = auth
        self._tools: Mapping[str, Tool] = MappingProxyType({})
        self._health = SourceHealth("connecting", problem="it was not tried yet")
        self._settled = asyncio.Event()
        self._present: Connection | None = None
        self._look = asyncio.Event()
        self._ended: str | None = None

    @property
    def name(self) -> str:
        """`mcp__<id>__`."""
        return prefix_of(self._spec)

    @property
    def server(self) -> str:
        """The server's id."""
        return self._spec.id

    @property
    def tools(self) -> Mapping[str, Tool]:
        """What it offers now; while it is away, what it offered last."""
        return self._tools

    @property
    def health(self) -> SourceHealth:
        """How it is now."""
        return self._health

    def connection(self) -> Connection:
        """The present connection; raises `ToolError` when there is none."""
        if self._present is None:
            raise ToolError(f"The MCP server {self._spec.id} is not connected: {self._health.problem}.")
        return self._present

    def doubt(self) -> None:
        """Look soon whether the server still answers."""
        self._look.set()

    async def settled(self) -> None:
        """Return when the first attempt to connect has succeeded or failed."""
        await self._settled.wait()

    async def run(self) -> None:
        """Connect, and connect again with growing pauses, until cancelled."""
        failures = 0
        try:
            while True:
                since = self._clock.now()
                reason = await self._connected()
                failures = 1 if self._clock.now() - since >= SETTLED_MS else failures + 1
                self._lose(reason)
                await self._clock.sleep(pause_ms(failures))
        finally:
            self._present = None
            self._health = SourceHealth("stopped", tools=len(self._tools), problem="the server was shut down")
            self._settled.set()

    async def _connected(self) -> str:
        """One connection, from its beginning to its end; returns why it ended."""
        self._ended = None
        self._look.clear()
        if not self._settled.is_set():
            self._health = SourceHealth("connecting", problem="it has not answered yet")
        try:
            return await self._stay()
        except Exception as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():  # the transport failed while it was being closed
                raise asyncio.CancelledError from error
            log.debug("MCP server %s: the connection failed", self._spec.id, exc_info=True)
            return self._ended or reason_of(error)
        finally:
            self._present = None

    async def _stay(self) -> str:
        opening = connect(self._spec, self._clock, auth=self._auth, changed=self.doubt, closed=self._note_end)
        async with asyncio.timeout(self._spec.connect_timeout_seconds) as patience:
            async with opening as connection:
                self._offer(read_listing(self._spec, await connection.tools()))
                patience.reschedule(None)
                self._present = connection
                self._settled.set()
                async with asyncio.TaskGroup() as tasks:
                    listening = tasks.create_task(self._listen(connection), name=f"mcp {self._spec.id} changes")
                    try:
                        return await self._keep_looking(connection)
                    finally:
                        self._present = None
                        listening.cancel()

    async def _keep_looking(self, connection: Connection) -> str:
        """Ask for the list whenever there may be news, until the connection ends; returns why it did."""
        while self._ended is None:
            await self._until_news()
            if self._ended is not None:
                break
            self._look.clear()
            try:
                async with asyncio.timeout(self._spec.connect_timeout_seconds):
                    self._offer(read_listing(self._spec, await connection.tools()))
            except Exception as error:
                return self._ended or reason_of(error)
            await self._clock.sleep(RELIST_MS)
        return self._ended

    async def _until_news(self) -> None:
        """Return when a look was asked for, or none was for long."""
        async with asyncio.TaskGroup() as tasks:
            timer = tasks.create_task(self._clock.sleep(round(self._spec.check_seconds * 1000)))
            timer.add_done_callback(lambda _: self._look.set())
            await self._look.wait()
            timer.cancel()

    async def _listen(self, connection: Connection) -> None:
        """Hear of changes; when the server stops telling, a look finds out whether it is still there."""
        while True:
            try:
                await connection.listen()
            except Exception as error:
                log.info("MCP server %s tells of no changes: %s", self._spec.id, reason_of(error))
            else:
                return
            self.doubt()
            await self._clock.sleep(LONGEST_DELAY_MS)

    def _offer(self, listing: Listing) -> None:
        tools = {offer.spec.name: McpTool(offer, self, self._clock) for offer in listing.offers}
        for reason in listing.refused:
            log.warning("MCP server %s: left out %s", self._spec.id, reason)
        if self._tools.keys() != tools.keys() or self._health.state != "connected":
            log.info("MCP server %s offers %d tools", self._spec.id, len(tools))
        self._tools = MappingProxyType(tools)
        self._health = SourceHealth("connected", tools=len(tools))

    def _note_end(self, reason: str) -> None:
        """Remember the first reason why the server ended the conversation."""
        self._ended = self._ended or reason
        self._look.set()

    def _lose(self, reason: str) -> None:
        self._health = SourceHealth("disconnected", tools=len(self._tools), problem=reason)
        self._settled.set()
        log.warning("MCP server %s is away: %s", self._spec.id, reason)


def pause_ms(failures: int) -> int:
    """Milliseconds before the next attempt after so many failures in a row: exponential with jitter."""
    ceiling = min(LONGEST_DELAY_MS, FIRST_DELAY_MS << min(failures - 1, 16))
    return ceiling // 2 + random.randrange(ceiling // 2 + 1)  # noqa: S311 - spreads load, protects nothing
