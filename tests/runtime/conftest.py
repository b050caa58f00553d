"""Runtimes on one SQLite file, and a store whose calls can be made to fail or wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec
import pytest

from wakeful.catalog.snapshot import Catalog, Unchanging
from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.event import Event, LogEntry
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.model import Provider
from wakeful.contracts.request import InputMessage, InputMode, RunRequest
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec
from wakeful.contracts.store import Claim, ClaimRequest, Store
from wakeful.contracts.tool import Tool
from wakeful.engine.assignment import Ending
from wakeful.providers.scripted import Reply, ScriptedProvider
from wakeful.runtime.commit import GroupCommit
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.control import Control
from wakeful.runtime.feed import Feed
from wakeful.runtime.mailbox import Mailbox
from wakeful.runtime.receipt import Receipt
from wakeful.runtime.recorder import Recorder
from wakeful.runtime.runtime import Runtime
from wakeful.runtime.steering import Steering
from wakeful.sdk.tool import as_tool
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.clock import FakeClock
from wakeful.testing.store_cases.builders import submission

T = TypeVar("T")
SCOPE = "s"


class Valve:
    """A store in front of another. Calls named in `refused` fail before anything is written, those in `held` wait."""

    def __init__(self, store: Store) -> None:
        self.calls: list[str] = []
        self.refused: set[str] = set()
        self.raising: dict[str, Exception] = {}
        self.answering: dict[str, Any] = {}
        self.held: dict[str, asyncio.Event] = {}
        self.remote = store.remote
        self._store = store
        self._news = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            self._news.set()
            if name in self.held:
                await self.held[name].wait()
            if name in self.refused:
                raise StoreUnavailable("the disk is away")
            if name in self.raising:
                raise self.raising[name]
            if name in self.answering:
                return self.answering[name]
            return await getattr(self._store, name)(*args, **kwargs)

        return call

    def hold(self, name: str) -> asyncio.Event:
        """Make calls wait until the returned event is set."""
        return self.held.setdefault(name, asyncio.Event())

    async def called(self, name: str, times: int = 1) -> None:
        """Return when a call was made so often since `calls` was last cleared."""
        async with asyncio.timeout(5):
            while self.calls.count(name) < times:
                self._news.clear()
                await self._news.wait()

    @property
    def store(self) -> Store:
        """Itself, as what it stands for."""
        return cast("Store", self)  # its methods are made on the fly


class House:
    """Runtimes that share a file as processes share a database, with one clock."""

    def __init__(self, path: Path) -> None:
        self.clock = FakeClock()
        self.agents: list[AgentSpec] = [AgentSpec(id="assistant", model="scripted:any")]
        self.tools: list[Tool] = []
        self.runtimes: list[Runtime] = []
        self.valve = Valve(SQLiteStore(path, readers=1))
        self._path = path

    def tool(self, function: Callable[..., Any]) -> None:
        """Give the first agent a tool."""
        made = as_tool(function)
        self.tools.append(made)
        self.agents[0] = self.agents[0].model_copy(update={"tools": (*self.agents[0].tools, made.spec.name)})

    async def open(
        self,
        *replies: Reply,
        provider: Provider | None = None,
        more: Mapping[str, Provider] | None = None,
        **options: Any,
    ) -> Runtime:
        """A started runtime whose model gives these replies. The first one is behind the valve."""
        store = self.valve.store if not self.runtimes else SQLiteStore(self._path, readers=1)
        runtime = self.built(provider or ScriptedProvider(list(replies)), store, more=more, **options)
        await runtime.start()
        return runtime

    def built(
        self, provider: Provider, store: Store, *, more: Mapping[str, Provider] | None = None, **options: Any
    ) -> Runtime:
        """A runtime that is not started."""
        catalog = Catalog(
            agents={agent.id: agent for agent in self.agents},
            models={},
            providers={"scripted": provider, **(more or {})},
            tools={tool.spec.name: tool for tool in self.tools},
        )
        runtime = Runtime(
            catalogs=Unchanging(catalog),
            store=store,
            clock=self.clock,
            config=RuntimeConfig(**{"shutdown_grace_seconds": 0, **options}),
        )
        self.runtimes.append(runtime)
        return runtime

    async def crash(self, runtime: Runtime) -> None:
        """Drop a runtime as a killed process would be: nothing is settled, nothing is handed back."""
        (main,) = [task for task in asyncio.all_tasks() if task.get_name() == "wakeful runtime"]
        main.cancel()
        await asyncio.wait([main])
        self.runtimes.remove(runtime)
        await runtime.store.aclose()

    def outlive_leases(self) -> None:
        """Let every lease given so far run out."""
        self.clock.advance(31_000)

    async def patient(self, waiting: Coroutine[Any, Any, T], *, step_ms: int = 1_000) -> T:
        """Let time pass until it is there."""
        task = asyncio.create_task(waiting)
        async with asyncio.timeout(10):
            while not task.done():
                self.clock.advance(step_ms)
                await asyncio.wait([task], timeout=0.005)
        return task.result()

    async def submit(
        self, text: str = "Hello", *, mode: InputMode = "queue", key: str | None = None, **request: Any
    ) -> Receipt:
        """A request with one message to the newest runtime."""
        message = InputMessage("user", (TextPart(text),))
        return await self.mailbox_submit((message,), mode=mode, key=key, **request)

    async def mailbox_submit(
        self, messages: tuple[InputMessage, ...], *, mode: InputMode = "queue", key: str | None = None, **request: Any
    ) -> Receipt:
        """A request of any messages."""
        asked = RunRequest(messages=messages, **request)
        return await self.mailbox.submit(SCOPE, asked, origin="test", mode=mode, idempotency_key=key)

    @property
    def control(self) -> Control:
        """The newest runtime's."""
        return self.runtimes[-1].control

    @property
    def mailbox(self) -> Mailbox:
        """The newest runtime's."""
        return self.runtimes[-1].mailbox

    async def entries(self, receipt: Receipt, *, after: int | None = None, **options: Any) -> list[LogEntry]:
        """What the newest runtime's feed shows until the run rests."""
        at = receipt.after if after is None else after
        found: list[LogEntry] = []
        async with asyncio.timeout(10):
            async with aclosing(self.runtimes[-1].feed.follow(receipt.run.key, after=at, **options)) as batches:
                async for batch in batches:
                    found.extend(batch)
        return found

    async def events(self, receipt: Receipt, *, after: int | None = None) -> list[Event]:
        """The same as events."""
        return [entry.event for entry in await self.entries(receipt, after=after)]

    async def seen(self, receipt: Receipt, wanted: Event | type[msgspec.Struct], *, times: int = 1) -> int:
        """Follow a run until it shows this for the last of so many times; its sequence number."""
        async with asyncio.timeout(5):
            async with aclosing(self.runtimes[-1].feed.follow(receipt.run.key, after=0)) as batches:
                async for batch in batches:
                    for entry in batch:
                        if entry.event == wanted or (isinstance(wanted, type) and isinstance(entry.event, wanted)):
                            times -= 1
                            if not times:
                                return entry.seq
        raise AssertionError(f"the run rests and never showed {wanted}")

    async def run(self, receipt: Receipt) -> Run:
        """The run as stored."""
        run = await self.runtimes[-1].store.get_run(SCOPE, receipt.run.id)
        assert run is not None
        return run

    async def history(self, receipt: Receipt) -> Sequence[Message]:
        """The thread's messages."""
        return await self.runtimes[-1].store.history(receipt.run.thread_key)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """Stops what the test left running and lets no task be left over."""
    house = House(tmp_path / "wakeful.db")
    yield house
    house.valve.refused.clear()
    house.valve.raising.clear()
    house.valve.answering.clear()
    for gate in house.valve.held.values():
        gate.set()
    for runtime in house.runtimes:
        await runtime.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


class Desk:
    """A store with runs to write about, without a runtime."""

    def __init__(self, store: Store) -> None:
        self.valve = Valve(store)
        self.store = self.valve.store
        self.clock = FakeClock()
        self.feed = Feed(self.store, self.clock)

    async def claim(self, run_id: str = "r1") -> Claim:
        """A run just accepted and claimed, on a thread of its own; its log ends with 1."""
        request = ClaimRequest(worker="w", now=self.clock.now(), until=self.clock.now() + 30_000)
        accepted = await self.store.accept(submission(run_id, thread_id=f"thread of {run_id}", claim=request))
        assert accepted.lease is not None
        return Claim(run=accepted.run, lease=accepted.lease, last_seq=1)

    async def claim_lost(self) -> Claim:
        """The oldest run whose lease ran out, claimed again."""
        self.clock.advance(31_000)
        request = ClaimRequest(worker="w", now=self.clock.now(), until=self.clock.now() + 30_000)
        (claim,) = await self.store.claim(request, 1)
        return claim

    def writer(self, claim: Claim) -> Writer:
        """Who writes the run's log by hand."""
        return Writer(self, claim)

    def reader(self, claim: Claim, *, permits: int | None = None, **options: Any) -> Reader:
        """Who follows the run, from after its acceptance unless told otherwise."""
        return Reader(self, claim.run.key, permits=permits, **options)

    async def log(self, claim: Claim) -> list[LogEntry]:
        """What is durable."""
        return list((await self.store.read_log(claim.run.key, after=0, limit=10_000)).entries)


class Writer:
    """Writes one run's log by hand: nothing is durable before `save`."""

    def __init__(self, desk: Desk, claim: Claim) -> None:
        self._desk = desk
        channel = desk.feed.channel(claim.run.key)
        idle = GroupCommit(desk.store, desk.clock)
        self.recorder = Recorder(
            claim,
            channel,
            desk.store,
            idle,
            desk.clock,
            steering=Steering(desk.store, desk.feed, desk.clock),
            on_lost=lambda: None,
        )

    def write(self, *events: Event) -> None:
        for event in events:
            self.recorder.emit(event)

    async def save(self) -> None:
        append = self.recorder.take()
        assert append is not None
        assert not await self._desk.store.append([append])
        self.recorder.committed()

    async def end(self, ending: Ending) -> None:
        await self.recorder.settle(ending)


class Reader:
    """Follows a run in a task, one batch at each `permit`; without permits, as they come."""

    def __init__(self, desk: Desk, key: int, *, permits: int | None = None, **options: Any) -> None:
        self.entries: list[LogEntry] = []
        self.silences = 0
        self._desk, self._key, self._options = desk, key, options
        self._permits = asyncio.Semaphore(permits) if permits is not None else None
        self._news = asyncio.Event()
        self.task = asyncio.create_task(self._read())

    def permit(self, batches: int = 1) -> None:
        for _ in range(batches):
            if self._permits is not None:
                self._permits.release()

    async def until(self, event: Event) -> None:
        async with asyncio.timeout(5):
            while event not in self.events():
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> None:
        async with asyncio.timeout(5):
            await self.task

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    def events(self) -> list[Event]:
        return [entry.event for entry in self.entries]

    async def _read(self) -> None:
        options: dict[str, Any] = {"after": 1, **self._options}
        async with aclosing(self._desk.feed.follow(self._key, **options)) as batches:
            async for batch in batches:
                self.silences += not batch
                self.entries.extend(batch)
                self._news.set()
                if self._permits is not None:
                    await self._permits.acquire()


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    store = SQLiteStore(":memory:")
    await store.open()
    yield Desk(store)
    await store.aclose()
