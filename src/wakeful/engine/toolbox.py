"""Runs the allowed tool calls of one step together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from wakeful.contracts.clock import Clock
from wakeful.contracts.errors import ToolError, ToolQuestion
from wakeful.contracts.event import ToolCallFinished, ToolCallStarted
from wakeful.contracts.journal import Journal
from wakeful.contracts.json import JsonValue
from wakeful.contracts.message import FilePart, Message, ResultStatus, SourcePart, ToolCallPart, ToolResultPart
from wakeful.contracts.run import Run
from wakeful.contracts.tool import ToolContext
from wakeful.engine.desk import Desk
from wakeful.engine.gate import Allow
from wakeful.engine.output import bounded_output, bounded_text
from wakeful.engine.state import SharedState
from wakeful.engine.straggler import leave_behind

STOPPING_MS = 500
"""How long a call that was told to stop may take to do so."""

Result = tuple[ResultStatus, JsonValue] | ToolQuestion
log = logging.getLogger("wakeful.tools")


class Toolbox:
    """Runs calls and writes their results. A failing tool fails its call, never the run.

    No output is longer than `max_output_bytes`. `questions` are what calls asked that cannot go on without an answer.
    """

    def __init__(self, run: Run, journal: Journal, clock: Clock, *, state: SharedState, max_output_bytes: int) -> None:
        self._run = run
        self._state = state
        self._journal = journal
        self._clock = clock
        self._max_output_bytes = max_output_bytes
        self.results: list[Message] = []
        self.questions: list[tuple[ToolCallPart, ToolQuestion]] = []

    async def run_all(self, allowed: Sequence[Allow], step: int) -> None:
        """Run all calls at once; each result is journalled as it comes. The starts are durable before any runs.

        A cancellation takes at most half a second, whatever the tools do about it.
        """
        if not allowed:
            return
        self._journal.emit(*(ToolCallStarted(item.call.call_id, item.call.name) for item in allowed))
        await self._journal.flush()
        if len(allowed) == 1:  # it needs no task of its own
            await self._attend(allowed[0], step)
            return
        async with asyncio.TaskGroup() as group:
            for item in allowed:
                group.create_task(self._attend(item, step))

    def answer(self, call: ToolCallPart, status: ResultStatus, output: JsonValue, step: int) -> None:
        """Write the result of a call that did not run."""
        bounded = bounded_text if isinstance(output, str) else bounded_output
        self._write(call, (status, bounded(output, self._max_output_bytes)), step, arguments=None)

    async def _attend(self, item: Allow, step: int) -> None:
        """Write the result of one call; what comes after its time, or long after the run was stopped, is discarded."""
        desk = Desk(item.call, self._journal, self._state)
        work = asyncio.create_task(self._outcome(item, desk), name=f"tool {item.call.name}")
        seconds = item.tool.spec.timeout_seconds
        try:
            in_time = await self._ends(work, None if seconds is None else round(seconds * 1000))
        except asyncio.CancelledError:
            await self._stop(work, desk)
            if work.done() and not work.cancelled():  # it had something to say about being stopped
                self._write(item.call, work.result(), step, arguments=item.edited, extras=desk.extras)
            raise
        if not in_time:
            await self._stop(work, desk)
        desk.over = True
        result = _result(item, work) if in_time else _too_late(item)
        self._write(item.call, result, step, arguments=item.edited, extras=desk.extras)

    async def _ends(self, work: asyncio.Task[Result], within_ms: int | None) -> bool:
        """Wait until the call ends, or its time has passed; whether it ended."""
        if within_ms is None:
            await asyncio.wait({work})
            return True
        timer = asyncio.create_task(self._clock.sleep(within_ms))
        try:
            await asyncio.wait({work, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
        return work.done()

    async def _stop(self, work: asyncio.Task[Result], desk: Desk) -> None:
        """Tell a call to stop; one that does not is left behind."""
        desk.over = True
        work.cancel()
        try:
            await self._ends(work, STOPPING_MS)
        finally:
            if not work.done():
                leave_behind(work)

    async def _outcome(self, item: Allow, desk: Desk) -> Result:
        limit = self._max_output_bytes
        try:
            output = await item.tool.call(item.arguments, self._context(item, desk))
            return "succeeded", bounded_output(output, limit)  # what is not JSON fails here, and fails its call only
        except ToolQuestion as question:
            return question
        except ToolError as error:
            return "failed", bounded_text(error.message, limit)
        except BaseException as error:
            task = asyncio.current_task()
            if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                raise
            log.exception("tool %s failed", item.call.name)
            return _failed(item.call.name, error)

    def _write(
        self,
        call: ToolCallPart,
        result: Result,
        step: int,
        *,
        arguments: str | None,
        extras: Sequence[SourcePart | FilePart] = (),
    ) -> None:
        self._state.show(all_of_it=True)
        if isinstance(result, ToolQuestion):
            self.questions.append((call, result))
            return
        status, output = result
        message_id = self._clock.new_id()
        part = ToolResultPart(call.call_id, call.name, status, output, arguments)
        message = Message(message_id, "tool", (part, *extras), self._clock.now(), run_id=self._run.id, step=step)
        self._journal.emit(ToolCallFinished(call.call_id, call.name, status, output, message_id))
        self._journal.commit(message)
        self.results.append(message)

    def _context(self, item: Allow, desk: Desk) -> ToolContext:
        call = item.call
        return ToolContext(
            call_id=call.call_id,
            tool_name=call.name,
            run_id=self._run.id,
            thread_id=self._run.thread_id,
            agent_id=self._run.agent_id,
            scope=self._run.scope,
            idempotency_key=f"{self._run.id}:{call.call_id}",
            desk=desk,
            answer=item.answer,
        )


def _result(item: Allow, work: asyncio.Task[Result]) -> Result:
    """The result of a call that ended by itself; one that cancelled its own task failed."""
    return _failed(item.call.name, asyncio.CancelledError()) if work.cancelled() else work.result()


def _failed(tool: str, error: BaseException) -> Result:
    return "failed", f"The tool {tool} failed: {type(error).__name__}."


def _too_late(item: Allow) -> Result:
    seconds = item.tool.spec.timeout_seconds
    return (
        "failed",
        f"The tool {item.call.name} took longer than {seconds} seconds. Whether it had an effect is unknown.",
    )
