"""The lock that everybody holds who writes about a thread: the thread's row."""

from __future__ import annotations

from wakeful.contracts.errors import NotFound
from wakeful.contracts.run import Lease
from wakeful.stores.postgres.dispatches import lease_lost
from wakeful.stores.postgres.session import Session


async def lock_run(session: Session, run_key: int) -> int:
    """Lock a run's thread and return its key; raises `NotFound` when it was removed."""
    thread_key = await session.value("lock_thread_of_run", run_key=run_key)
    if thread_key is None:
        raise NotFound("run", "removed with its thread")
    return thread_key


async def lock_leased(session: Session, lease: Lease) -> int:
    """Lock the thread of a leased run and return its key; raises `LeaseLost` when it was removed."""
    thread_key = await session.value("lock_thread_of_run", run_key=lease.run_key)
    if thread_key is None:
        raise lease_lost()
    return thread_key
