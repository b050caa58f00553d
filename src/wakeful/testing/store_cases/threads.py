"""Store tests: creating, listing and removing threads."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.query import ThreadQuery
from wakeful.contracts.store import ChildStrategy, Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    ask,
    message,
    question,
    settlement,
    start,
    submission,
    thread,
    worker,
)


class ThreadCases:
    """`create_thread`, `get_thread`, `list_threads`, `delete_thread`."""

    async def test_a_thread_comes_back_as_it_was_created(self, store: Store) -> None:
        await store.create_thread(thread("parent"))
        wanted = thread(
            "t1", title="Trip", resource_id="user 7", parent_thread_id="parent", custom={"tags": ["a"], "n": {"x": 1}}
        )

        created = await store.create_thread(wanted)

        assert msgspec.structs.replace(created, key=0) == wanted
        assert await store.get_thread(SCOPE, "t1") == created
        assert await store.get_thread("other", "t1") is None

    async def test_a_thread_id_is_taken_once_per_scope(self, store: Store) -> None:
        await store.create_thread(thread("t1"))

        with pytest.raises(Conflict):
            await store.create_thread(thread("t1", title="again"))

        await store.create_thread(thread("t1", scope="other"))

    async def test_a_parent_must_exist_in_the_scope(self, store: Store) -> None:
        await store.create_thread(thread("theirs", scope="other"))

        with pytest.raises(BadRequest):
            await store.create_thread(thread("t1", parent_thread_id="theirs"))

        assert await store.get_thread(SCOPE, "t1") is None

    async def test_threads_are_listed_by_activity_in_pages(self, store: Store) -> None:
        for id, at in (("b", 200), ("a", 200), ("old", 100), ("new", 300)):  # noqa: A001  the field's own word
            await store.create_thread(thread(id, updated_at=at))
        await store.create_thread(thread("theirs", scope="other", updated_at=999))

        first = await store.list_threads(ThreadQuery(scope=SCOPE, limit=2))
        last = first.items[-1]
        rest = await store.list_threads(ThreadQuery(scope=SCOPE, after=(last.updated_at, last.id), limit=2))
        skipped = await store.list_threads(ThreadQuery(scope=SCOPE, offset=2, limit=1))

        assert ([one.id for one in first.items], first.total, first.has_more) == (["new", "a"], 4, True)
        assert ([one.id for one in rest.items], rest.total, rest.has_more) == (["b", "old"], 4, False)
        assert ([one.id for one in skipped.items], skipped.has_more) == (["b"], True)

    async def test_a_request_brings_its_thread_to_the_front(self, store: Store) -> None:
        await store.create_thread(thread("t1", updated_at=100))
        await store.create_thread(thread("t2", updated_at=200))

        await store.accept(submission("r1", thread_id="t1", agent_id="clerk", at=300))

        found = await store.list_threads(ThreadQuery(scope=SCOPE))
        assert [(one.id, one.updated_at, one.latest_agent_id) for one in found.items] == [
            ("t1", 300, "clerk"),
            ("t2", 200, None),
        ]

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"resource_id": "user 7"}, ["child", "root 1"]),
            ({"parent_thread_id": "root 1"}, ["child"]),
            ({"parent_thread_id": "nowhere"}, []),
            ({"root": True}, ["root 2", "root 1"]),
            ({"root": True, "resource_id": "user 7"}, ["root 1"]),
            ({"parent_thread_id": "root 1", "resource_id": "user 8"}, []),
        ],
    )
    async def test_threads_are_filtered(self, store: Store, wanted: dict[str, Any], expected: list[str]) -> None:
        await store.create_thread(thread("root 1", updated_at=1, resource_id="user 7"))
        await store.create_thread(thread("root 2", updated_at=2))
        await store.create_thread(thread("child", updated_at=3, resource_id="user 7", parent_thread_id="root 1"))

        found = await store.list_threads(ThreadQuery(scope=SCOPE, **wanted))

        assert [one.id for one in found.items] == expected
        assert (found.total, found.has_more) == (len(expected), False)

    async def test_removing_a_thread_removes_all_of_it(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        queued = await store.accept(submission("r2"))

        await store.delete_thread(run.thread_key, "reject")

        assert await store.get_thread(SCOPE, "t1") is None
        assert await store.get_run(SCOPE, "r1") is None
        assert await store.get_run(SCOPE, "r2") is None
        assert await store.history(run.thread_key) == ()
        assert await store.interrupts(run.key) == ()
        assert await store.claim(worker(now=900_000), 9) == ()
        with pytest.raises(NotFound):
            await store.read_log(queued.run.key, after=0, limit=1)
        with pytest.raises(NotFound):
            await store.delete_thread(run.thread_key, "reject")

    async def test_ids_of_a_removed_thread_are_free_and_its_leases_void(self, store: Store) -> None:
        run, old = await start(store, "r1", messages=(message("m"),))
        await store.settle(settlement(old))
        await store.delete_thread(run.thread_key, "reject")

        again, _ = await start(store, "r1", messages=(message("m"),))

        assert again.key != run.key
        assert await store.renew([old], 99_000) == {run.key}
        assert [one.id for one in await store.history(again.thread_key)] == ["m"]

    async def test_children_are_detached(self, store: Store) -> None:
        parent = await store.create_thread(thread("parent"))
        await store.create_thread(thread("child", parent_thread_id="parent"))

        await store.delete_thread(parent.key, "detach")

        child = await store.get_thread(SCOPE, "child")
        assert child is not None
        assert child.parent_thread_id is None

    async def test_children_are_a_reason_to_refuse(self, store: Store) -> None:
        parent = await store.create_thread(thread("parent"))
        await store.create_thread(thread("child", parent_thread_id="parent"))

        with pytest.raises(BadRequest):
            await store.delete_thread(parent.key, "reject")

        assert await store.get_thread(SCOPE, "parent") is not None

    async def test_children_are_removed_down_to_the_last(self, store: Store) -> None:
        top = await store.create_thread(thread("top"))
        for id, parent in (("a", "top"), ("b", "a"), ("c", "b")):  # noqa: A001  the field's own word
            await store.create_thread(thread(id, parent_thread_id=parent))
        await store.accept(submission("r1", thread_id="c"))
        await store.create_thread(thread("other"))

        await store.delete_thread(top.key, "cascade")

        found = await store.list_threads(ThreadQuery(scope=SCOPE))
        assert [one.id for one in found.items] == ["other"]
        assert await store.get_run(SCOPE, "r1") is None

    @pytest.mark.parametrize("strategy", ["detach", "reject", "cascade"])
    async def test_a_thread_with_a_running_run_stays(self, store: Store, strategy: ChildStrategy) -> None:
        run, _ = await start(store, "r1")

        with pytest.raises(Conflict):
            await store.delete_thread(run.thread_key, strategy)

        assert await store.get_thread(SCOPE, "t1") is not None

    async def test_a_running_run_of_a_child_keeps_the_family(self, store: Store) -> None:
        parent = await store.create_thread(thread("parent"))
        await store.create_thread(thread("child", parent_thread_id="parent"))
        await start(store, "r1", thread_id="child")

        with pytest.raises(Conflict):
            await store.delete_thread(parent.key, "cascade")
        await store.delete_thread(parent.key, "detach")

        assert await store.get_thread(SCOPE, "parent") is None
        assert await store.get_thread(SCOPE, "child") is not None
