"""Rows whose contents were overwritten: one read fails with advice, everything else goes on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from wakeful.contracts.document import Document
from wakeful.contracts.errors import Damaged
from wakeful.contracts.event import RunFinished
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.query import MessageQuery, RunQuery
from wakeful.contracts.run import Run
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    ask,
    log,
    log_numbers,
    more,
    question,
    settlement,
    start,
    submission,
    worker,
)

BAD_BYTES = [b"", b"{", b"\xff\x00", b'{"type":"nothing"}', b"[[[[", b'"a"']


async def overwrite(path: Path, table: str, column: str, value: object, where: str) -> None:
    def write() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            changed = connection.execute(f"update {table} set {column} = ? where {where}", (value,))
            assert changed.rowcount > 0

    await asyncio.to_thread(write)


@pytest.mark.parametrize("body", BAD_BYTES, ids=repr)
async def test_a_damaged_message_fails_the_reads_that_meet_it(path: Path, store: SQLiteStore, body: bytes) -> None:
    run, _ = await start(store, "r1", thread_id="t1")
    other, _ = await start(store, "r2", thread_id="t2")
    await overwrite(path, "messages", "body", body, "thread_key = 1")

    with pytest.raises(Damaged, match=r"message input of r1: its row is damaged; restore"):
        await store.history(run.thread_key)
    with pytest.raises(Damaged):
        await store.list_messages(MessageQuery(thread_key=run.thread_key))

    assert len(await store.history(other.thread_key)) == 1


@pytest.mark.parametrize("body", BAD_BYTES, ids=repr)
async def test_a_damaged_event_fails_the_pages_that_hold_it(path: Path, store: SQLiteStore, body: bytes) -> None:
    run, lease = await start(store, "r1")
    await store.append([more(lease, log(2, 5))])
    await overwrite(path, "events", "body", body, "seq = 3")

    with pytest.raises(Damaged, match="event 3 of a run's log"):
        await store.read_log(run.key, after=0, limit=9)

    assert [one.seq for one in (await store.read_log(run.key, after=3, limit=9)).entries] == [4, 5]
    await store.settle(settlement(lease, entries=log(6, 6)))


@pytest.mark.parametrize("body", [b"", b"zzzz", b"x\x9c\x03\x00\x00\x00\x00\x01"], ids=repr)
async def test_a_damaged_pack_is_named_so(path: Path, store: SQLiteStore, body: bytes) -> None:
    run, lease = await start(store, "r1")
    await store.settle(settlement(lease, entries=log(2, 5)))
    await store.compact(9_000, 9)
    await overwrite(path, "packs", "body", body, "run_key = 1")

    with pytest.raises(Damaged, match="events 1 to 5 of a run's log"):
        await store.read_log(run.key, after=0, limit=9)


@pytest.mark.parametrize(
    ("column", "value"),
    [("usage", b"{"), ("options", b"\xff"), ("error", b"[]"), ("voids", b"{}"), ("status", "sleeping")],
)
async def test_a_damaged_run_fails_the_reads_that_meet_it(
    path: Path, store: SQLiteStore, column: str, value: object
) -> None:
    run, _ = await start(store, "r1", thread_id="t1")
    await start(store, "r2", thread_id="t2")
    await overwrite(path, "runs", column, value, "id = 'r1'")

    with pytest.raises(Damaged, match="run r1"):
        await store.get_run(SCOPE, "r1")
    with pytest.raises(Damaged):
        await store.list_runs(RunQuery(scope=SCOPE))
    with pytest.raises(Damaged):
        await store.open_runs(run.thread_key)

    assert await store.get_run(SCOPE, "r2") is not None
    assert [one.id for one in (await store.list_runs(RunQuery(scope=SCOPE, thread_id="t2"))).items] == ["r2"]


async def test_a_damaged_thread_and_interrupt_are_named_so(path: Path, store: SQLiteStore) -> None:
    run = await ask(store, "r1", question("q1", expires_at=5_000))
    other = await ask(store, "r2", question("q2", expires_at=5_000), thread_id="t2")
    await overwrite(path, "threads", "custom", b"[", "key = 1")
    await overwrite(path, "interrupts", "body", b"[", "id = 'q1'")

    with pytest.raises(Damaged, match="thread t1"):
        await store.get_thread(SCOPE, "t1")
    with pytest.raises(Damaged, match="interrupt q1"):
        await store.interrupts(run.key)
    with pytest.raises(Damaged):
        await store.decide(answers(run))

    assert [asked.id for _, asked in await store.expired_interrupts(9_000, 9)] == ["q2"]
    assert (await store.decide(answers(other))).ready is False


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[[[[", b"[]"], ids=repr)
async def test_a_damaged_document_is_named_so_and_in_nobodys_way(path: Path, store: SQLiteStore, body: bytes) -> None:
    for name in ("a", "b"):
        await store.put_document(Document(scope=SCOPE, kind="handle", id=name, value={}, due_at=1), 1)
    await overwrite(path, "documents", "value", body, "id = 'a'")

    with pytest.raises(Damaged, match="document handle a: its row is damaged; restore"):
        await store.get_document(SCOPE, "handle", "a")
    with pytest.raises(Damaged):
        await store.list_documents(SCOPE, "handle", prefix="", after="", limit=9)

    assert await store.claim_documents("handle", now=1, until=5, limit=1) == ()
    assert [one.id for one in await store.claim_documents("handle", now=1, until=5, limit=1)] == ["b"]
    await store.put_document(Document(scope=SCOPE, kind="handle", id="a", value={}), 2)
    assert await store.get_document(SCOPE, "handle", "a") is not None


@pytest.mark.parametrize(("column", "value"), [("input", b"{"), ("usage", b"{"), ("options", b"")])
@pytest.mark.parametrize("limit", [1, 9])
async def test_a_damaged_run_is_given_up_when_it_is_claimed_and_the_others_go_on(
    path: Path, store: SQLiteStore, column: str, value: bytes, limit: int
) -> None:
    damaged = (await store.accept(submission("r1", thread_id="t1"))).run
    await store.accept(submission("r2", thread_id="t1", at=1_001))
    await store.accept(submission("r3", thread_id="t2", at=1_002))
    await overwrite(path, "runs", column, value, "id = 'r1'")

    claims = [claim for _ in range(2) for claim in await store.claim(worker(now=2_000), limit)]

    assert sorted(claim.run.id for claim in claims) == ["r2", "r3"]
    assert await store.claim(worker(now=900_000), 9) != ()  # the lost ones, never the damaged one
    assert await end_of(store, damaged) == ("failed", "error", "damaged")


async def test_a_damaged_input_is_a_dead_letter(path: Path, store: SQLiteStore) -> None:
    await store.accept(submission("r1"))
    await overwrite(path, "runs", "input", b"{", "id = 'r1'")

    assert await store.claim(worker(now=2_000), 9) == ()

    ((_, letter),) = await store.dead_letters(SCOPE, before=None, limit=9)
    assert (letter.dispatch_id, letter.at, letter.run.status) == ("dispatch of r1", 2_000, RunStatus.FAILED)
    assert letter.error is not None
    assert letter.error.code == "damaged"
    assert letter.run.error == letter.error
    assert await log_numbers(store, letter.run) == [1, 2]
    assert (await store.accept(submission("r2", claim=worker()))).lease is not None


async def test_a_damaged_run_that_was_carried_ends_above_all_that_was_shown(path: Path, store: SQLiteStore) -> None:
    run, lease = await start(store, "r1")
    await store.append([more(lease, log(2, 5))])
    await overwrite(path, "runs", "options", b"{", "id = 'r1'")

    assert await store.claim(worker(now=lease.until), 9) == ()

    assert await end_of(store, run) == ("failed", "error", "damaged")
    page = await store.read_log(run.key, after=5, limit=9)
    assert page.entries[0].seq > 5 + 512
    assert await store.renew([lease], 99_000) == {run.key}


async def end_of(store: SQLiteStore, run: Run) -> tuple[str, str, str]:
    """How a run's log ends."""
    last = (await store.read_log(run.key, after=0, limit=1_000)).entries[-1].event
    assert isinstance(last, RunFinished)
    assert last.error is not None
    return last.outcome, last.stop_reason, last.error.code
