"""One request being answered, and what it takes to carry it."""

from __future__ import annotations

import msgspec

from wakeful.contracts.event import ErrorReport, StopReason
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.usage import Usage

Voids = tuple[tuple[int, int], ...]
"""Parts of a log that were taken back by a `StepRestarted`: pairs (after, upto) of sequence numbers, ascending.

`after` is the number of the step's beginning, which stays, `upto` that of the restart.
"""


class FrontendTool(msgspec.Struct, frozen=True):
    """A tool the client offers for this run and carries out itself; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: JsonObject


class RunOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request brought besides messages. Untrusted: `context` and `state` reach the model marked as data.

    `state` becomes the thread's shared state when the run begins; None leaves that as it is. `publication` is no
    client's to say: it names the configuration the run keeps; None is what code alone defines, or, where nothing was
    accepted yet, what counts then.
    """

    frontend_tools: tuple[FrontendTool, ...] = ()
    context: str | None = None
    state: JsonObject | None = None
    publication: int | None = None


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as stored.

    `key` and `thread_key` are the store's own numbers and never leave the process. `origin` names the protocol
    the request came by, or is `delegation`. `steps` and `usage` count over all attempts; `attempt` counts claims after
    a loss, from 1. `pruned`: its log was removed, because it was old.
    """

    key: int
    thread_key: int
    scope: str
    id: str
    thread_id: str
    agent_id: str
    status: RunStatus
    origin: str
    created_at: int
    updated_at: int
    started_at: int | None = None
    finished_at: int | None = None
    stop_reason: StopReason | None = None
    error: ErrorReport | None = None
    parent_run_id: str | None = None
    attempt: int = 0
    steps: int = 0
    usage: Usage = Usage()
    options: RunOptions = RunOptions()
    pruned: bool = False
    voids: Voids = ()


class Lease(msgspec.Struct, frozen=True):
    """The right to write about one run until `until` (ms). Every write carries `token`; a newer token voids it."""

    run_key: int
    dispatch_key: int
    token: int
    until: int
