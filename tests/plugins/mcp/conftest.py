"""Connected sources, contexts to call their tools in, and servers over HTTP."""

from __future__ import annotations

import asyncio
import importlib.util
import socket
import sys
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uvicorn

from wakeful.contracts.clock import Clock
from wakeful.contracts.json import JsonValue
from wakeful.contracts.tool import CallAnswer, CallReport, Tool, ToolContext
from wakeful.plugins.mcp.source import McpSource
from wakeful.plugins.mcp.spec import HttpSpec, McpServerSpec, StdioSpec
from wakeful.runtime.clock import SystemClock

SERVERS = Path(__file__).parent / "servers"
PATIENCE = 30


class Desk:
    """Keeps what a call reports."""

    cancelled = False

    def __init__(self) -> None:
        self.state: MutableMapping[str, JsonValue] = {}
        self.reports: list[CallReport] = []
        self.reported = asyncio.Event()

    def update_state(self, key: str, change: Callable[[Any], Any], default: Any) -> Any:
        self.state[key] = change(self.state.get(key, default))
        return self.state[key]

    def report(self, event: CallReport) -> None:
        self.reports.append(event)
        self.reported.set()


def context_of(desk: Desk, answer: CallAnswer | None = None) -> ToolContext:
    return ToolContext(
        call_id="c1",
        tool_name="t",
        run_id="r",
        thread_id="th",
        agent_id="a",
        scope="s",
        idempotency_key="r:c1",
        desk=desk,
        answer=answer,
    )


def loaded(name: str) -> ModuleType:
    """A server's file as a module."""
    spec = importlib.util.spec_from_file_location(f"mcp_{name}", SERVERS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def friendly(**settings: Any) -> McpServerSpec:
    stdio = StdioSpec(
        command=sys.executable, args=(str(SERVERS / "friendly.py"),), env_from=("SEEN",), env={"SET": "1"}
    )
    return McpServerSpec(**{"id": "nice", "stdio": stdio, "approval": "never", **settings})


def hostile(how: str, **settings: Any) -> McpServerSpec:
    stdio = StdioSpec(command=sys.executable, args=(str(SERVERS / "hostile.py"), how))
    return McpServerSpec(**{"id": "bad", "stdio": stdio, "approval": "never", **settings})


@asynccontextmanager
async def connected(spec: McpServerSpec, clock: Clock | None = None) -> AsyncIterator[McpSource]:
    """A source at work, after its first attempt."""
    source = McpSource(spec, clock or SystemClock())
    work = asyncio.create_task(source.run())
    try:
        async with asyncio.timeout(PATIENCE):
            await source.settled()
        yield source
    finally:
        work.cancel()
        await asyncio.wait([work])
        assert work.cancelled()


async def called(tool: Tool, arguments: dict[str, Any], answer: CallAnswer | None = None) -> JsonValue:
    """The result of a call that reports to nobody."""
    async with asyncio.timeout(PATIENCE):
        return await tool.call(tool.check(arguments), context_of(Desk(), answer))


async def until(holds: Callable[[], bool]) -> None:
    """Other processes give no signal: look again and again."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


class Host:
    """An ASGI app on a port of its own that can be taken away and brought back."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Host]:
        config = uvicorn.Config(
            self._app(), host="127.0.0.1", port=self.port, log_level="warning", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        self.port = server.servers[0].sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.should_exit = True
            await serving


def over_http(host: Host, **settings: Any) -> McpServerSpec:
    return McpServerSpec(**{"id": "nice", "http": HttpSpec(url=host.url), "approval": "never", **settings})


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """The friendly server over HTTP."""
    module = loaded("friendly")
    async with Host(lambda: module.build().streamable_http_app()).up() as host:
        yield host


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
