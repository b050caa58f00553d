"""The tables of legal moves of runs, dispatches and tool calls; nowhere else are they written down.

Run:       queued -> running -> completed | failed | cancelled; running -> waiting -> queued around a question;
           running -> queued when put back; queued, waiting -> cancelled;
           queued -> completed when its input is steered into the running run.
Dispatch:  available -> leased -> done | dead | cancelled; leased -> available; available -> cancelled.
Tool call: proposed -> allowed -> running -> succeeded | failed; proposed -> asked -> allowed | denied;
           proposed -> failed for a call that cannot run at all; any -> cancelled.
"""

from __future__ import annotations

from enum import StrEnum

from wakeful.contracts.errors import IllegalMove


class RunStatus(StrEnum):
    """Where a run is."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class DispatchStatus(StrEnum):
    """Where one delivery of a run to a worker is."""

    AVAILABLE = "available"
    LEASED = "leased"
    DONE = "done"
    DEAD = "dead"
    CANCELLED = "cancelled"


class ToolCallStatus(StrEnum):
    """Where a tool call is."""

    PROPOSED = "proposed"
    ASKED = "asked"
    ALLOWED = "allowed"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DENIED = "denied"
    CANCELLED = "cancelled"


R, D, T = RunStatus, DispatchStatus, ToolCallStatus

RUN_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    R.QUEUED: frozenset({R.RUNNING, R.COMPLETED, R.FAILED, R.CANCELLED}),
    R.RUNNING: frozenset({R.WAITING, R.QUEUED, R.COMPLETED, R.FAILED, R.CANCELLED}),
    R.WAITING: frozenset({R.QUEUED, R.CANCELLED}),
    R.COMPLETED: frozenset(),
    R.FAILED: frozenset(),
    R.CANCELLED: frozenset(),
}
DISPATCH_MOVES: dict[DispatchStatus, frozenset[DispatchStatus]] = {
    D.AVAILABLE: frozenset({D.LEASED, D.CANCELLED}),
    D.LEASED: frozenset({D.AVAILABLE, D.DONE, D.DEAD, D.CANCELLED}),
    D.DONE: frozenset(),
    D.DEAD: frozenset(),
    D.CANCELLED: frozenset(),
}
TOOL_CALL_MOVES: dict[ToolCallStatus, frozenset[ToolCallStatus]] = {
    T.PROPOSED: frozenset({T.ASKED, T.ALLOWED, T.FAILED, T.CANCELLED}),
    T.ASKED: frozenset({T.ALLOWED, T.DENIED, T.CANCELLED}),
    T.ALLOWED: frozenset({T.RUNNING, T.CANCELLED}),
    T.RUNNING: frozenset({T.SUCCEEDED, T.FAILED, T.CANCELLED}),
    T.SUCCEEDED: frozenset(),
    T.FAILED: frozenset(),
    T.DENIED: frozenset(),
    T.CANCELLED: frozenset(),
}

RESTING = frozenset({R.WAITING, R.COMPLETED, R.FAILED, R.CANCELLED})
FINISHED = frozenset({R.COMPLETED, R.FAILED, R.CANCELLED})


def check_run_move(current: RunStatus, new: RunStatus) -> None:
    """Raise `IllegalMove` unless a run may go from `current` to `new`."""
    if new not in RUN_MOVES[current]:
        raise IllegalMove("run", current, new)


def check_dispatch_move(current: DispatchStatus, new: DispatchStatus) -> None:
    """Raise `IllegalMove` unless a dispatch may go from `current` to `new`."""
    if new not in DISPATCH_MOVES[current]:
        raise IllegalMove("dispatch", current, new)


def check_tool_call_move(current: ToolCallStatus, new: ToolCallStatus) -> None:
    """Raise `IllegalMove` unless a tool call may go from `current` to `new`."""
    if new not in TOOL_CALL_MOVES[current]:
        raise IllegalMove("tool call", current, new)
