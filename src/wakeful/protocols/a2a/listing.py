"""The list of a scope's tasks: those that came over A2A, by the time of their status, newest first.

The store lists runs by when they were made. So a window of the newest `WINDOW` is put in order here, then the next one:
the order is exact within a window, and no page costs more than one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunQuery
from wakeful.contracts.run import Run
from wakeful.protocols.a2a.decode import history_length, moment, state
from wakeful.protocols.a2a.faults import invalid
from wakeful.protocols.a2a.history import state_of_run
from wakeful.protocols.a2a.tasks import ORIGIN, Caller, Tasks
from wakeful.protocols.a2a.wire import ListRequest, State, Task, TaskPage
from wakeful.server import pages
from wakeful.server.operations import Operations

WINDOW = 1000
DEFAULT_SIZE = 50
LARGEST_SIZE = 100
STATUSES: dict[State, RunStatus] = {
    State.SUBMITTED: RunStatus.QUEUED,
    State.WORKING: RunStatus.RUNNING,
    State.CANCELED: RunStatus.CANCELLED,
    State.AUTH_REQUIRED: RunStatus.WAITING,
    State.INPUT_REQUIRED: RunStatus.WAITING,
    State.COMPLETED: RunStatus.COMPLETED,
    State.REJECTED: RunStatus.COMPLETED,
}
"""The status of every run in that state; a failed task may be a run that was completed by a limit."""


class Position(msgspec.Struct, frozen=True, array_like=True):
    """Where a page begins: the window behind the run (created at, key), in it behind (status at, key)."""

    window: tuple[int, int] | None = None
    seen: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class _Window:
    runs: list[Run]
    total: int
    next: tuple[int, int] | None


class Listing:
    """Answers ListTasks."""

    def __init__(self, operations: Operations, tasks: Tasks) -> None:
        self._operations = operations
        self._tasks = tasks

    async def page(self, caller: Caller, request: ListRequest) -> TaskPage:
        """One page; raises `Fault`. Artifacts are left out unless they are asked for."""
        length = history_length(request.history_length)
        wanted, since = state(request.status), moment(request.status_timestamp_after)
        asked_size = DEFAULT_SIZE if request.page_size is None else request.page_size
        size = max(1, min(asked_size, LARGEST_SIZE))
        filters = {
            "agent": caller.agent_id,
            "context": request.context_id,
            "state": wanted,
            "since": since,
        }
        position = _position(request.page_token, filters)
        query = RunQuery(
            scope=caller.principal.scope,
            thread_id=request.context_id or None,
            agent_id=caller.agent_id,
            status=STATUSES.get(wanted) if wanted else None,
            origin=ORIGIN,
            updated_from=since,
            after=position.window,
            limit=WINDOW,
        )
        window = await self._window(query, wanted)
        behind = [run for run in window.runs if position.seen is None or _order(run) < position.seen]
        shown = behind[:size]
        following = _following(position, window, shown, rest=len(behind) - len(shown))
        tasks = [await self._task(run, request, length) for run in shown]
        return TaskPage(
            tasks=tuple(tasks),
            next_page_token=_token(following, filters) if following else "",
            page_size=size,
            total_size=window.total,
        )

    async def _window(self, query: RunQuery, wanted: State | None) -> _Window:
        """The runs in this window, newest status first. `total` counts all windows as far as the store can."""
        rows = await self._operations.runs(query)
        runs = [run for run in rows.items if wanted is None or await self._state(run) is wanted]
        last = rows.items[-1] if rows.has_more else None
        exact = not rows.has_more and query.after is None
        return _Window(
            runs=sorted(runs, key=_order, reverse=True),
            total=len(runs) if exact else rows.total,
            next=(last.created_at, last.key) if last else None,
        )

    async def _state(self, run: Run) -> State:
        records = await self._operations.store.interrupts(run.key) if run.status is RunStatus.WAITING else ()
        return state_of_run(run, [record.interrupt for record in records if record.decision is None])

    async def _task(self, run: Run, request: ListRequest, length: int | None) -> Task:
        return await (self._tasks.task if request.include_artifacts else self._tasks.outline)(run, length)


def _order(run: Run) -> tuple[int, int]:
    return (run.finished_at or run.updated_at, run.key)


def _following(position: Position, window: _Window, shown: list[Run], *, rest: int) -> Position | None:
    """Where the next page begins, None: there is none."""
    if rest:
        return Position(position.window, _order(shown[-1]))
    return Position(window.next) if window.next else None


def _token(position: Position, filters: Mapping[str, object]) -> str:
    return pages.encode_cursor(filters, (0, msgspec.json.encode(position).decode()))


def _position(token: str, filters: Mapping[str, object]) -> Position:
    if not token:
        return Position()
    try:
        _, text = pages.decode_cursor(token, filters)
        return msgspec.json.decode(str(text), type=Position)
    except (BadRequest, msgspec.DecodeError):
        raise invalid("pageToken", "expected the nextPageToken of an earlier page with the same filters") from None
