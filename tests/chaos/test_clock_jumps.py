"""Somebody sets the clock of the machine back by an hour: whatever was due stays due."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.model import ModelRequest
from wakeful.contracts.model_errors import Overloaded
from wakeful.embed import AgentRuntime
from wakeful.providers.scripted import Reply, ScriptedProvider
from wakeful.runtime.clock import SystemClock
from wakeful.runtime.config import RuntimeConfig
from wakeful.sdk.agent import Agent

HOUR = 3_600_000_000_000


class Wall:
    """The machine's clock, `ahead` of the true time by so many nanoseconds."""

    def __init__(self, ahead: int = 0) -> None:
        self.ahead = ahead

    def __call__(self) -> int:
        return time.time_ns() + self.ahead


def runtime(wall: Wall, *replies: Reply, store: str | None = None, **config: int) -> AgentRuntime:
    return AgentRuntime(
        agents=[Agent("assistant", model="scripted:m")],
        providers=[ScriptedProvider(replies)],
        store=store,
        clock=SystemClock(wall=wall),
        config=RuntimeConfig(**config),
    )


async def until_finished(agents: AgentRuntime, *runs: str) -> list[RunStatus]:
    """How these runs end."""
    statuses: list[RunStatus] = []
    async with asyncio.timeout(10):
        for name in runs:
            run = await agents.inner.store.get_run("default", name)
            assert run is not None
            await agents.inner.feed.until_rest(run.key)
            rested = await agents.inner.store.get_run("default", name)
            assert rested is not None
            statuses.append(rested.status)
    return statuses


async def test_running_and_queued_work_goes_on_when_the_clock_jumps_back() -> None:
    wall, gate = Wall(), asyncio.Event()
    async with runtime(wall, [gate, "one"], "two", "three", "four", worker_capacity=1) as agents:
        await agents.send("assistant", "1", thread_id="thread", run_id="running")
        await agents.send("assistant", "2", thread_id="thread", run_id="behind it")
        await agents.send("assistant", "3", thread_id="another", run_id="due, but there is no room")

        wall.ahead = -HOUR
        await agents.send("assistant", "4", thread_id="thread", run_id="sent afterwards")
        gate.set()

        ends = await until_finished(agents, "running", "behind it", "due, but there is no room", "sent afterwards")
    assert ends == [RunStatus.COMPLETED] * 4


async def test_a_model_call_is_tried_again_when_the_clock_jumps_back_meanwhile() -> None:
    wall = Wall()

    def jump(_: ModelRequest) -> Reply:
        wall.ahead = -HOUR
        return Overloaded("busy")

    async with runtime(wall, jump, "at last") as agents:
        async with asyncio.timeout(10):
            result = await agents.run("assistant", "hello")

    assert result.text == "at last"


async def test_work_accepted_while_the_clock_ran_ahead_is_done_after_a_restart(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path / 'ahead.db'}"
    async with runtime(Wall(HOUR), store=store, worker_capacity=0) as agents:
        for number in range(3):
            await agents.send("assistant", f"{number}", thread_id="thread", run_id=f"{number}")

    async with runtime(Wall(), "one", "two", "three", store=store) as agents:
        ends = await until_finished(agents, "0", "1", "2")

    assert ends == [RunStatus.COMPLETED] * 3
