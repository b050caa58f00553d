"""Calls that are told to stop, because the run is or because their time has passed."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.json import JsonObject
from wakeful.contracts.tool import ToolContext
from wakeful.engine.toolbox import STOPPING_MS
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.engine.conftest import Stage


class Stubborn:
    """An async tool that goes on when it is cancelled, until it is let go."""

    def __init__(self) -> None:
        self.running, self.told, self.let_go, self.over = (asyncio.Event() for _ in range(4))

    async def __call__(self, *_: object) -> str:
        self.running.set()
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.told.set()
        self.over.set()
        return "late result"


async def test_a_stop_cancels_async_tools_and_answers_their_calls(stage: Stage):
    cancelled, running = asyncio.Event(), asyncio.Event()

    async def wait(*_: object) -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    stage.tool("wait", wait)
    stage.answering("quick", 1)
    task = stage.begin([call("quick", call_id="a"), call("wait", call_id="b")])
    await running.wait()

    await stage.stop(task)

    assert cancelled.is_set()
    assert stage.results() == {"a": ("succeeded", 1), "b": ("cancelled", "The run was stopped.")}
    assert stage.book.kinds()[-1] == "StepFinished"


async def test_a_stop_discards_what_a_tool_in_a_thread_still_brings(stage: Stage):
    running, release, over = asyncio.Event(), threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(context: ToolContext) -> str:
        loop.call_soon_threadsafe(running.set)
        release.wait(5)
        context.progress("late")
        loop.call_soon_threadsafe(over.set)
        return "late result"

    async def look(arguments: JsonObject, context: ToolContext) -> str:
        return await asyncio.to_thread(work, context)

    stage.tool("look", look)
    task = stage.begin(call("look", call_id="a"))
    await running.wait()

    await stage.stop(task)
    written = list(stage.book.events)
    release.set()
    await over.wait()

    assert stage.results() == {"a": ("cancelled", "The run was stopped.")}
    assert stage.book.events == written


async def test_a_tool_that_swallows_the_stop_keeps_its_result(stage: Stage):
    running = asyncio.Event()

    async def stubborn(*_: object) -> str:
        running.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "saved"
        return "never"

    stage.tool("stubborn", stubborn)
    task = stage.begin(call("stubborn", call_id="a"))
    await running.wait()

    await stage.stop(task)

    assert stage.results() == {"a": ("succeeded", "saved")}


@pytest.mark.proves("R08")
async def test_a_stop_leaves_a_tool_behind_that_ignores_it_and_discards_its_result(
    stage: Stage, caplog: pytest.LogCaptureFixture
):
    stubborn = Stubborn()
    stage.tool("stubborn", stubborn)
    task = stage.begin(call("stubborn", call_id="a"))
    await stubborn.running.wait()

    task.cancel()
    async with asyncio.timeout(5):
        await stage.clock.until_asleep()
        stage.clock.advance(STOPPING_MS)
        await asyncio.wait([task])
    assert stage.loop is not None
    stage.loop.salvage()
    written = list(stage.book.events)
    stubborn.let_go.set()
    async with asyncio.timeout(5):
        await stubborn.over.wait()
        await asyncio.sleep(0)

    assert task.cancelled()
    assert stubborn.told.is_set()
    assert stage.results() == {"a": ("cancelled", "The run was stopped.")}
    assert stage.book.events == written
    assert "tool stubborn does not stop although it was cancelled" in caplog.text


async def test_nobody_waits_for_a_tool_that_was_left_behind(stage: Stage):
    stubborn = Stubborn()
    stage.tool("stubborn", stubborn)
    task = stage.begin(call("stubborn"))
    await stubborn.running.wait()
    task.cancel()
    async with asyncio.timeout(5):
        await stage.clock.until_asleep()
        stage.clock.advance(STOPPING_MS)
        await asyncio.wait([task])

    left = {one.get_name() for one in asyncio.all_tasks()}
    stubborn.let_go.set()

    assert "tool stubborn" not in left


@pytest.mark.proves("R08")
async def test_a_stop_does_not_wait_for_a_sync_tool_and_discards_its_result(stage: Stage):
    loop, running, release, over = asyncio.get_running_loop(), asyncio.Event(), threading.Event(), asyncio.Event()
    seen: list[bool] = []

    @tool
    def work(context: ToolContext) -> str:
        loop.call_soon_threadsafe(running.set)
        release.wait(5)
        seen.append(context.cancelled)
        loop.call_soon_threadsafe(over.set)
        return "late result"

    stage.tools.append(work)
    task = stage.begin(call("work", call_id="a"))
    await running.wait()

    await stage.stop(task)
    written = list(stage.book.events)
    release.set()
    async with asyncio.timeout(5):
        await over.wait()
        await asyncio.sleep(0)

    assert stage.results() == {"a": ("cancelled", "The run was stopped.")}
    assert stage.book.events == written
    assert seen == [True]


async def test_a_call_that_takes_too_long_fails_and_the_run_goes_on(stage: Stage):
    running, cancelled = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> None:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    stage.tool("slow", slow, timeout_seconds=2.5)
    stage.answering("quick", 1)
    task = stage.begin([call("slow", call_id="a"), call("quick", call_id="b")], "Too slow.")
    await running.wait()
    await stage.clock.until_due(stage.clock.now() + 2500)

    stage.clock.advance(2500)
    async with asyncio.timeout(5):
        ending = await task

    assert ending.stop_reason == "answered"
    assert cancelled.is_set()
    assert stage.results() == {
        "a": ("failed", "The tool slow took longer than 2.5 seconds. Whether it had an effect is unknown."),
        "b": ("succeeded", 1),
    }


async def test_what_a_call_returns_after_its_time_is_discarded(stage: Stage):
    async def late(*_: object) -> str:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "late result"
        return "never"

    stage.tool("late", late, timeout_seconds=1)
    task = stage.begin(call("late", call_id="a"), "Too late.")
    await stage.clock.until_due(stage.clock.now() + 1000)

    stage.clock.advance(1000)
    async with asyncio.timeout(5):
        await task

    assert stage.results()["a"][0] == "failed"


async def test_a_call_that_ignores_the_end_of_its_time_does_not_hold_up_the_run(stage: Stage):
    stubborn = Stubborn()
    stage.tool("stubborn", stubborn, timeout_seconds=1)
    task = stage.begin(call("stubborn", call_id="a"), "Never mind.")
    await stage.clock.until_due(stage.clock.now() + 1000)
    stage.clock.advance(1000)
    await stage.clock.until_due(stage.clock.now() + STOPPING_MS)
    stage.clock.advance(STOPPING_MS)

    async with asyncio.timeout(5):
        ending = await task

    assert ending.stop_reason == "answered"
    assert stage.results()["a"][0] == "failed"
    stubborn.let_go.set()


async def test_a_sync_tool_that_never_returns_fails_its_call_when_its_time_has_passed(stage: Stage):
    loop, running, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    @tool(timeout=60)
    def hang() -> None:
        loop.call_soon_threadsafe(running.set)
        release.wait(5)

    stage.tools.append(hang)
    task = stage.begin(call("hang", call_id="a"), "It hangs.")
    await running.wait()

    stage.clock.advance(60_000)
    async with asyncio.timeout(5):
        ending = await task
    release.set()

    assert ending.stop_reason == "answered"
    assert stage.results()["a"][0] == "failed"


async def test_a_call_in_time_leaves_no_timer_behind(stage: Stage):
    stage.answering("quick", 1, timeout_seconds=60)

    await stage.play(call("quick", call_id="a"), "One.")
    await asyncio.sleep(0)

    assert stage.results() == {"a": ("succeeded", 1)}
    assert stage.clock.due == []


async def test_a_tool_that_cancels_its_own_task_fails_its_call_only(stage: Stage):
    async def confused(*_: object) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.Event().wait()

    stage.tool("confused", confused)

    async with asyncio.timeout(5):
        ending = await stage.play(call("confused", call_id="a"), "Never mind.")

    assert ending.stop_reason == "answered"
    assert stage.results() == {"a": ("failed", "The tool confused failed: CancelledError.")}
