"""What bodies and texts may hold, and what becomes of rows that were overwritten."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from wakeful.contracts.codec import entry
from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, Damaged
from wakeful.contracts.event import RunFinished, TextDelta
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, TextPart
from wakeful.contracts.query import RunQuery, ThreadChange, ThreadQuery
from wakeful.contracts.run import Run
from wakeful.stores.postgres.store import PostgresStore
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    ask,
    log,
    log_numbers,
    message_ids,
    more,
    question,
    reread,
    settlement,
    start,
    submission,
    thread,
    worker,
)

Sql = Callable[..., Awaitable[list[Any]]]
ODD = ["\x00", "a\x00b", "\\u0000", "\ufeff\u202e", "🙂\U0010ffff", "'; drop table runs; --", "\r\n\t"]
BAD_BYTES = [b"", b"{", b"\xff\x00", b'{"type":"nothing"}', b"[[[[", b'"a"']


@pytest.mark.parametrize("text", ODD, ids=ascii)
async def test_bodies_come_back_byte_for_byte(store: PostgresStore, text: str) -> None:
    said = Message("m1", "user", (TextPart(text),), created_at=1)
    event = entry(2, 1, TextDelta(text))
    run, lease = await start(store, "r1", messages=(said,))

    await store.append([more(lease, (event,), state={text: text})])
    await store.settle(settlement(lease))
    page = await store.read_log(run.key, after=1, limit=9)
    await store.compact(9_000, 9)

    assert await store.history(run.thread_key) == (said,)
    assert page.entries == (event,)
    assert (await store.read_log(run.key, after=1, limit=9)).entries == (event,)
    assert await store.shared_state(run.thread_key) == {text: text}
    put = await store.put_document(Document(scope=SCOPE, kind="handle", id="a", value={text: text}), 1)
    assert await store.get_document(SCOPE, "handle", "a") == put


async def test_messages_and_events_of_5_mb_are_kept_whole(store: PostgresStore) -> None:
    long = "wakeful " * 655_360
    said = Message("m1", "user", (TextPart(long),), created_at=1)
    event = entry(2, 1, TextDelta(long))

    run, lease = await start(store, "r1", messages=(said,))
    await store.append([more(lease, (event,), messages=(Message("m2", "assistant", (TextPart(long),), created_at=1),))])
    queued = await store.accept(submission("r2", messages=(said,)))

    assert [one.text for one in await store.history(run.thread_key)] == [long, long]
    assert (await store.read_log(run.key, after=1, limit=1)).entries == (event,)
    assert (await store.mailbox(queued.run.thread_key))[0].messages == (said,)


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d"], ids=ascii)
async def test_a_name_the_database_cannot_hold_is_refused_and_nothing_is_written(
    store: PostgresStore, text: str
) -> None:
    kept = await store.create_thread(thread("kept", title="old"))

    for call in (
        store.create_thread(thread("t1", title=text)),
        store.create_thread(thread(text)),
        store.update_thread(kept.key, ThreadChange(resource_id=text), 9),
        store.accept(submission("r1", idempotency_key=text)),
        store.get_run(SCOPE, text),
        store.put_document(Document(scope=SCOPE, kind="handle", id=text, value={}), 1),
        store.list_documents(SCOPE, "handle", prefix=text, after="", limit=1),
    ):
        with pytest.raises(BadRequest, match="outside what the database can hold"):
            await call

    assert await store.get_thread(SCOPE, "kept") == kept
    assert await store.get_thread(SCOPE, "t1") is None


async def test_a_number_the_database_cannot_hold_is_refused(store: PostgresStore) -> None:
    run, _ = await start(store, "r1")

    with pytest.raises(BadRequest):
        await store.read_log(run.key, after=2**63, limit=1)
    with pytest.raises(BadRequest):
        await store.list_runs(RunQuery(scope=SCOPE, created_from=2**70))


async def test_ids_are_ordered_by_their_bytes(store: PostgresStore) -> None:
    for name in ("b", "B", "a", "_", "é", "Z"):
        await store.create_thread(thread(name))

    first = await store.list_threads(ThreadQuery(scope=SCOPE, limit=3))
    rest = await store.list_threads(ThreadQuery(scope=SCOPE, after=(1, first.items[-1].id), limit=9))
    assert [one.id for one in (*first.items, *rest.items)] == ["B", "Z", "_", "a", "b", "é"]


@pytest.mark.parametrize("body", BAD_BYTES, ids=repr)
async def test_damaged_rows_fail_only_the_reads_that_meet_them(store: PostgresStore, sql: Sql, body: bytes) -> None:
    run, lease = await start(store, "r1", thread_id="t1")
    other, _ = await start(store, "r2", thread_id="t2")
    await store.append([more(lease, log(2, 5))])
    await sql("update messages set body = $1 where thread_key = $2", body, run.thread_key)
    await sql("update events set body = $1 where run_key = $2 and seq = 3", body, run.key)

    with pytest.raises(Damaged, match="message input of r1: its row is damaged; restore"):
        await store.history(run.thread_key)
    with pytest.raises(Damaged, match="event 3 of a run's log"):
        await store.read_log(run.key, after=0, limit=9)

    assert [one.seq for one in (await store.read_log(run.key, after=3, limit=9)).entries] == [4, 5]
    assert len(await store.history(other.thread_key)) == 1
    await store.settle(settlement(lease, entries=log(6, 6)))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\x00", b"[[[[", b"[]"], ids=repr)
async def test_a_damaged_document_is_named_so_and_in_nobodys_way(store: PostgresStore, sql: Sql, body: bytes) -> None:
    for name in ("a", "b"):
        await store.put_document(Document(scope=SCOPE, kind="handle", id=name, value={}, due_at=1), 1)
    await sql("update documents set value = $1 where id = 'a'", body)

    with pytest.raises(Damaged, match="document handle a: its row is damaged; restore"):
        await store.get_document(SCOPE, "handle", "a")
    with pytest.raises(Damaged):
        await store.list_documents(SCOPE, "handle", prefix="", after="", limit=9)

    assert await store.claim_documents("handle", now=1, until=5, limit=1) == ()
    assert [one.id for one in await store.claim_documents("handle", now=1, until=5, limit=1)] == ["b"]


@pytest.mark.parametrize("body", [b"", b"zzzz", b"x\x9c\x03\x00\x00\x00\x00\x01"], ids=repr)
async def test_a_damaged_pack_is_named_so(store: PostgresStore, sql: Sql, body: bytes) -> None:
    run, lease = await start(store, "r1")
    await store.settle(settlement(lease, entries=log(2, 5)))
    await store.compact(9_000, 9)
    await sql("update packs set body = $1", body)

    with pytest.raises(Damaged, match="events 1 to 5 of a run's log"):
        await store.read_log(run.key, after=0, limit=9)


@pytest.mark.parametrize(
    ("column", "value"),
    [("usage", b"{"), ("options", b"\xff"), ("error", b"[]"), ("voids", b"{}"), ("status", "sleeping")],
)
async def test_a_damaged_run_fails_the_reads_that_meet_it(
    store: PostgresStore, sql: Sql, column: str, value: object
) -> None:
    run, _ = await start(store, "r1", thread_id="t1")
    await start(store, "r2", thread_id="t2")
    await sql(f"update runs set {column} = $1 where id = 'r1'", value)

    with pytest.raises(Damaged, match="run r1"):
        await store.get_run(SCOPE, "r1")
    with pytest.raises(Damaged):
        await store.open_runs(run.thread_key)

    assert await store.get_run(SCOPE, "r2") is not None


async def test_a_damaged_thread_and_interrupt_are_named_so(store: PostgresStore, sql: Sql) -> None:
    run = await ask(store, "r1", question("q1", expires_at=5_000))
    await ask(store, "r2", question("q2", expires_at=5_000), thread_id="t2")
    await sql("update threads set custom = '['::bytea where id = 't1'")
    await sql("update interrupts set body = '['::bytea where id = 'q1'")

    with pytest.raises(Damaged, match="thread t1"):
        await store.get_thread(SCOPE, "t1")
    with pytest.raises(Damaged, match="interrupt q1"):
        await store.decide(answers(run))

    assert [asked.id for _, asked in await store.expired_interrupts(9_000, 9)] == ["q2"]


@pytest.mark.parametrize(("column", "value"), [("input", b"{"), ("usage", b"{"), ("options", b"")])
@pytest.mark.parametrize("limit", [1, 9])
async def test_a_damaged_run_is_given_up_when_it_is_claimed_and_the_others_go_on(
    store: PostgresStore, sql: Sql, column: str, value: bytes, limit: int
) -> None:
    damaged = (await store.accept(submission("r1", thread_id="t1"))).run
    await store.accept(submission("r2", thread_id="t1", at=1_001))
    await store.accept(submission("r3", thread_id="t2", at=1_002))
    await sql(f"update runs set {column} = $1 where id = 'r1'", value)

    claims = [claim for _ in range(2) for claim in await store.claim(worker(now=2_000), limit)]

    assert sorted(claim.run.id for claim in claims) == ["r2", "r3"]
    assert await end_of(store, damaged) == ("failed", "error", "damaged")


async def test_a_damaged_run_that_was_carried_ends_above_all_that_was_shown(store: PostgresStore, sql: Sql) -> None:
    run, lease = await start(store, "r1")
    await store.append([more(lease, log(2, 5))])
    await sql("update runs set options = '{'::bytea")

    assert await store.claim(worker(now=lease.until), 9) == ()

    assert await end_of(store, run) == ("failed", "error", "damaged")
    assert (await store.read_log(run.key, after=5, limit=9)).entries[0].seq > 5 + 512
    assert await store.renew([lease], 99_000) == {run.key}
    await sql("update runs set options = '{}'::bytea")
    ((_, letter),) = await store.dead_letters(SCOPE, before=None, limit=9)
    assert (letter.dispatch_id, letter.run) == ("dispatch of r1", await reread(store, run))


async def end_of(store: PostgresStore, run: Run) -> tuple[str, str, str]:
    """How a run's log ends."""
    last = (await store.read_log(run.key, after=0, limit=1_000)).entries[-1].event
    assert isinstance(last, RunFinished)
    assert last.error is not None
    return last.outcome, last.stop_reason, last.error.code


async def test_compaction_and_pruning_go_on_while_runs_are_written(store: PostgresStore) -> None:
    done = []
    for number in range(5):
        run, lease = await start(store, f"old {number}", thread_id=f"t{number}")
        await store.settle(settlement(lease, entries=log(2, 50)))
        done.append(run)
    running, lease = await start(store, "running", thread_id="t0")

    packed, *_ = await asyncio.gather(
        store.compact(9_000, 99),
        store.append([more(lease, log(2, 9))]),
        store.compact(9_000, 99),
        store.prune(2_000, 99),
    )

    assert [await log_numbers(store, run) for run in done] == [list(range(1, 51))] * 5
    assert await log_numbers(store, running) == list(range(1, 10))
    assert (await store.sizes()).packed_events == 250
    assert packed <= 5
    assert (await reread(store, running)).status is RunStatus.RUNNING
    assert await message_ids(store, running) == ["input of old 0", "input of running"]
