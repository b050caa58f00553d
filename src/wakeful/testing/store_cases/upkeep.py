"""Store tests: old logs are packed and removed, and nothing else is lost."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.event import LogEntry
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import LogPage
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    ask,
    log,
    message_ids,
    more,
    reread,
    settlement,
    start,
    submission,
)

LONG = 4_500


class UpkeepCases:
    """`compact`, `prune`, `sizes`, `reclaim`."""

    async def test_a_packed_log_reads_as_before(self, store: Store) -> None:
        run = await finished(store, "r1", (*log(2, 2_000), *log(2_513, LONG, at=9)))
        before = await whole_log(store, run)

        packed = await store.compact(3_000, 9)

        assert packed == 1
        assert await whole_log(store, run) == before
        assert [one.body for one in await whole_log(store, run)] == [one.body for one in before]
        sizes = await store.sizes()
        assert (sizes.events, sizes.event_bytes, sizes.packed_events) == (0, 0, len(before))
        assert 1 <= sizes.packs <= 4

    @pytest.mark.parametrize("limit", [1, 7, 1_000, LONG])
    async def test_pages_of_a_packed_log_are_those_of_an_open_one(self, store: Store, limit: int) -> None:
        points = (0, 1, 2, 1_998, 1_999, 2_000, 2_001, 2_512, 3_999, LONG - 1, LONG, LONG + 9, 2**60)
        run = await finished(store, "r1", (*log(2, 2_000), *log(2_513, LONG)))
        before = [await store.read_log(run.key, after=after, limit=limit) for after in points]

        await store.compact(3_000, 9)

        assert [await store.read_log(run.key, after=after, limit=limit) for after in points] == before

    async def test_only_what_finished_before_is_packed_and_only_once(self, store: Store) -> None:
        for number in range(3):
            await finished(store, f"r{number}", log(2, 5), at=2_000 + number)
        running, lease = await start(store, "running", thread_id="other")
        await store.append([more(lease, log(2, 9))])
        await ask(store, "waiting", thread_id="another")
        await store.accept(submission("queued", thread_id="third"))

        packed = [await store.compact(2_002, 1) for _ in range(3)]

        assert packed == [1, 1, 0]
        assert await store.compact(9_000, 9) == 1
        assert (await store.sizes()).events == 9 + 1 + 1
        assert [one.seq for one in await whole_log(store, running)] == list(range(1, 10))

    async def test_a_pruned_run_keeps_everything_but_its_log(self, store: Store) -> None:
        old = await finished(store, "r1", log(2, 5), at=2_000)
        packed = await finished(store, "r2", log(2, 5), at=2_001)
        young = await finished(store, "r3", log(2, 5), at=2_002)
        await store.compact(2_002, 9)

        pruned = await store.prune(2_002, 9)

        assert pruned == 2
        for run in (old, packed):
            now = await reread(store, run)
            assert now.pruned
            assert now.status is RunStatus.COMPLETED
            assert await store.read_log(run.key, after=0, limit=9) == LogPage((), RunStatus.COMPLETED, has_more=False)
            assert await message_ids(store, run) == [f"input of {run.id}"]
        assert not (await reread(store, young)).pruned
        assert len(await whole_log(store, young)) == 5
        assert (await store.sizes()).packs == 0

    async def test_pruning_is_done_in_small_steps_and_never_to_an_open_run(self, store: Store) -> None:
        for number in range(3):
            await finished(store, f"r{number}", log(2, 5))
        waiting = await ask(store, "waiting", thread_id="other")

        assert [await store.prune(9_000, 2) for _ in range(3)] == [2, 1, 0]

        assert len(await whole_log(store, waiting)) == 1
        assert await store.compact(9_000, 9) == 0

    async def test_a_removed_thread_takes_its_packed_logs_along(self, store: Store) -> None:
        run = await finished(store, "r1", log(2, 100))
        await store.compact(9_000, 9)

        await store.delete_thread(run.thread_key, "detach")

        sizes = await store.sizes()
        assert (sizes.threads, sizes.runs, sizes.messages, sizes.packs, sizes.packed_events) == (0, 0, 0, 0, 0)

    async def test_sizes_count_rows_and_bytes(self, store: Store) -> None:
        run = await finished(store, "r1", log(2, 5))
        await store.accept(submission("r2", thread_id="t2"))

        sizes = await store.sizes()

        assert (sizes.threads, sizes.runs, sizes.unfinished_runs, sizes.messages) == (2, 2, 1, 1)
        entries = [*await whole_log(store, run), *log(1, 1)]
        assert (sizes.events, sizes.event_bytes) == (6, sum(len(one.body) for one in entries))
        assert sizes.message_bytes > 0
        assert (sizes.packs, sizes.packed_events, sizes.pack_bytes) == (0, 0, 0)

    async def test_reclaiming_changes_nothing_that_can_be_read(self, store: Store) -> None:
        run = await finished(store, "r1", log(2, 100))
        await store.compact(9_000, 9)
        before = await whole_log(store, run)

        await store.reclaim()

        assert await whole_log(store, run) == before
        assert await store.get_run(SCOPE, "r1") == await reread(store, run)
        assert (await store.sizes()).free_bytes == 0


async def finished(store: Store, run_id: str, entries: tuple[LogEntry, ...], *, at: int = 2_000) -> Run:
    """A run on a thread of its own that completed at `at` with this log after its first entry."""
    run, lease = await start(store, run_id, thread_id=f"thread of {run_id}")
    await store.settle(settlement(lease, entries=entries, at=at))
    return run


async def whole_log(store: Store, run: Run) -> list[LogEntry]:
    """All entries of a run."""
    return list((await store.read_log(run.key, after=0, limit=1_000_000)).entries)
