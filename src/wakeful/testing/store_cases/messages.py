"""Store tests: reading the messages of a thread."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import pytest

from wakeful.contracts.message import FilePart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.query import MessageQuery
from wakeful.contracts.run import Run
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import SCOPE, log, message, more, start


async def _conversation(store: Store) -> Run:
    """Six messages: a, b (internal), c (of r1), d (internal, of r1), e, f."""
    run, lease = await start(store, "r1", messages=(message("a"), message("b", visibility="internal")))
    replies = (
        message("c", "assistant", run_id="r1"),
        message("d", "tool", run_id="r1", visibility="internal"),
        message("e"),
        message("f"),
    )
    await store.append([more(lease, log(2, 2), messages=replies)])
    return run


class MessageCases:
    """`list_messages`, `history`, `known_message_ids`."""

    async def test_every_kind_of_part_comes_back_as_it_was(self, store: Store) -> None:
        parts = (
            TextPart("héllo 🌍\x00", interrupted=True),
            ReasoningPart("hmm", signature="s", encrypted="e", item_id="i", provider="p"),
            FilePart("image/png", "https://example.org/a.png", "a.png"),
            ToolCallPart("c1", "search", '{"q": 1}'),
            ToolResultPart("c1", "search", "succeeded", {"hits": [1, None, True, "x"]}),
        )
        whole = Message("m", "assistant", parts, created_at=5, visibility="internal", run_id="r1", step=3)

        run, _ = await start(store, "r1", messages=(whole,))

        assert await store.history(run.thread_key) == (whole,)

    async def test_history_has_every_message_in_order(self, store: Store) -> None:
        run = await _conversation(store)

        found = await store.history(run.thread_key)

        assert [one.id for one in found] == ["a", "b", "c", "d", "e", "f"]
        assert await store.history(4_711) == ()

    async def test_messages_are_numbered_densely_from_one(self, store: Store) -> None:
        run = await _conversation(store)

        found = await store.list_messages(MessageQuery(thread_key=run.thread_key, visibility=None))

        assert [(seq, one.id) for seq, one in found.items] == list(enumerate("abcdef", 1))

    @pytest.mark.parametrize(
        ("wanted", "expected", "total", "has_more"),
        [
            ({}, "acef", 4, False),
            ({"visibility": "internal"}, "bd", 2, False),
            ({"visibility": None}, "abcdef", 6, False),
            ({"order": "desc"}, "feca", 4, False),
            ({"limit": 3}, "ace", 4, True),
            ({"limit": 3, "order": "desc"}, "fec", 4, True),
            ({"after": 1}, "cef", 4, False),
            ({"before": 5}, "ac", 4, False),
            ({"before": 5, "order": "desc", "limit": 1}, "c", 4, True),
            ({"after": 1, "before": 6, "visibility": None}, "bcde", 6, False),
            ({"run_id": "r1"}, "c", 1, False),
            ({"run_id": "r1", "visibility": None}, "cd", 2, False),
            ({"run_id": "r9"}, "", 0, False),
        ],
    )
    async def test_messages_are_filtered_and_paged(
        self,
        store: Store,
        wanted: dict[str, Any],
        expected: str,
        total: int,
        has_more: bool,  # noqa: FBT001  pytest hands it in by name
    ) -> None:
        run = await _conversation(store)

        found = await store.list_messages(MessageQuery(thread_key=run.thread_key, **wanted))

        assert "".join(one.id for _, one in found.items) == expected
        assert (found.total, found.has_more) == (total, has_more)

    async def test_a_thread_without_messages_lists_none(self, store: Store) -> None:
        found = await store.list_messages(MessageQuery(thread_key=4_711, visibility="internal"))

        assert (found.items, found.total, found.has_more) == ((), 0, False)

    async def test_known_ids_are_those_on_the_thread(self, store: Store) -> None:
        run = await _conversation(store)
        await start(store, "r2", thread_id="t2", messages=(message("z"),))

        assert await store.known_message_ids(run.thread_key, ["d", "a", "z", "a"]) == {"a", "d"}
        assert await store.known_message_ids(run.thread_key, []) == frozenset()

    async def test_a_thread_counts_its_external_messages(self, store: Store) -> None:
        await _conversation(store)

        thread = await store.get_thread(SCOPE, "t1")

        assert thread is not None
        assert thread.message_count == 4
