"""What only a database in a file can do, or have done to it."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from wakeful.bootstrap.plugs import open_store
from wakeful.contracts.errors import BadRequest, ConfigurationError, StoreUnavailable
from wakeful.stores.named_sql import load_queries
from wakeful.stores.sqlite.database import Database, Synchronous
from wakeful.stores.sqlite.readers import Readers
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import SCOPE, log, log_numbers, more, settlement, start, submission, worker

DIES_WHILE_CARRYING_A_RUN = """
import asyncio, os, signal, sys
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import log, more, start

async def main():
    store = SQLiteStore(sys.argv[1])
    await store.open()
    run, lease = await start(store, "r1")
    await store.append([more(lease, log(2, 5), steps=1)])
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_what_was_committed_survives_a_kill(path: Path) -> None:
    killed = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", DIES_WHILE_CARRYING_A_RUN, str(path)])
    store = SQLiteStore(path)

    await store.open()

    assert killed.returncode == -9
    (claim,) = await store.claim(worker("w2", now=900_000), 9)
    assert (claim.run.id, claim.run.attempt, claim.run.steps, claim.lost, claim.last_seq) == ("r1", 2, 1, True, 5)
    assert await log_numbers(store, claim.run) == [1, 2, 3, 4, 5]
    await store.aclose()


async def test_a_closed_store_can_be_opened_again(store: SQLiteStore) -> None:
    await start(store, "r1")
    await store.aclose()

    await store.open()

    assert await store.get_run(SCOPE, "r1") is not None


async def test_two_stores_on_one_file_see_each_other(path: Path, store: SQLiteStore) -> None:
    other = SQLiteStore(path)
    await other.open()

    await start(store, "r1")

    assert await other.get_run(SCOPE, "r1") is not None
    await other.aclose()


@pytest.mark.parametrize(("synchronous", "expected"), [("normal", 1), ("full", 2)])
def test_the_file_is_written_ahead_and_as_safely_as_asked(path: Path, synchronous: Synchronous, expected: int) -> None:
    database = Database(path, synchronous=synchronous, busy_timeout=0)

    with closing(database.open_writing()) as writing, closing(database.open_reading()) as reading:
        assert pragmas(writing, "journal_mode", "foreign_keys", "query_only") == ["wal", 1, 0]
        assert pragmas(writing, "synchronous") == [expected]
        assert pragmas(reading, "journal_mode", "foreign_keys", "query_only") == ["wal", 1, 1]


def pragmas(connection: sqlite3.Connection, *names: str) -> list[object]:
    return [connection.execute(f"pragma {name}").fetchone()[0] for name in names]


async def test_a_newer_schema_is_refused_with_advice(path: Path, store: SQLiteStore) -> None:
    await store.aclose()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 9999")

    with pytest.raises(ConfigurationError, match=r"wakeful\.db has schema 9999.*upgrade Wakeful"):
        await SQLiteStore(path).open()


async def test_stores_opened_at_the_same_time_migrate_once(path: Path) -> None:
    stores = [SQLiteStore(path, readers=1) for _ in range(4)]

    await asyncio.gather(*(store.open() for store in stores))

    await asyncio.gather(*(store.probe() for store in stores))
    await asyncio.gather(*(store.aclose() for store in stores))


async def test_a_file_locked_by_another_process_is_named_so_and_serves_reads(path: Path, store: SQLiteStore) -> None:
    await start(store, "r1")
    with closing(sqlite3.connect(path)) as intruder:
        intruder.execute("begin immediate")

        with pytest.raises(StoreUnavailable, match=r"wakeful\.db: locked"):
            await store.accept(submission("r2"))

        assert await store.get_run(SCOPE, "r1") is not None
        intruder.rollback()
    assert (await store.accept(submission("r2"))).run.id == "r2"


async def test_a_file_that_is_no_database_is_named_so(path: Path) -> None:
    await asyncio.to_thread(path.write_bytes, b"dear diary, " * 1_000)

    with pytest.raises(StoreUnavailable, match=r"wakeful\.db: the file is not a SQLite database") as caught:
        await SQLiteStore(path).open()

    assert str(path.parent) not in str(caught.value)


async def test_a_missing_folder_is_named_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="check that its folder exists"):
        await SQLiteStore(tmp_path / "nowhere" / "wakeful.db").open()


async def test_a_damaged_file_is_named_so(path: Path, store: SQLiteStore) -> None:
    for number in range(50):
        await store.accept(submission(f"r{number}", thread_id=f"t{number}"))
    await store.aclose()
    await asyncio.to_thread(damage, path)

    with pytest.raises(StoreUnavailable, match="damaged"):
        await store.open()


def damage(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4_096)
        file.write(b"\xff" * 200_000)


async def test_what_the_database_cannot_hold_is_the_callers_mistake(store: SQLiteStore) -> None:
    run, _ = await start(store, "r1")

    with pytest.raises(BadRequest):
        await store.get_run(SCOPE, "half a surrogate pair \ud800")
    with pytest.raises(BadRequest):
        await store.read_log(run.key, after=2**70, limit=1)
    with pytest.raises(BadRequest):
        await store.request_cancel(run.key, 2**70)


async def test_a_closed_store_says_so(store: SQLiteStore) -> None:
    await store.aclose()
    await store.aclose()

    with pytest.raises(StoreUnavailable, match="not open"):
        await store.probe()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.accept(submission("r1"))


async def test_closing_finishes_what_was_handed_in(path: Path, store: SQLiteStore) -> None:
    writes = [asyncio.ensure_future(store.accept(submission(f"r{number}"))) for number in range(600)]
    await asyncio.sleep(0)  # let every write reach the queue

    await store.aclose()

    assert len({accepted.run.key for accepted in await asyncio.gather(*writes)}) == 600


async def test_a_cancelled_caller_does_not_stop_the_writer(store: SQLiteStore) -> None:
    impatient = asyncio.ensure_future(store.accept(submission("r1")))
    await asyncio.sleep(0)  # let the write reach the queue
    impatient.cancel()

    accepted = await store.accept(submission("r2"))

    assert impatient.cancelled()
    assert accepted.run.id == "r2"


async def test_a_read_sees_one_snapshot_from_beginning_to_end(path: Path, store: SQLiteStore) -> None:
    run, lease = await start(store, "r1")
    database = Database(path, synchronous="normal", busy_timeout=0)
    readers = Readers([Session(database.open_reading(), load_queries("wakeful.stores.sqlite"))], database.name)
    looked, written = threading.Event(), threading.Event()

    def look_twice(session: Session) -> list[int]:
        first = len(session.rows("read_events", run_key=run.key, after=0, limit=9))
        looked.set()
        written.wait(5)
        return [first, len(session.rows("read_events", run_key=run.key, after=0, limit=9))]

    reading = asyncio.ensure_future(readers.run(look_twice))
    await asyncio.to_thread(looked.wait, 5)
    await store.append([more(lease, log(2, 5))])
    written.set()

    assert await reading == [1, 1]
    await readers.aclose()


async def test_readers_see_whole_transactions_while_the_writer_works(store: SQLiteStore) -> None:
    run, lease = await start(store, "r1")

    async def write() -> None:
        for first in range(2, 402, 4):
            await store.append([more(lease, log(first, first + 3))])
        await store.settle(settlement(lease, entries=log(402, 402)))

    async def read() -> int:
        pages = 0
        while True:
            page = await store.read_log(run.key, after=0, limit=1_000)
            last = page.entries[-1].seq
            assert [one.seq for one in page.entries] == list(range(1, last + 1))
            assert (last - 1) % 4 == (1 if page.status == "completed" else 0)
            pages += 1
            if page.status == "completed":
                return pages

    async with asyncio.timeout(20):
        _, *pages = await asyncio.gather(write(), *(read() for _ in range(6)))

    assert all(pages)


@pytest.mark.parametrize(("option", "level"), [("", 1), ("?synchronous=normal", 1), ("?synchronous=full", 2)])
def test_the_url_says_whether_each_commit_is_flushed_to_the_disk(tmp_path: Path, option: str, level: int) -> None:
    store = open_store(f"sqlite:///{tmp_path}/a.db{option}")
    assert isinstance(store, SQLiteStore)

    with closing(store._database.open_writing()) as connection:  # no door shows it
        [found] = connection.execute("pragma synchronous").fetchone()

    assert found == level


def test_another_option_of_a_sqlite_url_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="synchronous=full"):
        open_store("sqlite:///a.db?synchronous=off")
