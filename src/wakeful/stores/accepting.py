"""What a request becomes when it is accepted, in every store."""

from __future__ import annotations

from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.run import Run
from wakeful.contracts.store import ClaimRequest, Submission


def accepted_run(submission: Submission, claim: ClaimRequest | None, *, key: int, thread_key: int) -> Run:
    """The run as it is then stored; with `claim` it was leased at once."""
    return Run(
        key=key,
        thread_key=thread_key,
        scope=submission.scope,
        id=submission.run_id,
        thread_id=submission.thread_id,
        agent_id=submission.agent_id,
        status=RunStatus.QUEUED if claim is None else RunStatus.RUNNING,
        origin=submission.origin,
        created_at=submission.at,
        updated_at=submission.at,
        started_at=None if claim is None else claim.now,
        parent_run_id=submission.parent_run_id,
        attempt=0 if claim is None else 1,
        options=submission.options,
    )


def accepted_log(submission: Submission, claim: ClaimRequest | None) -> tuple[LogEntry, ...]:
    """The beginning of its log."""
    return submission.entries if claim is None else submission.entries + submission.started
