"""An editor without a process: it speaks to an agent over lines in memory, and every line is judged by the schema."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any, Literal

import pytest
from acp import schema
from pydantic import BaseModel, Field

from wakeful.bootstrap.demo import demo_agents
from wakeful.contracts.errors import BadRequest
from wakeful.embed import AgentRuntime
from wakeful.protocols.acp.connection import Connection
from wakeful.protocols.acp.methods import Methods
from wakeful.server.auth import Principal
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations

PATIENCE = 10
RESULTS: dict[str, type[BaseModel]] = {
    "initialize": schema.InitializeResponse,
    "session/new": schema.NewSessionResponse,
    "session/load": schema.LoadSessionResponse,
    "session/resume": schema.ResumeSessionResponse,
    "session/list": schema.ListSessionsResponse,
    "session/close": schema.CloseSessionResponse,
    "session/delete": schema.DeleteSessionResponse,
    "session/prompt": schema.PromptResponse,
    "session/set_mode": schema.SetSessionModeResponse,
    "session/set_config_option": schema.SetSessionConfigOptionResponse,
}
ASKED: dict[str, Any] = {
    "session/request_permission": schema.RequestPermissionRequest,
    "elicitation/create": schema.CreateFormSessionElicitationRequest,
    "session/update": schema.SessionNotification,
    "$/cancel_request": schema.CancelRequestNotification,
}
FORMS = {"elicitation": {"form": {}}}
NOTICES = {"session": {"notices": {}}}


class Notice(BaseModel, extra="forbid"):
    """`Notice` as ACP 1 publishes it, with the severities that it names."""

    session_update: Literal["notice"] = Field(alias="sessionUpdate")
    severity: Literal["info", "warning", "error"]
    title: str = Field(min_length=1)
    description: str | None = None


def judge(shape: type[BaseModel], value: Any) -> None:
    """Fails for a member that the schema does not know, or reads as something else.

    The package's schema is older than the published one, by which everything is judged end to end: it knows neither
    notices, whose shape is written down here, nor names of tools.
    """
    if isinstance(update := value.get("update", value.get("toolCall")), dict):
        if update.get("sessionUpdate") == "notice":
            assert value.keys() == {"sessionId", "update"}
            judge(Notice, update)
            return
        assert isinstance(update.get("name", ""), str)
        value = value | {("update" if "update" in value else "toolCall"): {k: update[k] for k in update if k != "name"}}
    read = shape.model_validate(value)
    assert read.model_dump(by_alias=True, mode="json", exclude_unset=True) == value


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

    def __init__(self, runtime: AgentRuntime, room: int = 10_000, *, scope: str = "default", **about: Any) -> None:
        self.runtime = runtime
        self.lines = Lines(room)
        self.heard: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.sessions: list[str] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.called_off: list[int] = []
        self.changed = asyncio.Condition()
        self.answers: dict[str, Callable[[dict[str, Any]], Any]] = {}
        self._pending: dict[Any, tuple[str, asyncio.Future[Any]]] = {}
        self._count = 100
        self._tasks: set[asyncio.Task[None]] = set()
        operations = Operations(runtime.inner, ServerConfig(), Metrics(runtime.inner))
        agents = list(runtime.inner.catalog.agents.values())
        self.connection = Connection(
            self.lines,
            lambda client: Methods(operations, client, principal=Principal(scope), agents=agents, **about),
        )

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
        self._pending[number] = (method, future)
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
            message = json.loads(await self.lines.from_agent.get())
            assert message["jsonrpc"] == "2.0"
            self.heard.append(message)
            if "method" in message:
                judge(ASKED[message["method"]], message["params"])
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
        assert ("result" in message) != ("error" in message)
        method, future = self._pending.pop(message["id"], ("", None))
        if "error" in message:
            judge(schema.Error, message["error"])
            assert "\n" not in message["error"]["message"]
            if future is not None:
                future.set_exception(RpcError(message["error"]))
            return
        assert future is not None, message
        judge(RESULTS[method], message["result"])
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
            about = {name: parts.pop(name) for name in ("room", "context_size", "scope") if name in parts}
            if runtime is None:
                runtime = await stack.enter_async_context(
                    AgentRuntime(agents=parts.pop("agents", None) or demo_agents(), **parts)
                )
                stack.callback(runtime.inner.cut_off)
            editor = Editor(runtime, **about)
            tasks = [asyncio.create_task(editor.connection.run()), asyncio.create_task(editor.listen())]
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
