"""The stdio transport (MCP 2025-11-25 and 2026-07-28, "stdio"): a child process, its pipes read within bounds.

The SDK's own transport reads a line of any length and leaves the server's stderr on ours; this one bounds both, and
leaves no process behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import anyio

from wakeful.plugins.mcp.guard import Flooded, Guard
from wakeful.plugins.mcp.listing import plain_text
from wakeful.plugins.mcp.spec import StdioSpec

if TYPE_CHECKING:
    from mcp.client._transport import TransportStreams
    from mcp.shared.message import SessionMessage

    Inbound = anyio.abc.ObjectSendStream[SessionMessage | Exception]

GRACE_SECONDS = 2.0
"""How long a server may take to end by itself when its stdin is closed, and once more when it was told to."""
POLL_SECONDS = 0.01
STDERR_BYTES = 2048
log = logging.getLogger("wakeful.mcp")


@asynccontextmanager
async def process_transport(
    spec: StdioSpec, *, server: str, guard: Guard, max_message_bytes: int, closed: Callable[[str], None]
) -> AsyncGenerator[TransportStreams]:
    """A running server's message streams, for the SDK's `Client`; the server and its children are gone afterwards.

    `closed` is told why when the server ends the conversation. Raises `OSError` when it cannot be started.
    """
    child = await _start(spec, max_message_bytes)
    talk = _Talk(child, guard, server, max_message_bytes, closed)
    inbound, received = anyio.create_memory_object_stream["SessionMessage | Exception"](0)
    sent, outbound = anyio.create_memory_object_stream["SessionMessage"](0)
    try:
        async with asyncio.TaskGroup() as tasks:
            pumps = [
                tasks.create_task(talk.read(inbound), name=f"mcp {server} stdout"),
                tasks.create_task(talk.write(outbound), name=f"mcp {server} stdin"),
                tasks.create_task(talk.overhear(), name=f"mcp {server} stderr"),
            ]
            try:
                yield received, sent
            finally:
                for pump in pumps:
                    pump.cancel()
    finally:
        for stream in (inbound, received, sent, outbound):
            stream.close()
        with anyio.CancelScope(shield=True):
            await _end(child)


def child_environment(spec: StdioSpec, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the server sees of the environment: the SDK's harmless few, what is named, and what is set."""
    from mcp.client.stdio import get_default_environment

    named = {name: environment[name] for name in spec.env_from if name in environment}
    return {**get_default_environment(), **named, **spec.env}


class _Talk:
    """Both directions of one server's pipes."""

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        guard: Guard,
        server: str,
        max_message_bytes: int,
        closed: Callable[[str], None],
    ) -> None:
        self._child = child
        self._guard = guard
        self._server = server
        self._limit = max_message_bytes
        self._closed = closed
        self._stderr = b""

    async def read(self, inbound: Inbound) -> None:
        """Pass on what the server says until it closes stdout, floods or sends what is too long."""
        reason = "it closed its output"
        try:
            async with inbound:
                async for line in self._lines():
                    item = _parsed(line)
                    if self._guard.admits(item):
                        await inbound.send(item)
        except Flooded as flood:
            reason = str(flood)
        except ValueError:
            reason = f"it sent a message of more than {self._limit} bytes"
        except (anyio.BrokenResourceError, OSError):
            pass
        told = plain_text(self._stderr.decode(errors="replace"), STDERR_BYTES)
        log.warning("MCP server %s: %s; the end of its stderr: %r", self._server, reason, told)
        self._closed(reason)

    async def _lines(self) -> AsyncGenerator[bytes]:
        stdout = self._child.stdout
        while stdout is not None and (line := await stdout.readline()):
            if line.strip():
                yield line

    async def write(self, outbound: anyio.abc.ObjectReceiveStream[SessionMessage]) -> None:
        """Pass on what the session says."""
        stdin = self._child.stdin
        with contextlib.suppress(OSError):
            async for item in outbound:
                if stdin is not None:
                    stdin.write(item.message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")
                    await stdin.drain()
        self._closed("it closed its input")

    async def overhear(self) -> None:
        """Keep the end of the server's stderr, for the log."""
        stderr = self._child.stderr
        while stderr is not None and (chunk := await stderr.read(STDERR_BYTES)):
            self._stderr = (self._stderr + chunk)[-STDERR_BYTES:]


def _parsed(line: bytes) -> SessionMessage | Exception:
    from mcp.shared.message import SessionMessage
    from mcp.types import jsonrpc_message_adapter

    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValueError as error:
        return error


async def _start(spec: StdioSpec, max_message_bytes: int) -> asyncio.subprocess.Process:
    """The child, in a process group of its own."""
    group = subprocess.CREATE_NEW_PROCESS_GROUP if sys.platform == "win32" else 0
    return await asyncio.create_subprocess_exec(
        spec.command,
        *spec.args,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=child_environment(spec),
        cwd=spec.cwd,
        limit=max_message_bytes,
        start_new_session=sys.platform != "win32",
        creationflags=group,
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    """Close its stdin, wait, tell the whole group to end, wait, kill it; whatever is left of the group goes too."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        if not await _gone(child):
            await _signal(child, hard=False)
            if not await _gone(child):
                log.warning("MCP server process %d did not end when told to and is killed", child.pid)
    finally:
        await _signal(child, hard=True)
        await _gone(child)
        _close_pipes(child)


async def _gone(child: asyncio.subprocess.Process) -> bool:
    """Whether the process itself ended in time; its children may still hold the pipes, which `wait` would wait for."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GRACE_SECONDS):
            while child.returncode is None:  # noqa: ASYNC110 - nothing tells of the end alone
                await asyncio.sleep(POLL_SECONDS)
    return child.returncode is not None


async def _signal(child: asyncio.subprocess.Process, *, hard: bool) -> None:
    """Signal the group; on Windows, where there are no signals, end the tree."""
    if sys.platform == "win32":
        if hard and child.returncode is None:
            killer = await asyncio.create_subprocess_exec(
                "taskkill", "/F", "/T", "/PID", str(child.pid), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            await killer.wait()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL if hard else signal.SIGTERM)


def _close_pipes(child: asyncio.subprocess.Process) -> None:
    """Nothing public closes what a surviving grandchild keeps open."""
    transport = getattr(child, "_transport", None)
    if transport is not None:
        transport.close()
