"""Moving house from one PostgreSQL database to another, by the command an operator types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from tests.stores.postgres.test_moving import Dying, everything, furnish

from wakeful.cli import moving
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import SCOPE, message_ids, worker
from wakeful.testing.store_cases.builders import start as begun

Open = Callable[..., Awaitable[PostgresStore]]
TOKEN = "sesame"
SIGNED = {"authorization": f"Bearer {TOKEN}"}
HELLO = {"agent_id": "assistant", "thread_id": "child", "messages": [{"content": "hello"}]}


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[PostgresStore]:
    store = PostgresStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def test_one_database_becomes_another_that_servers_go_on_with(
    start: Any, url: str, bare_url: str, open_store: Open
) -> None:
    source = await open_store()
    await furnish(source)

    copied = await start("-m", "wakeful", "db", "copy", url, bare_url, "--json")
    assert await copied.code() == 0, copied.said

    told = json.loads(copied.said.splitlines()[-1])
    async with opened(bare_url) as target:
        there = await everything(target)
        assert there == await everything(source)
        assert {name: one["rows"] for name, one in told.items()} == {name: len(rows) for name, rows in there.items()}
    scoped = {"WAKEFUL_API_TOKENS": json.dumps({SCOPE: TOKEN})}
    serve = await start("-m", "wakeful", "serve", "--port", "0", "--store", bare_url, **scoped)
    async with httpx.AsyncClient(base_url=await serve.base(), headers=SIGNED, trust_env=False, timeout=30) as http:
        child = (await http.get("/v1/threads/child/messages")).json()
        answer = await http.post("/v1/runs", json=HELLO)
    assert [message["id"] for message in child["messages"]] == ["input of long", "reply"]
    assert '"run_finished"' in answer.text


async def test_a_copy_between_databases_that_died_is_ended_by_the_same_command(
    start: Any, url: str, bare_url: str, open_store: Open
) -> None:
    source = await open_store()
    await furnish(source)
    async with opened(bare_url) as target:
        with pytest.raises(ConnectionAbortedError):
            await moving.copy(source, Dying(target, 4), force=False)

    early = await start("-m", "wakeful", "serve", "--port", "0", "--store", bare_url)
    assert await early.code() != 0
    rest = await start("-m", "wakeful", "db", "copy", url, bare_url)
    assert await rest.code() == 0, rest.said

    assert "half of a copy" in early.said
    async with opened(bare_url) as target:
        assert await everything(target) == await everything(source)


async def test_a_database_is_not_copied_onto_itself(start: Any, url: str, open_store: Open) -> None:
    source = await open_store()
    await furnish(source)
    before = await everything(source)

    refused = await start("-m", "wakeful", "db", "copy", url, f"{url}&application_name=another")

    assert await refused.code() == 1
    assert "copy into an empty database" in refused.said
    assert await everything(source) == before


async def test_a_running_run_goes_on_in_the_other_database(open_store: Open, bare_url: str) -> None:
    source = await open_store()
    run, lease = await begun(source, "busy")

    async with opened(bare_url) as target:
        await moving.copy(source, target, force=True)
        (claim,) = await target.claim(worker("w2", now=1_000), 9)
        assert (claim.run.id, claim.lost, claim.lease.token) == (run.id, True, lease.token + 1)
        assert await message_ids(target, claim.run) == ["input of busy"]
        assert (await target.count_runs(SCOPE)).running == 1
