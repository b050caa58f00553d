"""Store tests: changing threads."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import pytest

from wakeful.contracts.errors import BadRequest, NotFound
from wakeful.contracts.query import ThreadChange
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import SCOPE, thread


class ThreadChangeCases:
    """`update_thread`."""

    async def test_a_change_touches_only_what_it_names(self, store: Store) -> None:
        await store.create_thread(thread("parent"))
        created = await store.create_thread(
            thread("t1", title="Old", resource_id="u", parent_thread_id="parent", custom={"a": 1})
        )

        changed = await store.update_thread(created.key, ThreadChange(title="New"), 500)

        assert (changed.title, changed.resource_id, changed.parent_thread_id) == ("New", "u", "parent")
        assert (changed.custom, changed.updated_at, changed.created_at) == ({"a": 1}, 500, 1)
        assert await store.get_thread(SCOPE, "t1") == changed

    async def test_none_clears_a_field(self, store: Store) -> None:
        await store.create_thread(thread("parent"))
        created = await store.create_thread(thread("t1", title="Old", resource_id="u", parent_thread_id="parent"))

        change = ThreadChange(title=None, resource_id=None, parent_thread_id=None)
        changed = await store.update_thread(created.key, change, 500)

        assert (changed.title, changed.resource_id, changed.parent_thread_id) == (None, None, None)

    async def test_custom_fields_merge_and_a_null_removes_one(self, store: Store) -> None:
        created = await store.create_thread(thread("t1", custom={"keep": 1, "replace": {"x": 1}, "drop": 2}))

        change = ThreadChange(custom={"replace": {"y": 2}, "drop": None, "add": [3], "never": None})
        changed = await store.update_thread(created.key, change, 500)

        assert changed.custom == {"keep": 1, "replace": {"y": 2}, "add": [3]}

    async def test_activity_never_goes_back(self, store: Store) -> None:
        created = await store.create_thread(thread("t1", updated_at=900))

        changed = await store.update_thread(created.key, ThreadChange(title="x"), 500)

        assert changed.updated_at == 900

    async def test_a_parent_that_does_not_exist_is_refused(self, store: Store) -> None:
        created = await store.create_thread(thread("t1"))

        with pytest.raises(BadRequest):
            await store.update_thread(created.key, ThreadChange(parent_thread_id="nowhere", title="x"), 500)

        assert await store.get_thread(SCOPE, "t1") == created

    @pytest.mark.parametrize("parent", ["top", "middle", "bottom"])
    async def test_a_cycle_is_refused(self, store: Store, parent: str) -> None:
        top = await store.create_thread(thread("top"))
        await store.create_thread(thread("middle", parent_thread_id="top"))
        await store.create_thread(thread("bottom", parent_thread_id="middle"))

        with pytest.raises(BadRequest):
            await store.update_thread(top.key, ThreadChange(parent_thread_id=parent), 500)

        assert await store.get_thread(SCOPE, "top") == top

    async def test_a_thread_may_move_under_another(self, store: Store) -> None:
        await store.create_thread(thread("top"))
        await store.create_thread(thread("side"))
        bottom = await store.create_thread(thread("bottom", parent_thread_id="top"))

        changed = await store.update_thread(bottom.key, ThreadChange(parent_thread_id="side"), 500)

        assert changed.parent_thread_id == "side"

    async def test_a_thread_that_is_gone_is_not_found(self, store: Store) -> None:
        with pytest.raises(NotFound):
            await store.update_thread(4_711, ThreadChange(title="x"), 500)
