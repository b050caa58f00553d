"""An editor without a process: it speaks to an agent over lines in memory, and every line is judged by the schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from acp import schema
from tests.protocols.acp.judge import Judge, judge

from wakeful.bootstrap.demo import demo_agents
from wakeful.bootstrap.editor_servers import EditorServers
from wakeful.bootstrap.redaction import Redaction
from wakeful.contracts.errors import BadRequest
from wakeful.embed import AgentRuntime
from wakeful.protocols.acp.connection import Connection
from wakeful.protocols.acp.methods import Methods
from wakeful.protocols.acp.servers import Opener, Servers
from wakeful.server.auth import Principal
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations

PATIENCE = 30
FORMS = {"elicitation": {"form": {}}}
NOTICES = {"session": {"notices": {}}}


class Lines:
    """Both pipes, in memory. A client that stalls does not take more than `room` lines."""

    def __init__(self, room: int) -> None:
        self.to_agent: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.from_agent: asyncio.Queue[bytes] = asyncio.Queue(room)

    async def read(self) -> bytes | None:
        line = await self.to_agent.get()
        if line is not None and len(line) > 1_000_000:
            raise BadRequest("too long")
        return line

    async def write(self, line: bytes) -> None:
        await self.from_agent.put(line)


class RpcError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Any = error.get("data")


class Editor:
    """Sends requests, notes every update, and answers what it is asked with `answers[method](params)`."""

    def __init__(
        self,
        runtime: AgentRuntime,
        room: int = 10_000,
        *,
        scope: str = "default",
        opener: Opener | None = None,
        **about: Any,
    ) -> None:
        self.runtime = runtime
        self.lines = Lines(room)
        self.heard: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.sessions: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.called_off: list[int] = []
        self.changed = asyncio.Condition()
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self.judge = Judge()
        self._pending: dict[Any, asyncio.Future[Any]] = {}
        self._count = 100
        self._tasks: set[asyncio.Task[None]] = set()
        operations = Operations(runtime.inner, ServerConfig(), Metrics(runtime.inner))
        about["agents"] = list(runtime.inner.catalog.agents.values())
        self.servers = Servers(operations, opener or EditorServers(runtime.inner.clock, Redaction()))
        self.connection = Connection(
            self.lines,
            lambda client: Methods(operations, client, principal=Principal(scope), servers=self.servers, **about),
        )

    async def run(self) -> None:
        async with self.servers.running():
            await self.connection.run()

    # -- sending

    def say(self, message: Any) -> None:
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        self.lines.to_agent.put_nowait(line)

    def notify(self, method: str, **params: Any) -> None:
        self.say({"jsonrpc": "2.0", "method": method, "params": params})

    def begin(self, method: str, params: Any, *, id: Any = None) -> asyncio.Future[Any]:
        self._count += 1
        number = self._count if id is None else id
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending[number] = future
        self.judge.announce(number, method)
        self.say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        return future

    async def request(self, method: str, **params: Any) -> Any:
        async with asyncio.timeout(PATIENCE):
            return await self.begin(method, params)

    async def initialize(self, capabilities: Any = None, version: int = 1) -> Any:
        return await self.request("initialize", protocolVersion=version, clientCapabilities=capabilities or {})

    async def new(self, cwd: str = "/project", **more: Any) -> str:
        return (await self.request("session/new", cwd=cwd, mcpServers=more.pop("servers", []), **more))["sessionId"]

    def start_prompt(self, session: str, text: str) -> asyncio.Future[Any]:
        return self.begin("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": text}]})

    async def prompt(self, session: str, text: str) -> str:
        async with asyncio.timeout(PATIENCE):
            return (await self.start_prompt(session, text))["stopReason"]

    # -- hearing

    async def listen(self) -> None:
        while True:
            message = json.loads((await self.lines.from_agent.get()).decode("utf-8"))
            self.judge.hear(message)
            self.heard.append(message)
            if "method" in message:
                self._hear(message)
            else:
                self._settle(message)
            async with self.changed:
                self.changed.notify_all()

    def _hear(self, message: dict[str, Any]) -> None:
        method, params = message["method"], message["params"]
        if method == "session/update":
            self.sessions.append(params["sessionId"])
            self.updates.append(params["update"])
        elif method == "$/cancel_request":
            self.called_off.append(params["requestId"])
        else:
            self.asked.append((method, params))
            task = asyncio.create_task(self._reply(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _reply(self, message: dict[str, Any]) -> None:
        answer = self.answers.get(message["method"])
        if answer is None:
            return
        result = answer(message["params"])
        if isinstance(result, Awaitable):
            result = await result
        body = {"error": {"code": -32601, "message": "no"}} if result is None else {"result": result}
        self.say({"jsonrpc": "2.0", "id": message["id"], **body})

    def _settle(self, message: dict[str, Any]) -> None:
        future = self._pending.pop(message["id"], None)
        if "error" in message:
            if future is not None:
                future.set_exception(RpcError(message["error"]))
            return
        assert future is not None, message
        future.set_result(message["result"])

    async def until(self, fits: Callable[[], Any]) -> Any:
        """Wait until something heard makes `fits()` true; its value."""
        async with asyncio.timeout(PATIENCE), self.changed:
            await self.changed.wait_for(fits)
            return fits()

    def kinds(self) -> list[str]:
        return [update["sessionUpdate"] for update in self.updates]

    def text(self, kind: str = "agent_message_chunk") -> str:
        chunks = [update["content"].get("text", "") for update in self.updates if update["sessionUpdate"] == kind]
        return "".join(chunks)

    def statuses(self) -> list[str]:
        calls = [update for update in self.updates if update["sessionUpdate"].startswith("tool_call")]
        return [update["status"] for update in calls if "status" in update]


def allow(_: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": {"outcome": "selected", "optionId": "allow_once"}}


def reject(_: dict[str, Any]) -> dict[str, Any]:
    return {"outcome": {"outcome": "selected", "optionId": "reject_once"}}


Connect = Callable[..., Awaitable[Editor]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Connects an editor to agents, `await connect(agents=..., providers=...)`, or to a runtime that works already."""
    editors: list[tuple[Editor, list[asyncio.Task[None]]]] = []
    async with AsyncExitStack() as stack:

        async def start(
            *, runtime: AgentRuntime | None = None, capabilities: Any = None, greet: bool = True, **parts: Any
        ) -> Editor:
            about = {name: parts.pop(name) for name in ("room", "context_size", "scope", "opener") if name in parts}
            if runtime is None:
                runtime = await stack.enter_async_context(
                    AgentRuntime(agents=parts.pop("agents", None) or demo_agents(), **parts)
                )
                stack.callback(runtime.inner.cut_off)
            editor = Editor(runtime, **about)
            tasks = [asyncio.create_task(editor.run()), asyncio.create_task(editor.listen())]
            editors.append((editor, tasks))
            if greet:
                await editor.initialize(capabilities)
            return editor

        yield start
        for editor, (running, listening) in editors:
            editor.lines.to_agent.put_nowait(None)
            async with asyncio.timeout(PATIENCE):
                await running
            listening.cancel()
            failed = (await asyncio.gather(listening, return_exceptions=True))[0]
            assert isinstance(failed, asyncio.CancelledError), failed
            assert editor.judge.judged == len(editor.heard)


@pytest.fixture
async def editor(connect: Connect) -> Editor:
    """An editor with the demo agent."""
    return await connect()


@pytest.fixture(scope="session")
def judged() -> Callable[[Any], None]:
    """Fails for an update that the published schema does not allow."""
    return lambda update: judge(schema.SessionNotification, {"sessionId": "s", "update": update})


@pytest.fixture(scope="session")
def allowing() -> Any:
    """Allows what it is asked."""
    return allow


@pytest.fixture(scope="session")
def rejecting() -> Any:
    """Rejects what it is asked."""
    return reject
