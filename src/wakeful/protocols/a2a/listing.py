"""The list of a scope's tasks: those that came over A2A, by the time of their status, newest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Run
from wakeful.protocols.a2a.decode import history_length, moment, state
from wakeful.protocols.a2a.faults import invalid
from wakeful.protocols.a2a.history import state_of_run
from wakeful.protocols.a2a.tasks import ORIGIN, Caller, Tasks
from wakeful.protocols.a2a.wire import ListRequest, State, Task, TaskPage
from wakeful.server.operations import Operations
from wakeful.server.pages import decode_cursor, encode_cursor

SCANNED = 1000
"""How many runs one page may look through for a state that the store does not know."""
DEFAULT_SIZE = 50
LARGEST_SIZE = 100
STATUSES: dict[State, tuple[RunStatus, ...]] = {
    State.SUBMITTED: (RunStatus.QUEUED,),
    State.WORKING: (RunStatus.RUNNING, RunStatus.QUEUED),
    State.CANCELED: (RunStatus.CANCELLED,),
    State.AUTH_REQUIRED: (RunStatus.WAITING,),
    State.INPUT_REQUIRED: (RunStatus.WAITING,),
    State.COMPLETED: (RunStatus.COMPLETED,),
    State.REJECTED: (RunStatus.COMPLETED,),
    State.FAILED: (RunStatus.FAILED, RunStatus.COMPLETED),
}
"""The statuses a run may have in that state; a failed task may be a run that was completed by a limit."""


@dataclass(frozen=True, slots=True)
class _Found:
    """`last` is the run behind which the next page begins, None: there is none."""

    runs: list[Run]
    total: int
    last: Run | None


class Listing:
    """Answers ListTasks."""

    def __init__(self, operations: Operations, tasks: Tasks) -> None:
        self._operations = operations
        self._tasks = tasks

    async def page(self, caller: Caller, request: ListRequest) -> TaskPage:
        """One page; raises `Fault`. Artifacts are left out unless they are asked for."""
        length = history_length(request.history_length)
        wanted, since = state(request.status), moment(request.status_timestamp_after)
        size = _size(request.page_size)
        filters = {
            "agent": caller.agent_id,
            "context": request.context_id,
            "state": wanted,
            "since": since,
        }
        query = RunQuery(
            scope=caller.principal.scope,
            thread_id=request.context_id or None,
            agent_id=caller.agent_id,
            statuses=STATUSES.get(wanted, ()) if wanted else (),
            origin=ORIGIN,
            updated_from=since,
            order="updated",
            after=_position(request.page_token, filters),
            limit=size if wanted is None else SCANNED,
        )
        found = await self._found(query, wanted, size)
        return TaskPage(
            tasks=tuple([await self._task(run, request, length) for run in found.runs]),
            next_page_token=encode_cursor(filters, (found.last.updated_at, found.last.key)) if found.last else "",
            page_size=size,
            total_size=found.total,
        )

    async def _found(self, query: RunQuery, wanted: State | None, size: int) -> _Found:
        """The runs of a page. `total` is exact, but for a state of which there are more than one look can tell."""
        rows = await self._operations.runs(query)
        runs = [run for run in rows.items if wanted is None or await self._state(run) is wanted]
        whole = query.after is None and not rows.has_more
        total = len(runs) if whole and wanted is not None else rows.total
        if len(runs) > size:
            return _Found(runs[:size], total, runs[size - 1])
        return _Found(runs, total, rows.items[-1] if rows.has_more else None)

    async def _state(self, run: Run) -> State:
        records = await self._operations.store.interrupts(run.key) if run.status is RunStatus.WAITING else ()
        return state_of_run(run, [record.interrupt for record in records if record.decision is None])

    async def _task(self, run: Run, request: ListRequest, length: int | None) -> Task:
        return await (self._tasks.task if request.include_artifacts else self._tasks.outline)(run, length)


def _size(asked: int | None) -> int:
    if asked is None:
        return DEFAULT_SIZE
    if not 1 <= asked <= LARGEST_SIZE:
        raise invalid("pageSize", f"expected 1 to {LARGEST_SIZE}, found {asked}")
    return asked


def _position(token: str, filters: Mapping[str, object]) -> tuple[int, int] | None:
    if not token:
        return None
    try:
        at, key = decode_cursor(token, filters)
    except BadRequest:
        at, key = 0, ""
    if isinstance(key, str):
        raise invalid("pageToken", "expected the nextPageToken of an earlier page with the same filters")
    return at, key
