"""Runs as tasks (MCP 2026-07-28, extension io.modelcontextprotocol/tasks): a task's id is its run's id.

A run is stored before its task is announced. What the run wrote is the task's result, also when the agent failed: that
is the tool's failure, not the protocol's. A run that was cancelled is a cancelled task.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from wakeful.contracts.errors import NotFound
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import FINISHED, RunStatus
from wakeful.contracts.run import Run
from wakeful.protocols.mcp import questions, wire
from wakeful.protocols.mcp.calls import Calls, Following
from wakeful.protocols.mcp.client import TASKS, Client
from wakeful.server.operations import Operations

POLL_MS = 500
Status = Literal["working", "input_required", "completed", "cancelled"]
STATUS: dict[RunStatus, Status] = {
    RunStatus.QUEUED: "working",
    RunStatus.RUNNING: "working",
    RunStatus.WAITING: "input_required",
    RunStatus.COMPLETED: "completed",
    RunStatus.FAILED: "completed",
    RunStatus.CANCELLED: "cancelled",
}


class Tasks:
    """Shows, answers and cancels them; any run of the client's scope may be followed as one."""

    def __init__(self, operations: Operations, calls: Calls) -> None:
        self._operations = operations
        self._calls = calls

    async def answer(self, client: Client, call: wire.Call) -> JsonObject | None:
        """The result, None for a method that is none of these. Raises `Refused`."""
        if call.method not in ("tasks/get", "tasks/update", "tasks/cancel"):
            return None
        if not client.knows_tasks:
            raise wire.Refused(
                wire.MISSING_CAPABILITY,
                f"expected the extension {TASKS} among the client's capabilities",
                data={"requiredCapabilities": {"extensions": {TASKS: {}}}},
            )
        run = await self._run(client, wire.text_of(call.params, "taskId"))
        match call.method:
            case "tasks/get":
                return await self.detailed(client, run)
            case "tasks/update":
                await self._calls.answer(run, wire.object_of(call.params, "inputResponses"))
                return {}
            case _:
                await self._operations.control.cancel(run)
                return {}

    async def of_call(self, following: Following) -> JsonObject | None:
        """A call that has not come to its end in time, or asks something, as a task; None: its result is there."""
        run = await self._operations.control.rested(following.run, self._operations.exposure.task_after_seconds)
        return None if run.status in FINISHED else {"resultType": "task", **task(run)}

    async def detailed(self, client: Client, run: Run) -> JsonObject:
        """A task with its result, or with what it asks."""
        shown = task(run)
        if run.status is RunStatus.WAITING:
            asked = questions.open_questions(await self._operations.store.interrupts(run.key))
            return {**shown, "inputRequests": questions.input_requests(asked, client)}
        if run.status in FINISHED and run.status is not RunStatus.CANCELLED:
            return {**shown, "result": {"resultType": "complete", **await self._calls.written(run)}}
        return shown

    async def _run(self, client: Client, task_id: str) -> Run:
        try:
            return await self._operations.run(client.principal, task_id)
        except NotFound as error:
            raise wire.Refused(wire.INVALID_PARAMS, f"there is no task {task_id!r}") from error


def task(run: Run) -> JsonObject:
    """A run as a task; it never expires, and times are ISO 8601 in UTC."""
    said: JsonObject = {"statusMessage": run.error.message} if run.error else {}
    return {
        "taskId": run.id,
        "status": STATUS[run.status],
        **said,
        "createdAt": _time(run.created_at),
        "lastUpdatedAt": _time(run.updated_at),
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
