"""Runs as tasks of the old era (MCP 2025-11-25, tasks): the client asks for one with its call, and for its result.

They are the same runs as those of the newer extension: a task's id is its run's id, a task never expires, and it is
stored before its client hears of it.
"""

from __future__ import annotations

import asyncio

from wakeful.contracts.errors import NotFound
from wakeful.contracts.json import JsonObject, JsonValue
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import questions, tasks, wire
from wakeful.protocols.mcp.calls import ORIGIN, Calls, Following
from wakeful.protocols.mcp.client import Client
from wakeful.server import pages
from wakeful.server.operations import Operations

PAGE = 20
PATIENCE_SECONDS = 10
"""How long a run may take to stop before its task is said to be cancelled."""


class LegacyTasks:
    """Shows, lists and cancels them; any run of the client's scope may be followed as one."""

    def __init__(self, operations: Operations, calls: Calls) -> None:
        self._operations = operations
        self._calls = calls

    def created(self, following: Following) -> JsonObject:
        """The answer to a call that asked to be a task."""
        return {"task": {**_task(following.run), "status": "working"}}

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | Following | None:
        """The result, or the run whose end gives it; None for a method that is none of these. Raises `Refused`."""
        if not client.may_ask_for_tasks:
            return None
        match call.method:
            case "tasks/list":
                return await self._listed(client, call)
            case "tasks/get":
                return await self._shown(await self._run(client, call))
            case "tasks/cancel":
                return await self._cancelled(await self._run(client, call))
            case "tasks/result":
                return await self._result(client, call, await self._run(client, call))
            case _:
                return None

    async def _listed(self, client: Client, call: wire.Call) -> JsonObject:
        cursor = call.params.get("cursor")
        seen = pages.decode_cursor(wire.text_of(call.params, "cursor"), {}) if cursor is not None else None
        after = (seen[0], int(seen[1])) if seen else None
        rows = await self._operations.runs(
            RunQuery(scope=client.principal.scope, origin=ORIGIN, after=after, limit=PAGE)
        )
        shown: list[JsonValue] = list(await asyncio.gather(*(self._shown(run) for run in rows.items)))
        page: JsonObject = {"tasks": shown}
        if rows.has_more:
            last = rows.items[-1]
            page["nextCursor"] = pages.encode_cursor({}, (last.created_at, last.key))
        return page

    async def _shown(self, run: Run) -> JsonObject:
        """A task as it is; one whose result is a failed call has failed."""
        shown = _task(run)
        if shown["status"] == "completed" and (await self._calls.written(run))["isError"]:
            shown["status"] = "failed"
        return shown

    async def _cancelled(self, run: Run) -> JsonObject:
        if run.status in FINISHED:
            raise wire.Refused(wire.INVALID_PARAMS, f"task {run.id} is over and cannot be cancelled")
        await self._operations.control.cancel(run)
        return {**_task(await self._operations.control.rested(run, PATIENCE_SECONDS)), "status": "cancelled"}

    async def _result(self, client: Client, call: wire.Call, run: Run) -> Following:
        """Where the run is: its open questions are asked on this stream, its end is the response."""
        open_runs = await self._operations.store.open_runs(run.thread_key)
        now, seq = next(((one, seq) for one, seq in open_runs if one.key == run.key), (None, 0))
        if now is None:
            now = await self._operations.run(client.principal, run.id)
            seq = (await self._operations.store.last_seqs([run.key])).get(run.key, 0)
        records = await self._operations.store.interrupts(run.key) if now.status is RunStatus.WAITING else ()
        return Following(run=now, call=call, client=client, after=seq, asked=questions.open_questions(records))

    async def _run(self, client: Client, call: wire.Call) -> Run:
        task_id = wire.text_of(call.params, "taskId")
        try:
            return await self._operations.run(client.principal, task_id)
        except NotFound as error:
            raise wire.Refused(wire.INVALID_PARAMS, f"there is no task {task_id!r}") from error


def asks_for_task(client: Client, call: wire.Call) -> bool:
    """Whether a call is to be a task. Raises `Refused` for a wish that is no object."""
    asked = client.may_ask_for_tasks and call.params.get("task") is not None
    if asked:
        wire.object_of(call.params, "task")
    return asked


def _task(run: Run) -> JsonObject:
    names = {"ttlMs": "ttl", "pollIntervalMs": "pollInterval"}
    return {names.get(name, name): value for name, value in tasks.task(run).items()}
