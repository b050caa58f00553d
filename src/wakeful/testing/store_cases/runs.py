"""Store tests: reading runs and their logs."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.errors import NotFound
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import RunCounts, RunQuery
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import SCOPE, ask, log, more, reread, settlement, start, submission


class RunCases:
    """`get_run`, `list_runs`, `active_run`, `latest_run`, `open_runs`, `read_log`, `probe`."""

    async def test_a_run_is_found_in_its_scope_only(self, store: Store) -> None:
        accepted = await store.accept(submission("r1"))

        assert await store.get_run(SCOPE, "r1") == accepted.run
        assert await store.get_run("other", "r1") is None

    async def test_a_log_is_read_in_pages_with_the_status(self, store: Store) -> None:
        run, lease = await start(store, "r1", entries=log(1, 2))
        await store.append([more(lease, log(3, 5, at=77))])

        first = await store.read_log(run.key, after=0, limit=3)
        rest = await store.read_log(run.key, after=3, limit=2)
        await store.settle(settlement(lease))
        done = await store.read_log(run.key, after=5, limit=3)

        assert first.entries == (*log(1, 2), *log(3, 3, at=77))
        assert (first.status, first.has_more) == (RunStatus.RUNNING, True)
        assert (rest.entries, rest.has_more) == (log(4, 5, at=77), False)
        assert (done.entries, done.status, done.has_more) == ((), RunStatus.COMPLETED, False)

    async def test_the_log_of_a_run_that_is_gone_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.read_log(4_711, after=0, limit=1)
        with pytest.raises(NotFound):
            await store.request_cancel(4_711, 1)

    async def test_the_active_run_is_the_running_else_the_waiting_else_the_oldest_queued(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        second = await store.accept(submission("r2"))
        await store.accept(submission("r3"))

        running = await store.active_run(run.thread_key)
        await store.settle(settlement(lease, RunStatus.WAITING))
        waiting = await store.active_run(run.thread_key)

        assert running is not None
        assert (running.id, running.status) == ("r1", RunStatus.RUNNING)
        assert waiting is not None
        assert (waiting.id, waiting.status) == ("r1", RunStatus.WAITING)
        alone = await store.accept(submission("r4", thread_id="t2"))
        assert await store.active_run(alone.run.thread_key) == alone.run
        assert await store.active_run(4_711) is None
        assert (await reread(store, second.run)).status is RunStatus.QUEUED

    async def test_the_latest_run_is_the_newest_finished_or_not(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))
        first = await store.latest_run(run.thread_key)
        second = await store.accept(submission("r2", at=1_000))

        assert first == await reread(store, run)
        assert await store.latest_run(run.thread_key) == second.run
        assert await store.latest_run(4_711) is None

    async def test_open_runs_come_oldest_first_with_their_last_number(self, store: Store) -> None:
        done, lease = await start(store, "r0")
        await store.settle(settlement(lease))
        run, lease = await start(store, "r1")
        await store.append([more(lease, log(2, 9))])
        await store.accept(submission("r2", entries=log(1, 2)))

        found = await store.open_runs(run.thread_key)

        assert [(one.id, last) for one, last in found] == [("r1", 9), ("r2", 2)]
        assert done.thread_key == run.thread_key

    async def test_runs_are_listed_newest_first_in_pages(self, store: Store) -> None:
        for number, at in ((1, 100), (2, 300), (3, 200), (4, 300)):
            await store.accept(submission(f"r{number}", thread_id=f"t{number}", at=at))
        await store.accept(submission("theirs", scope="other", at=999))

        first = await store.list_runs(RunQuery(scope=SCOPE, limit=2))
        last = first.items[-1]
        rest = await store.list_runs(RunQuery(scope=SCOPE, after=(last.created_at, last.key), limit=2))
        skipped = await store.list_runs(RunQuery(scope=SCOPE, offset=1, limit=2))

        assert ([run.id for run in first.items], first.total, first.has_more) == (["r4", "r2"], 4, True)
        assert ([run.id for run in rest.items], rest.total, rest.has_more) == (["r3", "r1"], 4, False)
        assert ([run.id for run in skipped.items], skipped.has_more) == (["r2", "r3"], True)

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"thread_id": "t1"}, ["r1"]),
            ({"thread_id": "nowhere"}, []),
            ({"status": RunStatus.WAITING}, ["r3"]),
            ({"statuses": (RunStatus.WAITING, RunStatus.RUNNING)}, ["r3"]),
            ({"statuses": (RunStatus.WAITING, RunStatus.QUEUED)}, ["r3", "r2", "r1"]),
            ({"statuses": (RunStatus.COMPLETED,)}, []),
            ({"agent_id": "clerk"}, ["r2"]),
            ({"origin": "ag_ui"}, ["r2"]),
            ({"parent_run_id": "r1"}, ["r2"]),
            ({"created_from": 2_000}, ["r3", "r2"]),
            ({"created_to": 2_000}, ["r2", "r1"]),
            ({"updated_from": 5_000}, ["r3"]),
            ({"updated_to": 2_000}, ["r2", "r1"]),
            ({"status": RunStatus.QUEUED, "created_from": 2_000, "origin": "ag_ui"}, ["r2"]),
        ],
    )
    async def test_runs_are_filtered(self, store: Store, wanted: dict[str, Any], expected: list[str]) -> None:
        await store.accept(submission("r1", thread_id="t1"))
        await store.accept(
            submission("r2", thread_id="t2", at=2_000, agent_id="clerk", origin="ag_ui", parent_run_id="r1")
        )
        waiting = await ask(store, "r3", thread_id="t3", at=3_000)
        await store.request_cancel(waiting.key, 5_000)

        found = await store.list_runs(RunQuery(scope=SCOPE, **wanted))

        assert [run.id for run in found.items] == expected
        assert (found.total, found.has_more) == (len(expected), False)

    async def test_runs_are_listed_by_their_last_change_in_pages(self, store: Store) -> None:
        await changed_runs(store)
        expected = ["appended", "asked", "tie", "done", "failed", "queued"]
        for limit in (1, 2, 3, 6):
            found, after = list[str](), None
            for _ in range(6 // limit):
                page = await store.list_runs(RunQuery(scope=SCOPE, order="updated", after=after, limit=limit))
                found += [run.id for run in page.items]
                assert (page.total, page.has_more) == (6, len(found) < 6)
                after = (page.items[-1].updated_at, page.items[-1].key)
            assert found == expected

        skipped = await store.list_runs(RunQuery(scope=SCOPE, order="updated", offset=2, limit=3))
        assert ([run.id for run in skipped.items], skipped.total, skipped.has_more) == (expected[2:5], 6, True)

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"thread_id": "t-asked"}, ["asked"]),
            ({"thread_id": "t-done"}, ["done"]),
            ({"thread_id": "nowhere"}, []),
            ({"status": RunStatus.COMPLETED}, ["tie", "done"]),
            ({"statuses": (RunStatus.COMPLETED, RunStatus.RUNNING)}, ["appended", "tie", "done"]),
            ({"statuses": (RunStatus.FAILED,), "agent_id": "clerk"}, ["failed"]),
            ({"statuses": (RunStatus.FAILED,), "agent_id": "assistant"}, []),
            ({"agent_id": "clerk"}, ["asked", "failed"]),
            ({"origin": "ag_ui"}, ["asked", "tie"]),
            ({"parent_run_id": "done"}, ["asked"]),
            ({"created_from": 1_001}, ["asked"]),
            ({"created_to": 1_000, "statuses": (RunStatus.COMPLETED, RunStatus.QUEUED)}, ["tie", "done", "queued"]),
            ({"updated_from": 7_000}, ["appended", "asked", "tie"]),
            ({"updated_to": 6_000}, ["done", "failed", "queued"]),
            ({"updated_from": 5_000, "updated_to": 6_000}, ["done", "failed"]),
        ],
    )
    async def test_runs_are_filtered_in_the_order_of_their_changes(
        self, store: Store, wanted: dict[str, Any], expected: list[str]
    ) -> None:
        await changed_runs(store)

        found = await store.list_runs(RunQuery(scope=SCOPE, order="updated", **wanted))

        assert [run.id for run in found.items] == expected
        assert (found.total, found.has_more) == (len(expected), False)

    async def test_unfinished_runs_are_counted_by_status(self, store: Store) -> None:
        await start(store, "running", thread_id="t1")
        await store.accept(submission("behind", thread_id="t1"))
        await store.accept(submission("queued", thread_id="t2"))
        await ask(store, "waiting", thread_id="t3")
        _, lease = await start(store, "done", thread_id="t4")
        await store.settle(settlement(lease))
        await store.accept(submission("elsewhere", scope="other"))

        assert await store.count_runs(SCOPE) == RunCounts(queued=2, running=1, waiting=1)
        assert await store.count_runs("nobody") == RunCounts(queued=0, running=0, waiting=0)

    async def test_an_open_store_answers_a_probe(self, store: Store) -> None:
        await store.probe()


async def changed_runs(store: Store) -> None:
    """Runs whose changes have another order than their beginnings; two changed in the same millisecond."""
    await store.accept(submission("queued", thread_id="t-queued"))
    _, appended = await start(store, "appended", thread_id="t-appended")
    _, done = await start(store, "done", thread_id="t-done")
    _, failed = await start(store, "failed", thread_id="t-failed", agent_id="clerk")
    _, tie = await start(store, "tie", thread_id="t-tie", origin="ag_ui")
    more_of = {"agent_id": "clerk", "origin": "ag_ui", "parent_run_id": "done", "at": 1_001}
    asked = await ask(store, "asked", thread_id="t-asked", **more_of)
    await store.settle(settlement(failed, RunStatus.FAILED, at=5_000))
    await store.settle(settlement(done, at=6_000))
    await store.settle(settlement(tie, at=7_000))
    await store.request_cancel(asked.key, 7_000)
    await store.append([more(appended, log(2, 2, at=8_000))])
    await start(store, "theirs", scope="other")
