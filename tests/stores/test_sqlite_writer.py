"""The writer thread: group commit, isolation of failures, and a commit that fails."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import pytest

from wakeful.contracts.errors import Conflict, StoreUnavailable
from wakeful.stores.named_sql import Query
from wakeful.stores.sqlite.failures import readable
from wakeful.stores.sqlite.session import Session
from wakeful.stores.sqlite.writer import LARGEST_BATCH, Writer

QUERIES: Mapping[str, Query] = {
    "insert": Query(["insert into words values (:word)"]),
    "all": Query(["select word from words order by rowid"]),
    "fill": Query(["insert into words values (hex(zeroblob(1000000)))"]),
}


class Bench:
    """A writer on an in-memory database, and the transaction statements it ran."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self.connection.execute("create table words (word text unique) strict")
        self.transactions: list[str] = []
        self.connection.set_trace_callback(self._note)
        self.writer = Writer(Session(self.connection, QUERIES), "bench.db")

    def _note(self, statement: str) -> None:
        if statement in {"begin immediate", "commit", "rollback"}:
            self.transactions.append(statement)

    async def together(self, *works: Callable[[Session], object]) -> list[object]:
        """Hand in all works while the writer is busy; their results or errors."""
        busy, free = threading.Event(), threading.Event()
        blocker = asyncio.ensure_future(self.writer.run(lambda _: (busy.set(), free.wait(5))))
        await asyncio.to_thread(busy.wait, 5)
        self.transactions.clear()
        waiting = [asyncio.ensure_future(self.writer.run(work)) for work in works]
        await asyncio.sleep(0)  # let every work reach the queue
        free.set()
        await blocker
        return list(await asyncio.gather(*waiting, return_exceptions=True))

    async def words(self) -> list[str]:
        return [row[0] for row in await self.writer.run(lambda session: session.rows("all"))]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    yield bench
    await bench.writer.aclose()


def insert(word: str) -> Callable[[Session], str]:
    def work(session: Session) -> str:
        session.rows("insert", word=word)
        return word

    return work


def insert_then_refuse(word: str) -> Callable[[Session], None]:
    def work(session: Session) -> None:
        session.rows("insert", word=word)
        raise Conflict("refused")

    return work


async def test_everything_queued_shares_one_transaction(bench: Bench) -> None:
    results = await bench.together(*(insert(f"w{number}") for number in range(50)))

    assert results == [f"w{number}" for number in range(50)]
    assert bench.transactions == ["commit", "begin immediate", "commit"]


async def test_results_come_back_in_one_wake_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    wake = loop.call_soon_threadsafe
    wake_ups: list[str] = []

    def count(callback: Callable[..., object], *args: object) -> asyncio.Handle:
        wake_ups.append(threading.current_thread().name)
        return wake(callback, *args)

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)

    await bench.together(*(insert(f"w{number}") for number in range(50)))

    assert wake_ups.count("writer of bench.db") == 2  # the first is for the work that kept the writer busy


async def test_a_long_queue_is_committed_in_parts(bench: Bench) -> None:
    await bench.together(*(insert(f"w{number}") for number in range(LARGEST_BATCH + 1)))

    assert bench.transactions.count("begin immediate") == 2


async def test_work_that_fails_is_undone_alone(bench: Bench) -> None:
    results = await bench.together(insert("a"), insert_then_refuse("b"), insert("a"), insert("c"))

    assert results[0] == "a"
    assert isinstance(results[1], Conflict)
    assert isinstance(results[2], Conflict)
    assert results[3] == "c"
    assert await bench.words() == ["a", "c"]


async def test_a_defect_reaches_its_caller_as_it_is(bench: Bench) -> None:
    with pytest.raises(ZeroDivisionError):
        await bench.writer.run(lambda _: 1 // 0)

    assert await bench.writer.run(insert("a")) == "a"


async def test_a_transaction_the_database_gave_up_fails_for_all(bench: Bench) -> None:
    def give_up(session: Session) -> None:
        session.control("rollback")
        raise sqlite3.OperationalError("as after a full disk")

    results = await bench.together(insert("a"), give_up, insert("b"))

    assert all(isinstance(result, StoreUnavailable) for result in results)
    assert await bench.words() == []


async def test_a_full_disk_is_named_so_and_spares_the_rest(bench: Bench) -> None:
    bench.connection.execute("pragma max_page_count = 100")

    with pytest.raises(StoreUnavailable, match=r"bench\.db: the disk is full"):
        await bench.writer.run(lambda session: session.rows("fill"))

    assert await bench.writer.run(insert("a")) == "a"
    assert await bench.words() == ["a"]


async def test_a_commit_that_fails_fails_for_all(bench: Bench) -> None:
    bench.connection.execute("pragma foreign_keys = on")
    bench.connection.execute("create table strays (word text references words (word) deferrable initially deferred)")
    stray: dict[str, Query] = {**QUERIES, "stray": Query(["insert into strays values ('nobody')"])}
    writer = Writer(Session(bench.connection, stray), "bench.db")

    with pytest.raises(Conflict):
        await writer.run(lambda session: session.rows("stray"))

    assert await writer.run(insert("a")) == "a"
    await writer.aclose()


def test_a_read_only_file_is_named_so(tmp_path: object) -> None:
    connection = sqlite3.connect(f"file:{tmp_path}/wakeful.db?mode=rwc", uri=True)
    connection.execute("create table words (word text)")
    connection.close()
    reading = sqlite3.connect(f"file:{tmp_path}/wakeful.db?mode=ro", uri=True)

    with pytest.raises(sqlite3.OperationalError) as caught:
        reading.execute("insert into words values ('a')")
    reading.close()

    found = readable(caught.value, "wakeful.db")
    assert isinstance(found, StoreUnavailable)
    assert found.message == "database wakeful.db: the file or its folder is read-only; make both writable for this user"


async def test_work_that_wants_to_be_alone_is_in_no_transaction_and_keeps_its_place(bench: Bench) -> None:
    def alone(session: Session) -> list[str]:
        assert not session.in_transaction
        session.control("vacuum")
        return [row[0] for row in session.rows("all")]

    busy, free = threading.Event(), threading.Event()
    blocker = asyncio.ensure_future(bench.writer.run(lambda _: (busy.set(), free.wait(5))))
    await asyncio.to_thread(busy.wait, 5)
    waiting: list[asyncio.Future[Any]] = [
        asyncio.ensure_future(bench.writer.run(insert("a"))),
        asyncio.ensure_future(bench.writer.run_alone(alone)),
        asyncio.ensure_future(bench.writer.run(insert("b"))),
    ]
    await asyncio.sleep(0)  # let every work reach the queue
    free.set()
    await blocker

    assert await asyncio.gather(*waiting) == ["a", ["a"], "b"]
    assert await bench.words() == ["a", "b"]


async def test_work_that_fails_alone_fails_alone(bench: Bench) -> None:
    def begin_and_fail(session: Session) -> None:
        session.control("begin")
        session.rows("insert", word="lost")
        raise sqlite3.OperationalError("as after a full disk")

    with pytest.raises(StoreUnavailable):
        await bench.writer.run_alone(begin_and_fail)

    assert await bench.writer.run(insert("a")) == "a"
    assert await bench.words() == ["a"]
