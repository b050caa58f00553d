"""Connections: few, never held, lost and found again; what goes wrong is said in time and in our own words."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from itertools import count
from typing import Any

import pytest

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.store import Store
from wakeful.stores.named_sql import Query
from wakeful.stores.postgres.address import read_address
from wakeful.stores.postgres.pool import Pool
from wakeful.stores.postgres.readers import Readers
from wakeful.stores.postgres.session import Statements
from wakeful.stores.postgres.store import PostgresStore
from wakeful.stores.postgres.writer import Writer
from wakeful.testing.store_cases.builders import (
    SCOPE,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    reread,
    settlement,
    start,
    worker,
)

Open = Callable[..., Awaitable[PostgresStore]]
Sql = Callable[..., Awaitable[list[Any]]]
Holding = Callable[[str], AbstractAsyncContextManager[Any]]
Locked = Callable[[int], Awaitable[None]]
OURS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


async def test_a_store_that_is_not_open_says_so(url: str) -> None:
    store = PostgresStore(url)

    for call in (store.probe(), store.claim(worker(), 1), store.sizes(), store.reclaim()):
        with pytest.raises(StoreUnavailable, match="call open"):
            await call
    await store.aclose()


async def test_a_closed_store_can_be_opened_again(store: PostgresStore) -> None:
    await start(store, "r1")
    await store.aclose()
    await store.aclose()

    await store.open()

    assert await store.get_run(SCOPE, "r1") is not None


async def test_a_crowd_is_served_by_no_more_connections_than_the_pool_may_have(open_store: Open, sql: Sql) -> None:
    store = await open_store(pool_size=3)
    await start(store, "r1")

    await asyncio.gather(*(store.get_run(SCOPE, "r1") for _ in range(100)))

    assert (await sql(f"select count(*) {OURS}"))[0][0] == 3
    assert (await sql(f"select count(*) {OURS} and state <> 'idle'"))[0][0] == 0


async def test_a_store_is_one_connection_until_more_are_needed(store: PostgresStore, sql: Sql) -> None:
    await store.probe()

    assert (await sql(f"select count(*) {OURS}"))[0][0] == 1


async def test_who_finds_no_free_connection_is_told_in_time(open_store: Open, holding: Holding, locked: Locked) -> None:
    store = await open_store(pool_size=2, pool_timeout=0.2)
    run, _ = await start(store, "r1")

    async with asyncio.timeout(8), asyncio.TaskGroup() as group, holding("lock table events"):
        for _ in range(2):
            group.create_task(store.reclaim())
        await locked(2)

        with pytest.raises(StoreUnavailable, match=r"none of the 2 connections was free within 0\.2 s; raise"):
            await store.get_run(SCOPE, "r1")

    assert await log_numbers(store, run) == [1]


async def test_a_cancelled_call_writes_all_or_nothing_and_leaves_its_connection_fit(
    open_store: Open, sql: Sql, holding: Holding, locked: Locked
) -> None:
    store = await open_store(pool_size=1)
    run, lease = await start(store, "r1")

    async with holding("select 1 from threads for update"):
        call = asyncio.create_task(store.append([more(lease, log(2, 2))]))
        await locked(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert await log_numbers(store, run) == [1]
    assert await store.append([more(lease, log(2, 2))]) == frozenset()
    assert (await sql(f"select count(*) {OURS} and state <> 'idle'"))[0][0] == 0


async def test_connections_the_server_ended_are_replaced(store: PostgresStore, sql: Sql) -> None:
    await start(store, "r1")
    assert await sql(f"select pg_terminate_backend(pid, 5000) {OURS}") != []

    await store_is_back(store)

    assert await store.get_run(SCOPE, "r1") is not None


async def test_a_restart_of_the_server_loses_nothing_that_was_acknowledged(server: Any, open_store: Open) -> None:
    store = await open_store(pool_size=2)
    run, lease = await start(store, "r1")
    acknowledged: list[int] = []
    refused: list[int] = []
    began, back = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        # What was refused may have been written, so its number is not used again.
        for seq in count(2):
            try:
                await store.append([more(lease, log(seq, seq), messages=(message(f"m{seq}"),))])
                acknowledged.append(seq)
                began.set()
            except StoreUnavailable:
                refused.append(seq)
                await asyncio.sleep(0.01)
            if back.is_set() and acknowledged[-1] == seq:
                return

    async def restart() -> None:
        await began.wait()
        await asyncio.to_thread(server.control, "restart", "-m", "immediate")
        await store_is_back(store)
        back.set()

    async with asyncio.timeout(30):
        await asyncio.gather(write(), restart())

    assert refused != []
    written = await log_numbers(store, run)
    assert set(acknowledged) <= set(written)
    assert len(written) == len(set(written))
    assert len(await message_ids(store, run)) == len(written)


async def store_is_back(store: Store) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await store.probe()
            except StoreUnavailable:
                await asyncio.sleep(0.02)
            else:
                return


async def test_a_lock_that_is_held_for_too_long_is_named(open_store: Open, holding: Holding) -> None:
    store = await open_store(pool_timeout=0.2)
    run, lease = await start(store, "r1")

    async with holding("select 1 from threads for update"):
        with pytest.raises(StoreUnavailable, match="holds a lock for too long"):
            await store.settle(settlement(lease))

    await store.settle(settlement(lease))
    assert (await reread(store, run)).finished_at == 2_000


async def test_who_is_cut_off_inside_a_transaction_is_ended_by_the_server_soon(url: str) -> None:
    address = read_address(url)
    pool = await Pool.open(address)
    asking = Statements({"patience": Query(["select current_setting('idle_in_transaction_session_timeout')"])})
    readers, writer = Readers(pool, asking, "p"), Writer(pool, address, asking, "p")

    found = [await lane(lambda session: session.value("patience")) for lane in (readers.run, writer.run)]

    assert found == ["10s", "10s"]
    assert await readers.run_one(lambda session: session.value("patience")) == "0"
    await pool.aclose()


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (("/wakeful?", "/nowhere?"), "there is no such database; create it"),
        (("postgres@", "nobody@"), "the user may not connect"),
        (("host=/", "host=/nowhere/"), "check the server"),
        (("?host", "?pool_sise=3&host"), "the server knows no such setting"),
    ],
)
async def test_a_database_that_cannot_be_reached_is_named_with_advice(
    url: str, change: tuple[str, str], advice: str
) -> None:
    with pytest.raises(StoreUnavailable, match=advice):
        await PostgresStore(url.replace(*change)).open()


async def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    held: list[asyncio.StreamWriter] = []

    async def keep_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as silent, asyncio.timeout(4):
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(StoreUnavailable, match="no answer in time"):
            await PostgresStore(f"postgresql://a@127.0.0.1:{port}/b?pool_timeout=0.2&sslmode=disable").open()
        for writer in held:
            writer.close()
