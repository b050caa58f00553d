"""Whatever is asked of a thread in whatever order, crashes included: one run at a time, each message taken in once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from itertools import groupby
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wakeful.contracts.errors import Backlogged, Conflict
from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.mailbox import queue_revision
from wakeful.contracts.message import TextPart
from wakeful.contracts.model import ModelChunk, ModelRequest, ReplyFinished
from wakeful.contracts.request import InputMessage, InputMode
from wakeful.contracts.run import Run
from wakeful.contracts.thread import Thread
from wakeful.contracts.usage import Usage
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.conftest import House

    from wakeful.runtime.runtime import Runtime

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from(["queue", "steer", "interrupt", "resume"])),
        st.tuples(st.just("model"), st.sampled_from(["answer", "work", "ask"])),
        st.tuples(st.just("decide"), st.booleans()),
        st.tuples(st.sampled_from(["cancel", "interrupt", "withdraw", "reorder", "edit", "crash"]), st.none()),
    ),
    max_size=25,
)


class Puppet:
    """A model whose every reply is chosen from outside."""

    name = "scripted"

    def __init__(self) -> None:
        self.replies: asyncio.Queue[str] = asyncio.Queue()
        self.asked = 0
        self._calls = 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[list[ModelChunk]]:
        del request
        self.asked += 1
        reply = await self.replies.get()
        if reply == "answer":
            yield [TextDelta("yes"), ReplyFinished("stop", Usage())]
            return
        self._calls += 1
        call_id = f"call-{id(self)}-{self._calls}"
        yield [ToolCallProposed(call_id, reply), ToolCallDelta(call_id, "{}"), ReplyFinished("tool_calls", Usage())]

    async def aclose(self) -> None:
        """Nothing to release."""


class Play:
    """One thread and everything that can happen to it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.puppet = Puppet()
        self.accepted: dict[str, str] = {}
        self._ends: dict[str, tuple[RunStatus, str | None]] = {}

    @property
    def runtime(self) -> Runtime:
        return self.house.runtimes[-1]

    async def open(self) -> None:
        self.puppet = Puppet()
        await self.house.open(provider=self.puppet, max_backlog=5)

    async def act(self, name: str, value: Any) -> None:
        await getattr(self, f"_{name}")(value)
        for _ in range(4):
            await self.runtime.store.probe()
        await self.check()

    async def check(self) -> None:
        """One run at a time, and what is over stays over."""
        thread = await self.thread()
        open_runs = await self.runtime.store.open_runs(thread.key) if thread else ()
        assert sum(run.status in (RunStatus.RUNNING, RunStatus.WAITING) for run, _ in open_runs) <= 1
        for run in await self.runs():
            if run.id in self._ends:
                assert (run.status, run.stop_reason) == self._ends[run.id]
            elif run.status in FINISHED:
                self._ends[run.id] = (run.status, run.stop_reason)

    async def finish(self) -> None:
        """Let everything go on until nothing is open."""
        async with asyncio.timeout(20):
            while any(run.status not in FINISHED for run in await self.runs()):
                await self._decide(True)
                if self.puppet.asked and self.puppet.replies.empty():
                    self.puppet.replies.put_nowait("answer")
                self.house.clock.advance(1_000)
                await asyncio.sleep(0.002)

    async def runs(self) -> Sequence[Run]:
        found = await asyncio.gather(*(self.runtime.store.get_run("s", run_id) for run_id in self.accepted.values()))
        return [run for run in found if run is not None]

    async def thread(self) -> Thread | None:
        return await self.runtime.store.get_thread("s", "t")

    async def _submit(self, mode: InputMode) -> None:
        name = f"message-{len(self.accepted)}"
        message = InputMessage("user", (TextPart(name),), name)
        with suppress(Backlogged):
            receipt = await self.house.mailbox_submit((message,), thread_id="t", run_id=f"run of {name}", mode=mode)
            steered = receipt.effect == "steered"
            self.accepted[name] = f"run of {name}" if steered else receipt.run.id

    async def _model(self, reply: str) -> None:
        if self.puppet.replies.empty():
            self.puppet.replies.put_nowait(reply)

    async def _decide(self, yes: bool) -> None:
        for run in await self.runs():
            if run.status is RunStatus.WAITING:
                for record in await self.runtime.store.interrupts(run.key):
                    if record.decision is None:
                        with suppress(Conflict):
                            await self.house.control.decide(run, [Decision(record.interrupt.id, approved=yes)])

    async def _cancel(self, _: None) -> None:
        thread = await self.thread()
        if thread is not None:
            await self.house.control.cancel_thread(thread)

    async def _interrupt(self, _: None) -> None:
        thread = await self.thread()
        if thread is not None:
            await self.house.control.interrupt(thread)

    async def _withdraw(self, _: None) -> None:
        thread = await self.thread()
        entries = await self.runtime.entries.list(thread) if thread else ()
        if thread and entries:
            with suppress(Conflict):
                await self.runtime.entries.withdraw(thread, entries[-1].run.id, None)

    async def _reorder(self, _: None) -> None:
        thread = await self.thread()
        entries = await self.runtime.entries.list(thread) if thread else ()
        if thread:
            with suppress(Conflict):
                order = [entry.run.id for entry in reversed(entries)]
                await self.runtime.entries.reorder(thread, order, queue_revision(entries))

    async def _edit(self, _: None) -> None:
        thread = await self.thread()
        entries = await self.runtime.entries.list(thread) if thread else ()
        if thread and entries:
            other = InputMessage("user", (TextPart("edited"),))
            with suppress(Conflict):
                await self.runtime.entries.edit(thread, entries[0].run.id, entries[0].revision, (other,))

    async def _crash(self, _: None) -> None:
        await self.house.crash(self.runtime)
        self.house.outlive_leases()
        await self.open()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(actions=ACTIONS)
async def test_one_run_at_a_time_and_every_message_once(make_house: Any, actions: list[tuple[str, Any]]):
    house = make_house()

    @tool(effect="pure")
    async def work() -> str:
        """Work."""
        return "worked"

    @tool(approval=True)
    async def ask() -> str:
        """Ask."""
        return "done"

    house.tool(work)
    house.tool(ask)
    play = Play(house)
    await play.open()

    try:
        for name, value in actions:
            await play.act(name, value)
        await play.finish()
        await play.check()
        runs = {run.id: run for run in await play.runs()}
        thread = await play.thread()
        history = await play.runtime.store.history(thread.key) if thread else ()
    finally:
        await play.runtime.stop()

    ids = [message.id for message in history]
    assert len(ids) == len(set(ids))
    for message_id, run_id in play.accepted.items():
        taken_in = runs[run_id].attempt > 0 or runs[run_id].stop_reason == "steered"
        assert (message_id in ids) is taken_in
    producers = [producer for producer, _ in groupby(message.run_id for message in history)]
    assert len(producers) == len(set(producers)), "two runs are interleaved"


@pytest.fixture
def make_house(house: House, tmp_path: Path) -> Any:
    """Makes houses: Hypothesis runs many examples within one test."""
    number = iter(range(1_000_000))
    return lambda: type(house)(tmp_path / f"{next(number)}.db")
