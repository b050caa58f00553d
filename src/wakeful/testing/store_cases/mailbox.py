"""Store tests: what waits on a thread."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import pytest

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.mailbox import EntryEdit, MailboxEntry, queue_revision
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    ask,
    log,
    log_numbers,
    message,
    message_ids,
    retirement,
    settlement,
    start,
    submission,
    worker,
)


class MailboxCases:
    """`mailbox`, `edit_entry`, `reorder`."""

    async def test_the_mailbox_holds_what_was_never_carried(self, store: Store) -> None:
        running, lease = await start(store, "r1")
        second = await store.accept(submission("r2", mode="steer"))
        await store.accept(submission("r3", messages=(message("a"), message("b"))))
        await store.requeue(lease, available_at=2_000, at=2_000)

        entries = await store.mailbox(running.thread_key)

        assert [(one.run.id, one.mode, one.dispatch_id) for one in entries] == [
            ("r2", "steer", "dispatch of r2"),
            ("r3", "queue", "dispatch of r3"),
        ]
        assert entries[0].run == second.run
        assert [one.revision for one in entries] == [1, 1]
        assert [one.messages for one in entries] == [(message("input of r2"),), (message("a"), message("b"))]

    async def test_a_run_that_waited_for_an_answer_is_no_entry(self, store: Store) -> None:
        run = await ask(store, "r1")
        await store.decide(answers(run))

        assert await store.mailbox(run.thread_key) == ()

    async def test_an_entry_is_edited_until_it_is_carried(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))
        first = edit(accepted.run, "new", revision=1)

        edited = await store.edit_entry(first)
        await store.claim(worker(), 1)

        assert (edited.messages, edited.revision, edited.run.updated_at) == ((message("new"),), 2, 1_500)
        assert await log_numbers(store, accepted.run) == [1, 2]
        assert await message_ids(store, accepted.run) == ["new"]
        with pytest.raises(Conflict):
            await store.edit_entry(edit(accepted.run, "late", revision=2))

    async def test_of_two_edits_of_one_revision_one_is_refused(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))

        sent = (store.edit_entry(edit(accepted.run, name, revision=1)) for name in ("a", "b"))
        results = await asyncio.gather(*sent, return_exceptions=True)

        assert sum(isinstance(one, Conflict) for one in results) == 1
        assert [one.messages for one in await store.mailbox(accepted.run.thread_key)] == [
            one.messages for one in results if isinstance(one, MailboxEntry)
        ]
        assert await log_numbers(store, accepted.run) == [1, 2]

    async def test_an_edit_of_an_older_revision_is_refused(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))
        await store.edit_entry(edit(accepted.run, "new", revision=1))
        late = msgspec.structs.replace(edit(accepted.run, "old", revision=1), entries=())

        with pytest.raises(Conflict):
            await store.edit_entry(late)

        (entry,) = await store.mailbox(accepted.run.thread_key)
        assert (entry.messages, entry.revision) == ((message("new"),), 2)

    async def test_an_edit_never_goes_back_in_the_log(self, store: Store) -> None:
        accepted = await store.accept(submission("r1", entries=log(1, 3)))
        wrong = msgspec.structs.replace(edit(accepted.run, "a", revision=3), entries=log(3, 3))

        with pytest.raises(Conflict):
            await store.edit_entry(wrong)

        assert await log_numbers(store, accepted.run) == [1, 2, 3]

    async def test_a_run_handed_back_is_not_edited(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.requeue(lease, available_at=2_000, at=2_000)

        with pytest.raises(Conflict):
            await store.edit_entry(edit(run, "late", revision=1))

    async def test_a_run_that_is_gone_is_not_edited(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))
        await store.delete_thread(accepted.run.thread_key, "detach")

        with pytest.raises(NotFound):
            await store.edit_entry(edit(accepted.run, "late", revision=1))

    async def test_entries_are_carried_in_their_new_order(self, store: Store) -> None:
        _, lease = await start(store, "r0")
        keys = await queue(store, "r1", "r2", "r3")

        ordered = await reorder(store, keys, "r3", "r1", "r2")

        assert [one.run.id for one in ordered] == ["r3", "r1", "r2"]
        await store.settle(settlement(lease))
        assert await carried(store) == ["r3", "r1", "r2"]

    async def test_on_an_idle_thread_the_new_first_is_due_at_once(self, store: Store) -> None:
        keys = await queue(store, "r1", "r2")

        await reorder(store, keys, "r2", "r1")

        assert [claim.run.id for claim in await store.claim(worker(), 9)] == ["r2"]
        assert await store.claim(worker(), 9) == ()

    async def test_a_new_entry_comes_last_also_after_reordering(self, store: Store) -> None:
        keys = await queue(store, "r1", "r2")
        await reorder(store, keys, "r2", "r1")

        await store.accept(submission("r3"))

        assert await carried(store) == ["r2", "r1", "r3"]

    async def test_reordering_does_not_hurry_what_is_in_front(self, store: Store) -> None:
        _, lease = await start(store, "r0")
        keys = await queue(store, "r1", "r2")
        await store.requeue(lease, available_at=50_000, at=2_000)

        await reorder(store, keys, "r2", "r1")

        assert await store.claim(worker(now=49_999), 9) == ()
        assert [claim.run.id for claim in await store.claim(worker(now=50_000), 9)] == ["r0"]

    async def test_a_run_handed_back_stays_in_front_of_a_reordered_queue(self, store: Store) -> None:
        keys = await queue(store, "r1", "r2", "r3")
        await reorder(store, keys, "r3", "r2", "r1")
        (claim,) = await store.claim(worker(), 1)

        await store.requeue(claim.lease, available_at=2_000, at=2_000)

        assert await carried(store) == ["r3", "r2", "r1"]

    async def test_withdrawing_the_first_of_a_reordered_queue_makes_the_next_due(self, store: Store) -> None:
        keys = await queue(store, "r1", "r2", "r3")
        (first, *_) = await reorder(store, keys, "r3", "r1", "r2")

        await store.retire(retirement(first.run))

        assert await carried(store) == ["r1", "r2"]

    async def test_an_order_made_for_another_mailbox_is_refused(self, store: Store) -> None:
        keys = await queue(store, "r1", "r2")
        thread_key = (await store.accept(submission("r3"))).run.thread_key
        revision = queue_revision(await store.mailbox(thread_key))
        await store.edit_entry(EntryEdit(run_key=keys["r1"], revision=1, messages=(), entries=log(2, 2), at=1))

        with pytest.raises(Conflict):
            await store.reorder(thread_key, [*keys.values()], revision)

        assert await carried(store) == ["r1", "r2", "r3"]

    @pytest.mark.parametrize("wanted", [["r1"], ["r1", "r1"], ["r1", "r2", "r2"], ["r1", "running"], []])
    async def test_an_order_that_is_not_of_all_entries_is_a_bad_request(self, store: Store, wanted: list[str]) -> None:
        running, _ = await start(store, "running")
        keys = {"running": running.key, **await queue(store, "r1", "r2")}
        revision = queue_revision(await store.mailbox(running.thread_key))

        with pytest.raises(BadRequest):
            await store.reorder(running.thread_key, [keys[name] for name in wanted], revision)

    async def test_an_empty_mailbox_has_one_order(self, store: Store) -> None:
        run, _ = await start(store, "r1")

        assert await store.reorder(run.thread_key, [], queue_revision(())) == ()

    async def test_a_long_queue_is_read_and_carried_in_order(self, store: Store) -> None:
        names = [f"r{number}" for number in range(200)]
        keys = await queue(store, *names)

        await reorder(store, keys, *reversed(names))

        (entry, *_) = await store.mailbox((await reread_by_id(store, "r0")).thread_key)
        assert entry.run.id == "r199"
        assert (await store.claim(worker(), 1))[0].run.id == "r199"


def edit(run: Run, *names: str, revision: int) -> EntryEdit:
    """Other messages for an entry."""
    messages = tuple(message(name) for name in names)
    entries = log(revision + 1, revision + 1)
    return EntryEdit(run_key=run.key, revision=revision, messages=messages, entries=entries, at=1_500)


async def queue(store: Store, *run_ids: str) -> dict[str, int]:
    """Requests on thread t1; the keys of their runs."""
    return {run_id: (await store.accept(submission(run_id))).run.key for run_id in run_ids}


async def reorder(store: Store, keys: dict[str, int], *run_ids: str) -> Sequence[MailboxEntry]:
    """Put the entries of thread t1 into this order."""
    thread_key = (await reread_by_id(store, run_ids[0])).thread_key
    revision = queue_revision(await store.mailbox(thread_key))
    return await store.reorder(thread_key, [keys[run_id] for run_id in run_ids], revision)


async def reread_by_id(store: Store, run_id: str) -> Run:
    """The run with this id."""
    found = await store.get_run(SCOPE, run_id)
    assert found is not None
    return found


async def carried(store: Store) -> list[str]:
    """Carry runs one after another; their ids in that order."""
    order: list[str] = []
    while claims := await store.claim(worker(now=5_000), 9):
        (claim,) = claims
        order.append(claim.run.id)
        await store.settle(settlement(claim.lease))
    return order
