"""The few verbs any protocol may ask for, checked against who asks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

from wakeful.contracts.errors import Gone, NotFound
from wakeful.contracts.event import LogEntry
from wakeful.contracts.exposure import Exposure
from wakeful.contracts.interrupt import InterruptRecord
from wakeful.contracts.lifecycle import RESTING
from wakeful.contracts.message import Message
from wakeful.contracts.query import (
    LogPage,
    MessageQuery,
    MessageRows,
    RunCounts,
    RunQuery,
    RunRows,
    ThreadChange,
    ThreadQuery,
    ThreadRows,
)
from wakeful.contracts.request import InputMode, RunRequest
from wakeful.contracts.run import Run, Voids
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import ChildStrategy, Store
from wakeful.contracts.thread import Thread
from wakeful.contracts.tool import ToolSpec
from wakeful.contracts.tool_source import ToolSource
from wakeful.runtime.projection import Projector
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.runtime import Runtime
from wakeful.server import sse
from wakeful.server.auth import Auth, Principal
from wakeful.server.capabilities import Capabilities, Protocol
from wakeful.server.checks import check_id, check_json, check_request
from wakeful.server.config import ServerConfig
from wakeful.server.control import Control
from wakeful.server.files import FileHosts, Files
from wakeful.server.metrics import Metrics
from wakeful.server.remote_files import RemoteFiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How to show a run: which protocol's fold (`key` names it among equal folds), from where, until when.

    Events up to `after` are folded but not shown; `start` is where folding may begin. `voids` are the parts of the log
    that a protocol which cannot take back what it showed leaves out; None for one that shows everything.
    """

    key: str
    encoder: Callable[[], sse.Encoder]
    start: int = 0
    after: int = 0
    until_finished: bool = False
    voids: Voids | None = None


class Operations:
    """The front desk. Whatever a principal's scope does not hold is `NotFound`."""

    def __init__(
        self, runtime: Runtime, config: ServerConfig, metrics: Metrics, protocols: tuple[Protocol, ...] = ()
    ) -> None:
        self._runtime = runtime
        self._protocols = protocols
        self._config = config
        self._metrics = metrics
        self._auth = Auth(config)
        self._file_hosts = FileHosts(config.file_hosts)
        self._remote_files = RemoteFiles(self._file_hosts)
        self.control = Control(runtime, self._remote_files)

    @property
    def store(self) -> Store:
        """The store, for reads."""
        return self._runtime.store

    @property
    def ai_sdk_version(self) -> Literal["5", "6", "7"]:
        """The major version of the AI SDK that clients speak which do not say so."""
        return self._config.ai_sdk_version

    def now(self) -> int:
        """The time in milliseconds since the epoch."""
        return self._runtime.clock.now()

    def agent(self, agent_id: str | None) -> AgentSpec:
        """The agent, or the default one; raises `NotFound`."""
        catalog = self._runtime.catalog
        return catalog.default_agent() if agent_id is None else catalog.agent(agent_id)

    def capabilities(self) -> Capabilities:
        """What there is to talk to now."""
        return Capabilities(self._runtime.catalog, self._protocols)

    def agent_tools(self, agent: AgentSpec) -> list[ToolSpec]:
        """The agent's own tools, in its order; other agents it may hand work to are not among them."""
        tools = self._runtime.catalog.tools
        return [tools[name].spec for name in agent.tools if name in tools]

    @property
    def exposure(self) -> Exposure:
        """What is offered to other programs by name."""
        return self._runtime.catalog.exposure

    def files(self) -> Files:
        """What counts and checks the files of one request."""
        return Files(self._file_hosts)

    def principal(self, request: HTTPConnection) -> Principal:
        """Who asks; raises `Unauthorised`."""
        return self._auth.principal(request)

    # -- runs

    async def submit(
        self,
        principal: Principal,
        request: RunRequest,
        *,
        origin: str,
        mode: InputMode = "interrupt",
        idempotency_key: str | None = None,
    ) -> Receipt:
        """Accept a request; see `Mailbox.submit`. Returns before the agent has answered."""
        check_request(request)
        messages = await self._remote_files.described(request.messages)
        request = msgspec.structs.replace(request, messages=messages)
        return await self._runtime.mailbox.submit(
            principal.scope, request, origin=origin, mode=mode, idempotency_key=idempotency_key
        )

    def watch(self, run: Run, watch: Watch, *, headers: dict[str, str] | None = None, trailer: bytes = b"") -> Response:
        """An event stream of a run; raises `Gone` when its log was removed."""
        return sse.EventStream(
            self.frames(run, watch),
            trailer=trailer,
            headers=headers,
            going_down=lambda: self._runtime.feed.closing,
            counted=self._metrics.streams,
        )

    def frames(self, run: Run, watch: Watch) -> AsyncGenerator[bytes]:
        """What such a stream shows; empty bytes mean silence. Raises `Gone`, and while read whatever the store does."""
        return self._projected(run, watch, lambda: sse.framed(watch.encoder()))

    async def payloads(self, run: Run, watch: Watch) -> AsyncGenerator[bytes]:
        """What `watch` shows, payload by payload, for protocols that frame by themselves; payloads are lines of JSON.

        Ends when the run rests (with `until_finished`: is finished) or the process goes down. Raises `Gone` when the
        log was removed.
        """
        own = replace(watch, key=f"lines:{watch.key}")  # no bytes of an event stream's
        lines = self._projected(run, own, lambda: _lines(watch.encoder()))
        async with aclosing(lines):
            async for data in lines:
                for payload in data.splitlines():
                    yield payload

    def follow(self, run: Run, *, after: int, until_finished: bool = False) -> AsyncGenerator[list[LogEntry]]:
        """Every event of a run after `after`, for protocols that frame by themselves; an empty batch means silence.

        Ends when the run rests (with `until_finished`: is finished) or the process goes down. Raises `Gone` when the
        log was removed.
        """
        _check_log(run)
        return self._runtime.feed.follow(
            run.key,
            after=after,
            batch=self._config.sse_buffer_size,
            until_finished=until_finished,
            silence_ms=int(self._config.heartbeat_seconds * 1000),
        )

    @property
    def going_down(self) -> bool:
        """Whether streams end because the process does."""
        return self._runtime.feed.closing

    async def run(self, principal: Principal, run_id: str) -> Run:
        """The run; raises `NotFound`."""
        run = await self.store.get_run(principal.scope, run_id)
        if run is None:
            raise NotFound("run", run_id)
        return run

    async def runs(self, query: RunQuery) -> RunRows:
        """One page of runs."""
        return await self.store.list_runs(query)

    async def log(self, run: Run, *, after: int, limit: int) -> LogPage:
        """Committed events of a run; raises `Gone` when they were removed."""
        _check_log(run)
        return await self.store.read_log(run.key, after=after, limit=limit)

    async def count_runs(self, principal: Principal) -> RunCounts:
        """How many unfinished runs the principal's scope has."""
        return await self.store.count_runs(principal.scope)

    async def showable(self, thread: Thread) -> Run | None:
        """The run a returning client should be shown from its beginning, if any.

        That is the thread's running or queued run, or its newest one while nobody has read that to its end.
        """
        active = await self.store.active_run(thread.key)
        if active is not None and active.status not in RESTING:
            return active
        latest = active or await self.store.latest_run(thread.key)
        return latest if latest is not None and self._runtime.feed.unseen(latest.key) else None

    # -- threads

    async def thread(self, principal: Principal, thread_id: str) -> Thread:
        """The thread; raises `NotFound`."""
        thread = await self.store.get_thread(principal.scope, thread_id)
        if thread is None:
            raise NotFound("thread", thread_id)
        return thread

    async def threads(self, query: ThreadQuery) -> ThreadRows:
        """One page of threads."""
        return await self.store.list_threads(query)

    async def create_thread(
        self,
        principal: Principal,
        *,
        title: str | None,
        resource_id: str | None,
        parent_thread_id: str | None,
        thread_id: str | None = None,
    ) -> Thread:
        """A new, empty thread."""
        check_id("thread", thread_id)
        now = self._runtime.clock.now()
        return await self.store.create_thread(
            Thread(
                key=0,
                scope=principal.scope,
                id=thread_id or self._runtime.clock.new_id(),
                created_at=now,
                updated_at=now,
                title=title,
                resource_id=resource_id,
                parent_thread_id=parent_thread_id,
            )
        )

    async def update_thread(self, thread: Thread, change: ThreadChange) -> Thread:
        """Change a thread's description."""
        check_json("custom", change.custom)
        return await self.store.update_thread(thread.key, change, self._runtime.clock.now())

    async def delete_thread(self, thread: Thread, strategy: ChildStrategy) -> None:
        """Remove a thread."""
        await self.store.delete_thread(thread.key, strategy)

    def has_tools(self, prefix: str) -> bool:
        """Whether there are tools already whose names begin so."""
        catalog = self._runtime.catalog
        return prefix in catalog.sources or any(name.startswith(prefix) for name in catalog.tools)

    def lend(self, thread: Thread, source: ToolSource) -> None:
        """Offer a source's tools to the runs of a thread that this process carries, until they are taken back."""
        self._runtime.lending.lend(thread.scope, thread.id, source)

    def take_back(self, thread: Thread, source: ToolSource) -> None:
        """Offer them no more."""
        self._runtime.lending.take_back(thread.scope, thread.id, source)

    async def messages(self, query: MessageQuery) -> MessageRows:
        """One page of a thread's messages."""
        return await self.store.list_messages(query)

    async def conversation(self, thread: Thread) -> tuple[Sequence[Message], Sequence[InterruptRecord]]:
        """A thread's external messages, and the questions of its unfinished run with the answers so far."""
        messages = [message for message in await self.store.history(thread.key) if message.visibility == "external"]
        active = await self.store.active_run(thread.key)
        return messages, await self.store.interrupts(active.key) if active else ()

    def _projected(self, run: Run, watch: Watch, projector: Callable[[], Projector]) -> AsyncGenerator[bytes]:
        _check_log(run)
        return self._runtime.feed.project(
            run.key,
            key=watch.key,
            projector=projector,
            start=watch.start,
            after=watch.after,
            batch=self._config.sse_buffer_size,
            until_finished=watch.until_finished,
            voids=watch.voids,
            silence_ms=int(self._config.heartbeat_seconds * 1000),
        )


def _lines(encoder: sse.Encoder) -> Projector:
    def lines(entry: LogEntry) -> bytes:
        return b"".join(b"%b\n" % payload for payload in encoder.encode(entry))

    return lines


def _check_log(run: Run) -> None:
    if run.pruned:
        raise Gone(f"the log of run {run.id} was removed because it was old; its messages are still on the thread")
