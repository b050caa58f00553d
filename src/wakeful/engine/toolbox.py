"""Runs the allowed tool calls of one step together."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Sequence
from contextlib import suppress

import msgspec

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ToolError
from wakeful.contracts.event import ToolCallFinished, ToolCallStarted, ToolProgressed
from wakeful.contracts.journal import Journal
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import Message, ResultStatus, ToolCallPart, ToolResultPart
from wakeful.contracts.run import Run
from wakeful.contracts.tool import ToolContext
from wakeful.engine.gate import Allow

log = logging.getLogger("wakeful.tools")


class Toolbox:
    """Runs calls and writes their results. A failing tool fails its call, never the run."""

    def __init__(self, run: Run, journal: Journal, clock: Clock) -> None:
        self._run = run
        self._journal = journal
        self._clock = clock
        self.results: list[Message] = []
        self.busy = False

    async def run_all(self, allowed: Sequence[Allow], step: int) -> None:
        """Run all calls at once; each result is journalled as it comes. The starts are durable before any runs."""
        for item in allowed:
            self._journal.emit(ToolCallStarted(item.call.call_id, item.call.name))
        if not allowed:
            return
        await self._journal.flush()
        self.busy = True
        try:
            async with asyncio.TaskGroup() as group:
                for item in allowed:
                    group.create_task(self._run_one(item, step))
        finally:
            self.busy = False

    def answer(self, call: ToolCallPart, status: ResultStatus, output: JsonValue, step: int) -> None:
        """Write the result of a call."""
        message_id = self._clock.new_id()
        part = ToolResultPart(call.call_id, call.name, status, output)
        message = Message(message_id, "tool", (part,), self._clock.now(), run_id=self._run.id, step=step)
        self._journal.emit(ToolCallFinished(call.call_id, call.name, status, output, message_id))
        self._journal.commit(message)
        self.results.append(message)

    async def _run_one(self, item: Allow, step: int) -> None:
        watch = _Watch(item.call, self._journal)
        try:
            status, output = await self._outcome(item, watch)
        finally:
            watch.over = True
        self.answer(item.call, status, output, step)

    async def _outcome(self, item: Allow, watch: _Watch) -> tuple[ResultStatus, JsonValue]:
        try:
            output = await item.tool.call(item.arguments, self._context(item.call, watch))
            # What is not JSON must fail here, where it fails its call only.
            return "succeeded", msgspec.json.decode(msgspec.json.encode(output))
        except ToolError as error:
            return "failed", error.message.encode(errors="replace").decode()
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            log.exception("tool %s failed", item.call.name)
            return "failed", f"The tool {item.call.name} failed: {type(error).__name__}."

    def _context(self, call: ToolCallPart, watch: _Watch) -> ToolContext:
        return ToolContext(
            call_id=call.call_id,
            run_id=self._run.id,
            thread_id=self._run.thread_id,
            agent_id=self._run.agent_id,
            idempotency_key=f"{self._run.id}:{call.call_id}",
            progress=watch.progress,
            cancelled=lambda: watch.over,
        )


class _Watch:
    """Carries progress of one call to the journal, from whatever thread, until the call is over.

    A tool does not wait for the store: progress that comes while the journal is behind is left out.
    """

    def __init__(self, call: ToolCallPart, journal: Journal) -> None:
        self._call = call
        self._journal = journal
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self.over = False

    def progress(self, message: str | None, progress: float | None, total: float | None) -> None:
        event = ToolProgressed(self._call.call_id, self._call.name, message, progress, total)
        if threading.get_ident() == self._thread:
            self._emit(event)
        elif not self.over:
            with suppress(RuntimeError):  # the loop is closed, and nobody is left to watch
                self._loop.call_soon_threadsafe(self._emit, event)

    def _emit(self, event: ToolProgressed) -> None:
        if not self.over and not self._journal.behind:
            self._journal.emit(event)
