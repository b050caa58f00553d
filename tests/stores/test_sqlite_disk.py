"""A disk that is full, and a database that may not be written: a clear error, and the store goes on afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from wakeful.contracts.errors import StoreUnavailable
from wakeful.contracts.store import Accepted
from wakeful.stores.named_sql import load_queries
from wakeful.stores.sqlite.accept import accept
from wakeful.stores.sqlite.database import Database
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.stores.sqlite.writer import Writer
from wakeful.testing.store_cases.builders import SCOPE, log, log_numbers, message, more, settlement, start, submission

FILLS_THE_DISK = """
import asyncio, resource, signal, sys
from pathlib import Path
from wakeful.contracts.errors import StoreUnavailable
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import log, more, settlement, start

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = SQLiteStore(sys.argv[1])
    await store.open()
    run, lease = await start(store, "r1")
    written = 1
    size = Path(sys.argv[1] + "-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 300_000, resource.RLIM_INFINITY))
    try:
        while True:
            await store.append([more(lease, log(written + 1, written + 100))])
            written += 100
    except StoreUnavailable as error:
        print(error.message)
    await store.renew([lease], 99_000)
    print(len((await store.read_log(run.key, after=0, limit=100_000)).entries) == written)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    await store.append([more(lease, log(written + 1, written + 100))])
    await store.settle(settlement(lease, entries=log(written + 101, written + 101)))
    print("settled")
    await store.aclose()

asyncio.run(main())
"""


class Bench:
    """The writer of a database, with its connection to make trouble on."""

    def __init__(self, path: Path) -> None:
        self.connection = Database(path, synchronous="normal", busy_timeout=0).open_writing()
        self.writer = Writer(Session(self.connection, load_queries("wakeful.stores.sqlite")), "wakeful.db")

    async def accept(self, run_id: str, *, letters: int = 1) -> Accepted:
        """A request on a thread of its own, with this much text."""
        text = message("x" * letters)
        return await self.writer.run(
            lambda session: accept(session, submission(run_id, thread_id=run_id, messages=(text,)))
        )

    def pragma(self, text: str) -> None:
        self.connection.execute(f"pragma {text}")


@pytest.fixture
async def bench(path: Path) -> AsyncIterator[Bench]:
    bench = Bench(path)
    yield bench
    await bench.writer.aclose()


async def test_a_full_disk_is_named_so_and_nothing_accepted_is_lost(path: Path, bench: Bench) -> None:
    await bench.accept("before")
    bench.pragma("max_page_count = 1")  # as many as there are

    with pytest.raises(StoreUnavailable, match=r"wakeful\.db: the disk is full; free some space"):
        await bench.accept("too much", letters=100_000)

    bench.pragma("max_page_count = 1000000")
    await bench.accept("after", letters=100_000)
    store = SQLiteStore(path)
    await store.open()
    assert await store.get_run(SCOPE, "before") is not None
    assert await store.get_run(SCOPE, "too much") is None
    assert await store.get_thread(SCOPE, "too much") is None
    assert await store.get_run(SCOPE, "after") is not None
    await store.aclose()


async def test_a_full_disk_spares_what_fits(bench: Bench) -> None:
    await bench.accept("before")
    bench.pragma("max_page_count = 1")

    sent = (bench.accept("small"), bench.accept("too much", letters=100_000), bench.accept("small too"))
    results = await asyncio.gather(*sent, return_exceptions=True)

    assert isinstance(results[1], StoreUnavailable)
    assert (await bench.accept("small again")).run.id == "small again"


@pytest.mark.skipif(sys.platform == "win32", reason="the system has no limit on the size of files")
async def test_a_process_that_may_write_no_more_goes_on_when_it_may(path: Path) -> None:
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", FILLS_THE_DISK, str(path)], capture_output=True, timeout=60, check=False
    )

    advice, *rest = done.stdout.decode().splitlines()
    assert "wakeful.db: " in advice, done.stderr.decode()
    assert "disk" in advice
    assert rest == ["True", "settled"]


async def test_a_database_that_may_not_be_written_is_named_so_and_serves_reads(path: Path, bench: Bench) -> None:
    await bench.accept("before")
    bench.pragma("query_only = on")

    with pytest.raises(StoreUnavailable, match=r"wakeful\.db: the file or its folder is read-only; make both writable"):
        await bench.accept("refused")

    store = SQLiteStore(path)
    await store.open()
    assert await store.get_run(SCOPE, "before") is not None
    assert await store.get_run(SCOPE, "refused") is None
    await store.aclose()
    bench.pragma("query_only = off")
    assert (await bench.accept("refused")).run.id == "refused"


async def test_a_run_carried_through_a_lock_by_another_process_loses_nothing(path: Path, store: SQLiteStore) -> None:
    run, lease = await start(store, "r1")
    other = Bench(path)
    other.connection.execute("begin immediate")

    with pytest.raises(StoreUnavailable, match="locked by another process"):
        await store.append([more(lease, log(2, 3))])

    other.connection.execute("rollback")
    await store.append([more(lease, log(2, 3))])
    await store.settle(settlement(lease, entries=log(4, 4)))
    assert await log_numbers(store, run) == [1, 2, 3, 4]
    await other.writer.aclose()
