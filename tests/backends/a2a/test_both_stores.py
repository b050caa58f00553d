"""What must outlive a process outlives it in either store: the handle of a remote task, and the order to stop it."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from tests.backends.a2a.working import Gate, agents, tasks, until
from tests.stores.postgres.conftest import Server, run

from wakeful import Agent, AgentRuntime, AgentServer, Decision, ServerConfig
from wakeful.bootstrap.plugs import open_store
from wakeful.catalog.snapshot import Catalog, Unchanging
from wakeful.contracts.backend import BackendChunk, Memory, Turn
from wakeful.contracts.clock import Clock
from wakeful.contracts.event import TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec, Endpoint
from wakeful.contracts.store import Store
from wakeful.runtime.abandonment import HELD_MS, KIND, LOOK_MS, Abandonment
from wakeful.runtime.clock import SystemClock
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.memory import run_memory
from wakeful.testing.clock import FakeClock
from wakeful.testing.store_cases.builders import SCOPE, settlement, start

PATIENCE = 60
names = count(1)


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-a2a-"))
    folder.chmod(0o777)
    running = Server(folder)
    running.start()
    try:
        yield running
    finally:
        running.control("stop", "-m", "immediate")
        shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgres"])
async def url(request: pytest.FixtureRequest, tmp_path: Path, postgres: Server) -> str:
    """An empty store of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'here.db'}"
    name = f"test_{next(names)}"
    await run(postgres.url("postgres"), f"create database {name}")
    return postgres.url(name)


class Elsewhere:
    """The other server, which can be out of order: then it answers everything with 503."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.down = False
        self.refused = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self.down:
            self.refused.set()
            await Response(status_code=503)(scope, receive, send)
        else:
            await self._app(scope, receive, send)


class Here:
    """The side that asks, on one store: each runtime is a process of its own to the others."""

    def __init__(self, elsewhere: Elsewhere, port: int, store: Any, url: str) -> None:
        self.elsewhere = elsewhere
        self.store = store
        """The other server's."""
        self._endpoint = Endpoint(url=f"http://127.0.0.1:{port}")
        self._url = url

    def process(self, clock: Clock | None = None) -> AgentRuntime:
        config = RuntimeConfig(shutdown_grace_seconds=0)
        asked = Agent("remote", endpoint=self._endpoint)
        return AgentRuntime(agents=[asked], store=self._url, config=config, clock=clock)


class Later(SystemClock):
    """The time when nothing is held any more that the process before held."""

    def now(self) -> int:
        return super().now() + 2 * HELD_MS


@pytest.fixture
async def here(listen: Callable[[Any], Any], gate: Gate, url: str) -> AsyncIterator[Here]:
    served = AgentServer(AgentRuntime(agents=agents(gate)), ServerConfig())
    elsewhere = Elsewhere(served.app)
    async with listen(elsewhere) as port:
        yield Here(elsewhere, port, served.runtime.inner.store, url)
        gate.open.set()


async def shown(runtime: AgentRuntime, run: Run, wanted: str) -> None:
    """Returns when the run shows a text; the run goes on."""
    async with asyncio.timeout(PATIENCE), aclosing(runtime.inner.feed.follow(run.key, after=0)) as batches:
        async for batch in batches:
            if TextDelta(wanted) in [entry.event for entry in batch]:
                return


async def at_rest(runtime: AgentRuntime, run: Run) -> Run:
    """The run, once nobody carries it."""
    async with asyncio.timeout(PATIENCE), aclosing(runtime.inner.feed.follow(run.key, after=0)) as batches:
        async for _ in batches:
            pass
    found = await runtime.inner.store.get_run(run.scope, run.id)
    assert found is not None
    return found


@pytest.mark.proves("A13")
async def test_the_task_and_its_conversation_are_kept_before_more_of_them_is_awaited(here: Here) -> None:
    async with here.process() as runtime:
        asked = (await runtime.send("remote", "slow")).run
        await shown(runtime, asked, "One, ")
        (task,) = await tasks(here)

        store = runtime.inner.store
        handle = await store.get_document("default", "memory", f"run/{asked.id}")
        conversation = await store.get_document("default", "memory", f"thread/{asked.thread_id}/remote")
        await runtime.cancel(asked.id)

    assert handle is not None
    assert (handle.value["task_id"], handle.value["delivered"]) == (task.id, True)
    assert conversation is not None
    assert conversation.value["context_id"] == task.thread_id


@pytest.mark.proves("A13")
async def test_the_next_process_watches_the_same_task_to_its_end(here: Here, gate: Gate) -> None:
    async with here.process() as runtime:
        asked = (await runtime.send("remote", "slow")).run
        await shown(runtime, asked, "One, ")

    async with here.process() as runtime:
        gate.open.set()
        await shown(runtime, asked, "two.")
        ended = await at_rest(runtime, asked)
        (answer,) = [one for one in await runtime.inner.store.history(asked.thread_key) if one.role == "assistant"]

    assert (ended.status, answer.text) == ("completed", "One, two.")
    assert len(gate.asked) == len(await tasks(here)) == 1


@pytest.mark.proves("A13")
async def test_the_next_process_passes_an_answer_on_to_the_task_that_waits(here: Here) -> None:
    async with here.process() as runtime:
        asked = await runtime.run("remote", "ask")

    async with here.process() as runtime:
        result = await runtime.decide(asked.run.id, Decision(asked.interrupts[0].id, output="3"))

    assert result.text == "Weather: fine for 3 days."
    assert [one.status for one in await tasks(here)] == ["completed"]


@pytest.mark.proves("A13")
async def test_a_cancel_that_the_other_server_did_not_hear_is_told_it_by_the_next_process(here: Here) -> None:
    async with here.process() as runtime:
        asked = await runtime.run("remote", "ask")
        here.elsewhere.down = True
        cancelled = await runtime.cancel(asked.run.id)
        async with asyncio.timeout(PATIENCE):
            await here.elsewhere.refused.wait()
            while (note := await runtime.inner.store.get_document("default", KIND, asked.run.id)) is not None:
                if note.value["tries"]:
                    break
    still_waiting = [one.status for one in await tasks(here)]

    here.elsewhere.down = False
    async with here.process(Later()):
        await until(here, "cancelled")

    assert cancelled.status == "cancelled"
    assert note is not None
    assert still_waiting == ["waiting"]


class Counted:
    """A backend that counts how often it is told to stop the work of a run."""

    name = "counted"

    def __init__(self) -> None:
        self.stopped: list[str] = []

    async def stream(self, turn: Turn) -> AsyncGenerator[list[BackendChunk]]:
        raise AssertionError("no step is carried here")
        yield []

    async def abandon(self, run: Run, memory: Memory) -> None:
        assert await memory.read() == {"task": run.id}
        self.stopped.append(run.id)

    async def aclose(self) -> None:
        """Nothing to release."""


async def test_of_several_processes_one_stops_each_abandoned_task(url: str) -> None:
    backend, clock = Counted(), FakeClock()
    spec = AgentSpec(id="assistant", endpoint=Endpoint(url="http://elsewhere.example"))
    catalog = Catalog(agents={"assistant": spec}, models={}, providers={}, tools={}, backends={"assistant": backend})
    async with AsyncExitStack() as stack:
        stores = [await opened(stack, url) for _ in range(1 if url.startswith("sqlite") else 3)]
        processes = [Abandonment(catalogs=Unchanging(catalog), store=store, clock=clock) for store in stores]
        noted = [await over(stores[0], clock, number) for number in range(30)]
        for one in noted:
            await processes[0].note(one)

        looking = [asyncio.create_task(process.run()) for process in processes]
        async with asyncio.timeout(PATIENCE):
            while await left(stores[0]):
                await clock.until_asleep()
                clock.advance(LOOK_MS)
        for task in looking:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*looking)

    assert sorted(backend.stopped) == sorted(one.id for one in noted)


async def opened(stack: AsyncExitStack, url: str) -> Store:
    store = open_store(url)
    await store.open()
    stack.push_async_callback(store.aclose)
    return store


async def over(store: Store, clock: FakeClock, number: int) -> Run:
    """A run that was cancelled while it worked elsewhere."""
    run, lease = await start(store, f"r{number}")
    await run_memory(store, clock, run).write({"task": run.id})
    await store.settle(settlement(lease, RunStatus.CANCELLED))
    return run


async def left(store: Store) -> int:
    return len(await store.list_documents(SCOPE, KIND, prefix="", after="", limit=100))
