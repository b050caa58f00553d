"""The store behind a pgbouncer in transaction mode, which gives every transaction another connection."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from tests.stores.postgres.road import paved

from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest
from wakeful.contracts.query import RunQuery
from wakeful.contracts.signal import Signal
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import (
    SCOPE,
    log,
    log_numbers,
    message_ids,
    more,
    settlement,
    start,
    submission,
    worker,
)

BOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
CONFIGURATION = """
[databases]
wakeful = host={socket} dbname=wakeful user=postgres pool_size=3
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
logfile = {folder}/log
pidfile = {folder}/pid
{user}
"""

pytestmark = pytest.mark.skipif(BOUNCER is None, reason="pgbouncer is not installed: apt-get install pgbouncer")

Open = Callable[..., Awaitable[PostgresStore]]
Sql = Callable[..., Awaitable[list[Any]]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where a user without rights may read and write, which is who runs both servers for root."""
    folder = Path(tempfile.mkdtemp(prefix="wakeful-pgbouncer-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
async def pooled(server: Any, url: str, folder: Path) -> AsyncIterator[str]:
    """The URL of the test's database through a pgbouncer with three connections."""
    assert BOUNCER is not None
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = CONFIGURATION.format(
        socket=server.url("wakeful").partition("host=")[2],
        port=port,
        folder=folder,
        user=f"user = {server.system_user}" if server.system_user else "",
    )
    file = folder / "pgbouncer.ini"
    await asyncio.to_thread(file.write_text, settings)
    bouncer = await asyncio.create_subprocess_exec(BOUNCER, "-q", str(file))
    try:
        await listens(port)
        ours = f"pgbouncer=true&listen_url={quote(url, safe='')}"
        yield f"postgresql://postgres@127.0.0.1:{port}/wakeful?sslmode=disable&{ours}"
    finally:
        bouncer.kill()
        await bouncer.wait()


async def listens(port: int) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


async def test_runs_are_accepted_carried_and_read_through_a_pooler(pooled: str, open_store: Open, sql: Sql) -> None:
    stores = [await open_store(pooled, pool_size=8) for _ in range(2)]

    async def carry(number: int) -> None:
        store = stores[number % 2]
        run, lease = await start(store, f"r{number}", thread_id=f"t{number}")
        for seq in range(2, 12):
            await store.append([more(lease, log(seq, seq))])
        await store.settle(settlement(lease, entries=log(12, 12)))
        assert await log_numbers(stores[1 - number % 2], run) == list(range(1, 13))
        assert await message_ids(store, run) == [f"input of r{number}"]

    async with asyncio.timeout(20):
        await asyncio.gather(*(carry(number) for number in range(16)))

    found = await stores[0].list_runs(RunQuery(scope=SCOPE, limit=50))
    assert (found.total, {run.status.value for run in found.items}) == (16, {"completed"})
    servers = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    assert (await sql(servers))[0][0] <= 3


async def test_word_comes_past_the_pooler(pooled: str, open_store: Open) -> None:
    listening, writing = await open_store(pooled), await open_store(pooled)
    heard: asyncio.Queue[Signal] = asyncio.Queue()

    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        task = group.create_task(listening.listen(heard.put_nowait))
        assert (await heard.get()).missed
        await writing.accept(submission("r1"))
        assert await heard.get() == Signal(work=True)
        task.cancel()

    assert [claim.run.id for claim in await listening.claim(worker(), 9)] == ["r1"]


async def test_what_is_refused_leaves_no_transaction_behind(pooled: str, open_store: Open) -> None:
    store = await open_store(pooled, pool_size=1)
    run, _ = await start(store, "r1")

    with pytest.raises(BadRequest):
        await store.read_log(run.key, after=2**63, limit=1)

    assert await log_numbers(store, run) == [1]
    assert (await store.accept(submission("r2"))).run.id == "r2"


async def test_documents_are_written_claimed_and_listed_through_a_pooler(pooled: str, open_store: Open) -> None:
    stores = [await open_store(pooled, pool_size=8) for _ in range(2)]
    plain = [Document(scope=SCOPE, kind="push", id=f"{number:02}", value={}, due_at=1) for number in range(20)]
    await asyncio.gather(*(stores[0].put_document(one, 1, expected=0) for one in plain))

    claims = await asyncio.gather(
        *(store.claim_documents("push", now=1, until=9, limit=3) for _ in range(4) for store in stores)
    )

    taken = [one.id for some in claims for one in some]
    assert len(set(taken)) == len(taken) >= 3
    found = await stores[1].list_documents(SCOPE, "push", prefix="1", after="14", limit=9)
    assert [one.id for one in found] == ["15", "16", "17", "18", "19"]


async def test_a_commit_that_the_pooler_did_not_answer_is_found_out(pooled: str, open_store: Open) -> None:
    port = urlsplit(pooled).port
    async with paved(lambda: asyncio.open_connection("127.0.0.1", port)) as road:
        store = await open_store(pooled.replace(f":{port}/", f":{road.port}/"), pool_size=1)
        run, lease = await start(store, "r1")
        road.break_at_commit("committed")

        async with asyncio.timeout(10):
            assert await store.append([more(lease, log(2, 3))]) == frozenset()

        assert road.questions >= 1
        assert await log_numbers(store, run) == [1, 2, 3]
        await store.aclose()
