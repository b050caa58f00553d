"""The door for Python programs: run agents in process, or serve them from an ASGI app of your own."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette

from wakeful.bootstrap.application import build_app
from wakeful.bootstrap.build import McpServer, build_runtime
from wakeful.bootstrap.settings import read_settings
from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import NotFound
from wakeful.contracts.event import Event
from wakeful.contracts.interrupt import Decision, Interrupt
from wakeful.contracts.managed import ModelPoolSpec
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.model import Provider
from wakeful.contracts.request import InputMessage, InputMode, RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec, ModelSpec
from wakeful.contracts.store import Store
from wakeful.contracts.tool import Tool
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.runtime import Runtime
from wakeful.sdk.agent import Agent
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.function_agent import FunctionAgent
from wakeful.server.app import App
from wakeful.server.auth import DEFAULT_SCOPE
from wakeful.server.checks import check_request
from wakeful.server.config import ServerConfig


@dataclass(frozen=True, slots=True)
class RunResult:
    """A run at rest: `text` is its last answer, `messages` all it wrote, `interrupts` what it waits for."""

    run: Run
    text: str
    messages: tuple[Message, ...]
    interrupts: tuple[Interrupt, ...]


class AgentRuntime:
    """Agents, their tools, models and store. Starts with its first run; use it as an async context manager to stop it.

    `store` is a URL (`sqlite:///agents.db`) or a store; without one everything is kept in memory. `providers` are
    model providers of your own, or configured ones; built-in ones need not be named. `pools` are models that stand in
    for one another, used like a model by their id. `config` are the runtime's settings, else they come from the
    environment. `exposed` is what other programs may call, read and use over MCP;
    nothing without it. `mcp_servers` lend their tools: `McpServerSpec`s, or tool sources of your own. Raises
    `ConfigurationError` when the parts do not fit together.
    """

    def __init__(
        self,
        *,
        agents: Sequence[Agent | FunctionAgent | AgentSpec],
        tools: Sequence[Tool | Callable[..., Any]] = (),
        models: Sequence[ModelSpec] = (),
        pools: Sequence[ModelPoolSpec] = (),
        providers: Sequence[Provider] | Mapping[str, Provider] = (),
        store: Store | str | None = None,
        clock: Clock | None = None,
        config: RuntimeConfig | None = None,
        exposed: Exposed | None = None,
        mcp_servers: Sequence[McpServer] = (),
    ) -> None:
        self._runtime = build_runtime(
            agents=agents,
            tools=tools,
            models=models,
            pools=pools,
            providers=providers,
            store=store,
            clock=clock,
            config=config,
            exposed=exposed,
            mcp_servers=mcp_servers,
        )

    @property
    def inner(self) -> Runtime:
        """The parts, for servers."""
        return self._runtime

    async def __aenter__(self) -> AgentRuntime:
        await self._runtime.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runtime.stop()

    async def run(
        self, agent_id: str, message: str, *, thread_id: str | None = None, run_id: str | None = None
    ) -> RunResult:
        """Send a message and wait until the run rests.

        Raises `NotFound` for an unknown agent, `BadRequest` for an id that fits no path, `Conflict` for one in use.
        """
        receipt = await self._submit(agent_id, message, thread_id, run_id)
        return await self._result(receipt)

    async def stream(
        self, agent_id: str, message: str, *, thread_id: str | None = None, run_id: str | None = None
    ) -> AsyncGenerator[Event]:
        """Send a message and yield the run's events until it rests. Leaving early does not stop the run."""
        receipt = await self._submit(agent_id, message, thread_id, run_id)
        async with aclosing(self._follow(receipt)) as events:
            async for event in events:
                yield event

    async def send(
        self,
        agent_id: str,
        message: str,
        *,
        thread_id: str | None = None,
        run_id: str | None = None,
        mode: InputMode = "queue",
    ) -> Receipt:
        """Put a message into a thread's mailbox and return as soon as it is durable.

        `mode` says what it does to a busy thread. The receipt's `run` is the one that will answer.
        """
        return await self._submit(agent_id, message, thread_id, run_id, mode)

    async def decide(self, run_id: str, *decisions: Decision) -> RunResult:
        """Answer questions of a waiting run and wait until it rests again."""
        return await self._result(await self._decide(run_id, decisions))

    async def stream_decide(self, run_id: str, *decisions: Decision) -> AsyncGenerator[Event]:
        """Answer questions of a waiting run and yield what follows until it rests again."""
        receipt = await self._decide(run_id, decisions)
        async with aclosing(self._follow(receipt)) as events:
            async for event in events:
                yield event

    async def cancel(self, run_id: str) -> Run:
        """Ask a run to stop."""
        return await self._runtime.control.cancel(await self._get(run_id))

    async def _submit(
        self, agent_id: str, message: str, thread_id: str | None, run_id: str | None, mode: InputMode = "queue"
    ) -> Receipt:
        await self._runtime.start()
        request = RunRequest(
            thread_id=thread_id,
            run_id=run_id,
            agent_id=agent_id,
            messages=(InputMessage("user", (TextPart(message),)),),
        )
        check_request(request)
        return await self._runtime.mailbox.submit(DEFAULT_SCOPE, request, origin="embedded", mode=mode)

    async def _decide(self, run_id: str, decisions: Sequence[Decision]) -> Receipt:
        return await self._runtime.control.decide(await self._get(run_id), decisions)

    async def _follow(self, receipt: Receipt) -> AsyncGenerator[Event]:
        async with aclosing(self._runtime.feed.follow(receipt.run.key, after=receipt.after)) as batches:
            async for batch in batches:
                for entry in batch:
                    yield entry.event

    async def _result(self, receipt: Receipt) -> RunResult:
        async with aclosing(self._follow(receipt)) as events:
            async for _ in events:
                pass
        store = self._runtime.store
        run = await self._get(receipt.run.id)
        messages = [message for message in await store.history(run.thread_key) if message.run_id == run.id]
        own = tuple(message for message in messages if message.role in ("assistant", "tool"))
        answers = [message.text for message in own if message.role == "assistant"]
        records = await store.interrupts(run.key)
        waiting = tuple(record.interrupt for record in records if record.decision is None)
        return RunResult(run, answers[-1] if answers else "", own, waiting)

    async def _get(self, run_id: str) -> Run:
        run = await self._runtime.store.get_run(DEFAULT_SCOPE, run_id)
        if run is None:
            raise NotFound("run", run_id)
        return run


class AgentServer:
    """A runtime behind HTTP. `app` is an ASGI app for any server; `run` starts one here."""

    def __init__(self, runtime: AgentRuntime, config: ServerConfig | None = None) -> None:
        self.runtime = runtime
        self.config = config or read_settings()
        self._app = build_app(runtime.inner, self.config)

    @property
    def app(self) -> App:
        """The ASGI app, lifespan included. Mounted as a sub-app it starts the runtime with its first request."""
        return self._app

    def mount(self, host: Starlette, path: str) -> None:
        """Mount the app under `path` of a Starlette or FastAPI app and join its lifespan, so that it stops cleanly.

        Servers wait for open streams before they end the lifespan; give yours a limit, such as uvicorn's
        `timeout_graceful_shutdown`.
        """
        host.mount(path, self._app)
        outer = host.router.lifespan_context

        @asynccontextmanager
        async def both(app: Starlette) -> AsyncGenerator[Any]:
            async with outer(app) as state, self.runtime.inner.lifespan():
                yield state

        host.router.lifespan_context = both

    def run(self) -> None:
        """Serve on the configured address until interrupted."""
        from wakeful.bootstrap.serve import serve

        serve(self._app, self.runtime.inner, self.config)
