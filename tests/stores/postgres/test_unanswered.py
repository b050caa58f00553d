"""Commits whose answer is lost on the way: the store finds out what became of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tests.stores.postgres.road import Fate, Road, paved

from wakeful.contracts.document import Document
from wakeful.contracts.errors import StoreUnavailable
from wakeful.stores.postgres import unanswered
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import (
    SCOPE,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    start,
    submission,
    worker,
)

Open = Callable[..., Awaitable[PostgresStore]]


@pytest.fixture
async def road(url: str) -> AsyncIterator[Road]:
    """A road to the server's socket."""
    socket = f"{url.partition('host=')[2].partition('&')[0]}/.s.PGSQL.5432"
    async with paved(lambda: asyncio.open_unix_connection(socket)) as road:
        yield road


@pytest.fixture
async def far(road: Road, open_store: Open) -> PostgresStore:
    """A store at the other end of the road, with one connection."""
    return await open_store(f"postgresql://postgres@127.0.0.1:{road.port}/wakeful?sslmode=disable", pool_size=1)


async def test_a_log_whose_commit_was_not_answered_is_written_and_goes_on(road: Road, far: PostgresStore) -> None:
    run, lease = await start(far, "r1")
    road.break_at_commit("committed")

    async with asyncio.timeout(10):
        lost = await far.append([more(lease, log(2, 3), messages=(message("m1"),))])

    assert lost == frozenset()
    assert road.questions >= 1
    assert await far.append([more(lease, log(4, 4))]) == frozenset()
    assert await log_numbers(far, run) == [1, 2, 3, 4]
    assert await message_ids(far, run) == ["input of r1", "m1"]


@pytest.mark.parametrize("fate", ["undone", "late"])
async def test_a_commit_that_did_not_arrive_is_refused_and_may_be_tried_again(
    road: Road, far: PostgresStore, fate: Fate
) -> None:
    run, lease = await start(far, "r1")
    road.break_at_commit(fate)

    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="the connection was"):
            await far.append([more(lease, log(2, 3))])

    assert road.questions >= 1
    assert await far.append([more(lease, log(2, 3))]) == frozenset()
    assert await log_numbers(far, run) == [1, 2, 3]


async def test_a_run_claimed_without_an_answer_is_carried_by_who_claimed_it(road: Road, far: PostgresStore) -> None:
    await far.accept(submission("r1"))
    road.break_at_commit("committed")

    async with asyncio.timeout(10):
        (claim,) = await far.claim(worker(), 9)

    assert await far.renew([claim.lease], 99_000) == frozenset()


async def test_a_request_accepted_without_an_answer_keeps_its_lease(road: Road, far: PostgresStore) -> None:
    road.break_at_commit("committed")

    async with asyncio.timeout(10):
        _, lease = await start(far, "r1")

    assert await far.renew([lease], 99_000) == frozenset()


async def test_documents_claimed_without_an_answer_are_handed_out(road: Road, far: PostgresStore) -> None:
    await far.put_document(Document(scope=SCOPE, kind="push", id="a", value={}, due_at=1), 1)
    road.break_at_commit("committed")

    async with asyncio.timeout(10):
        (claim,) = await far.claim_documents("push", now=1, until=9, limit=9)

    assert (claim.id, claim.revision) == ("a", 2)


async def test_a_server_that_cannot_be_asked_is_unavailable_in_time(
    road: Road, far: PostgresStore, store: PostgresStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unanswered, "ASKING_SECONDS", 0.3)
    run, lease = await start(far, "r1")
    road.break_at_commit("away")

    async with asyncio.timeout(10):
        with pytest.raises(StoreUnavailable, match="the connection was"):
            await far.append([more(lease, log(2, 2))])

    assert road.questions == 0
    async with asyncio.timeout(5):
        while await log_numbers(store, run) != [1, 2]:
            pass


async def test_nothing_is_asked_about_what_only_looked(road: Road, far: PostgresStore) -> None:
    road.break_at_commit("undone")

    with pytest.raises(StoreUnavailable):
        await far.claim(worker(), 9)

    assert road.questions == 0
