"""Store tests: small JSON documents beside the log."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, Conflict, NotFound
from wakeful.contracts.json import JsonObject
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import SCOPE, settlement, start, thread

VALUE: JsonObject = {"url": "https://example.org/ü", "deep": {"a": [1, 2.5, None, {"": "\x00"}]}, "z": 1, "a": True}
TOP = "\U0010ffff"


def document(id: str, **changes: Any) -> Document:
    """A document of kind `session` with a value of its own."""
    return msgspec.structs.replace(Document(scope=SCOPE, kind="session", id=id, value={"name": id}), **changes)


async def listed(store: Store, prefix: str = "", *, after: str = "", limit: int = 99) -> list[str]:
    """The ids of a page of sessions."""
    found = await store.list_documents(SCOPE, "session", prefix=prefix, after=after, limit=limit)
    return [one.id for one in found]


async def claimed(store: Store, *, now: int, until: int, limit: int = 99) -> list[str]:
    """The ids of the sessions that are due."""
    return [one.id for one in await store.claim_documents("session", now=now, until=until, limit=limit)]


class DocumentCases:
    """`get_document`, `list_documents`, `put_document`, `delete_document`."""

    async def test_a_document_comes_back_as_it_was_put(self, store: Store) -> None:
        put = await store.put_document(document("a", value=VALUE, due_at=9), 70)

        assert put == document("a", value=VALUE, due_at=9, revision=1, updated_at=70)
        found = await store.get_document(SCOPE, "session", "a")
        assert found == put
        assert list(put.value) == list(VALUE)

    async def test_a_document_has_its_name_within_a_scope_and_a_kind(self, store: Store) -> None:
        wanted = [document("a"), document("a", scope="other"), document("a", kind="handle"), document("b")]
        for number, one in enumerate(wanted):
            await store.put_document(msgspec.structs.replace(one, value={"number": number}), 1)

        found = [await store.get_document(one.scope, one.kind, one.id) for one in wanted]

        assert [one.value for one in found if one] == [{"number": number} for number in range(4)]
        assert await store.get_document(SCOPE, "handle", "b") is None
        assert await listed(store) == ["a", "b"]

    async def test_every_write_replaces_the_whole_document_and_raises_its_revision(self, store: Store) -> None:
        created = await store.create_thread(thread("t1"))
        await store.put_document(document("a", value=VALUE, due_at=5, thread_key=created.key), 1)

        again = await store.put_document(document("a", revision=77), 2)

        assert again == document("a", revision=2, updated_at=2)
        assert await store.get_document(SCOPE, "session", "a") == again

    async def test_a_write_may_expect_a_revision(self, store: Store) -> None:
        first = await store.put_document(document("a"), 1, expected=0)
        second = await store.put_document(document("a", value={"n": 2}), 2, expected=first.revision)

        for stale in (0, 1, 3):
            with pytest.raises(Conflict, match="session a"):
                await store.put_document(document("a", value={"n": 3}), 3, expected=stale)
            with pytest.raises(Conflict, match="session a"):
                await store.delete_document(SCOPE, "session", "a", expected=stale)

        assert await store.get_document(SCOPE, "session", "a") == second
        assert await store.delete_document(SCOPE, "session", "a", expected=2)

    async def test_a_revision_is_not_expected_of_a_document_that_is_not_there(self, store: Store) -> None:
        with pytest.raises(Conflict):
            await store.put_document(document("a"), 1, expected=1)

        assert await store.get_document(SCOPE, "session", "a") is None
        assert not await store.delete_document(SCOPE, "session", "a", expected=1)

    async def test_a_document_is_removed_once_and_begins_anew(self, store: Store) -> None:
        await store.put_document(document("a"), 1)
        await store.put_document(document("a"), 1)

        assert await store.delete_document(SCOPE, "session", "a")
        assert not await store.delete_document(SCOPE, "session", "a")
        assert await store.get_document(SCOPE, "session", "a") is None
        assert (await store.put_document(document("a"), 2, expected=0)).revision == 1

    async def test_a_document_goes_with_its_thread(self, store: Store) -> None:
        run, lease = await start(store, "r1")
        await store.settle(settlement(lease))
        await store.put_document(document("theirs", thread_key=run.thread_key, due_at=1), 1)
        await store.put_document(document("free"), 1)

        await store.delete_thread(run.thread_key, "detach")

        assert await listed(store) == ["free"]
        assert await claimed(store, now=9, until=10) == []

    async def test_a_document_of_a_thread_that_is_gone_is_refused(self, store: Store) -> None:
        await store.put_document(document("a"), 1)

        for expected in (None, 0, 1):
            with pytest.raises(NotFound):
                await store.put_document(document("a", thread_key=4_711), 2, expected=expected)

        kept = await store.get_document(SCOPE, "session", "a")
        assert kept == document("a", revision=1, updated_at=1)

    async def test_a_value_of_256_kib_is_kept_and_a_larger_one_refused(self, store: Store) -> None:
        fits = document("a", value={"": "x" * (262_144 - len('{"":""}'))})
        await store.put_document(fits, 1)

        with pytest.raises(BadRequest, match="session a: its value may have 262144 bytes as JSON and has 262145"):
            await store.put_document(document("a", value={"": fits.value[""] + "x"}), 2)

        found = await store.get_document(SCOPE, "session", "a")
        assert found is not None
        assert (found.value, found.revision) == (fits.value, 1)

    @pytest.mark.parametrize(
        ("prefix", "expected"),
        [
            ("", ["", "%", "A", "a", "a%", "a/1", "a/1/x", "a/2", "a0", "a_", "aé", f"a{TOP}", f"a{TOP}b", "b", TOP]),
            ("a/", ["a/1", "a/1/x", "a/2"]),
            ("a/1", ["a/1", "a/1/x"]),
            ("a%", ["a%"]),
            ("%", ["%"]),
            ("a_", ["a_"]),
            ("A", ["A"]),
            ("aé", ["aé"]),
            (f"a{TOP}", [f"a{TOP}", f"a{TOP}b"]),
            (TOP, [TOP]),
            ("\ud7ff", ["\ud7ff"]),
            ("c", []),
        ],
        ids=ascii,
    )
    async def test_documents_are_listed_by_the_beginning_of_their_ids(
        self, store: Store, prefix: str, expected: list[str]
    ) -> None:
        everything = ["", "%", "A", "a", "a%", "a/1", "a/1/x", "a/2", "a0", "a_", "aé", f"a{TOP}", f"a{TOP}b", "b", TOP]
        surrounding = ["\ud7ff", "\ue000"] if prefix == "\ud7ff" else []
        for name in reversed(everything + surrounding):
            await store.put_document(document(name), 1)

        assert await listed(store, prefix) == expected

    async def test_a_page_begins_after_the_last_id_that_was_seen(self, store: Store) -> None:
        for name in ("a", "b", "b/1", "b/2", "b/3", "b/4", "c"):
            await store.put_document(document(name), 1)

        assert await listed(store, "b/", limit=2) == ["b/1", "b/2"]
        assert await listed(store, "b/", after="b/2", limit=2) == ["b/3", "b/4"]
        assert await listed(store, "b/", after="b/4", limit=2) == []
        assert await listed(store, "b/", after="a", limit=1) == ["b/1"]
        assert await listed(store, "b/", after="c") == []
        assert await listed(store, after="b/3") == ["b/4", "c"]


class DueDocumentCases:
    """`claim_documents`."""

    async def test_what_is_due_is_claimed_longest_due_first_and_in_all_scopes(self, store: Store) -> None:
        for name, due_at in (("late", 30), ("never", None), ("early", 10), ("later", 31)):
            await store.put_document(document(name, due_at=due_at), 1)
        await store.put_document(document("theirs", scope="other", due_at=20), 1)
        await store.put_document(document("other kind", kind="handle", due_at=1), 1)

        assert await claimed(store, now=30, until=90, limit=2) == ["early", "theirs"]
        assert await claimed(store, now=30, until=91) == ["late"]
        assert await claimed(store, now=30, until=92) == []
        assert await claimed(store, now=90, until=99) == ["later", "early", "theirs"]

    async def test_a_claim_is_a_write_of_when_the_document_is_due(self, store: Store) -> None:
        put = await store.put_document(document("a", due_at=10, value=VALUE), 1)

        (claim,) = await store.claim_documents("session", now=10, until=20, limit=9)

        assert claim == msgspec.structs.replace(put, revision=2, due_at=20)
        assert await store.get_document(SCOPE, "session", "a") == claim

    async def test_who_claimed_too_long_ago_is_refused_when_it_writes(self, store: Store) -> None:
        await store.put_document(document("a", due_at=10), 1)
        (stale,) = await store.claim_documents("session", now=10, until=20, limit=9)
        (claim,) = await store.claim_documents("session", now=20, until=30, limit=9)

        with pytest.raises(Conflict):
            await store.put_document(stale, 21, expected=stale.revision)
        done = await store.put_document(msgspec.structs.replace(claim, due_at=None), 22, expected=claim.revision)

        assert (done.revision, done.due_at) == (4, None)
        assert await claimed(store, now=99, until=100) == []
