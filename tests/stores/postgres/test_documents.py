"""Documents that several processes write and claim at once: each store object is a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import msgspec

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Conflict, NotFound
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import SCOPE, thread

Holding = Callable[[str], AbstractAsyncContextManager[Any]]
Deadlocks = Callable[[], Awaitable[int]]


def push(number: int, **changes: Any) -> Document:
    return msgspec.structs.replace(
        Document(scope=SCOPE, kind="push", id=f"{number:03}", value={}, due_at=number), **changes
    )


async def test_no_two_processes_claim_the_same_document(stores: Sequence[PostgresStore]) -> None:
    await asyncio.gather(*(stores[0].put_document(push(number), 1) for number in range(60)))

    taken: list[str] = []
    async with asyncio.timeout(20):
        while len(taken) < 60:
            claims = await asyncio.gather(
                *(store.claim_documents("push", now=99, until=999, limit=4) for _ in range(2) for store in stores)
            )
            taken += [one.id for some in claims for one in some]

    assert len(set(taken)) == 60
    assert await stores[0].claim_documents("push", now=99, until=999, limit=9) == ()


async def test_a_claim_passes_by_what_somebody_writes_at_this_moment(store: PostgresStore, holding: Holding) -> None:
    for number in range(3):
        await store.put_document(push(number), 1)

    async with holding("select 1 from documents where id = '000' for update"), asyncio.timeout(2):
        assert [one.id for one in await store.claim_documents("push", now=9, until=99, limit=2)] == ["001", "002"]

    assert [one.id for one in await store.claim_documents("push", now=9, until=99, limit=2)] == ["000"]


async def test_of_all_who_expect_the_same_revision_one_writes(stores: Sequence[PostgresStore]) -> None:
    for expected in range(6):
        wanted = [push(1, value={"by": number}) for number in range(9)]

        written = await asyncio.gather(
            *(stores[number % 3].put_document(one, 1, expected=expected) for number, one in enumerate(wanted)),
            return_exceptions=True,
        )

        (kept,) = [one for one in written if isinstance(one, Document)]
        assert sum(isinstance(one, Conflict) for one in written) == 8
        assert kept.revision == expected + 1
        assert await stores[0].get_document(SCOPE, "push", "001") == kept


async def test_writes_without_an_expectation_are_all_counted(stores: Sequence[PostgresStore]) -> None:
    await asyncio.gather(*(stores[number % 3].put_document(push(1), 1) for number in range(30)))

    found = await stores[0].get_document(SCOPE, "push", "001")
    assert found is not None
    assert found.revision == 30


async def test_documents_of_a_thread_that_is_removed_meanwhile_go_with_it_or_are_refused(
    stores: Sequence[PostgresStore], deadlocks: Deadlocks
) -> None:
    for round_number in range(10):
        key = (await stores[0].create_thread(thread(f"t{round_number}"))).key
        mine = [push(number, thread_key=key) for number in range(6)]
        await stores[0].put_document(mine[0], 1)

        outcomes = await asyncio.gather(
            *(stores[1 + number % 2].put_document(one, 1) for number, one in enumerate(mine)),
            stores[0].delete_thread(key, "reject"),
            return_exceptions=True,
        )

        assert outcomes[-1] is None
        assert all(isinstance(one, Document | NotFound) for one in outcomes[:-1]), outcomes
        assert await stores[0].list_documents(SCOPE, "push", prefix="", after="", limit=9) == ()

    assert await deadlocks() == 0
