"""A database made by the first schema goes on working."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from wakeful.contracts.codec import encode_message
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import queue_revision
from wakeful.stores.rows import json_blob
from wakeful.stores.sqlite.schema import load_migrations
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    log,
    log_numbers,
    message,
    message_ids,
    question,
    settlement,
    submission,
    worker,
)

THREADS = {1: "busy", 2: "asking", 3: "queue", 4: "quiet"}
# key, thread, id, status, whether it was claimed, dispatch: status, due_at
RUNS = [
    (1, 4, "done", "completed", True, "done", None),
    (2, 1, "running", "running", True, "leased", 31_000),
    (3, 1, "behind", "queued", False, "available", None),
    (4, 2, "waiting", "waiting", True, "done", None),
    (5, 2, "patient", "queued", False, "available", None),
    (6, 3, "first", "queued", False, "available", 1_000),
    (7, 3, "second", "queued", False, "available", None),
    (8, 4, "given up", "cancelled", True, "done", None),
]


def make_old(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.executescript(load_migrations()[1])
        old.execute("pragma user_version = 1")
        for key, name in THREADS.items():
            old.execute(
                "insert into threads (key, scope, id, created_at, updated_at, custom, message_seq, message_count)"
                " values (?, ?, ?, 1, 1, x'7b7d', 9, 1)",
                (key, SCOPE, name),
            )
        for run in RUNS:
            insert_run(old, *run)
        for key in (4, 8):
            asked = json_blob(question("q1", expires_at=9_000))
            old.execute("insert into interrupts (run_key, position, id, body) values (?, 1, 'q1', ?)", (key, asked))


def insert_run(
    old: sqlite3.Connection, key: int, thread: int, id: str, status: str, claimed: object, dispatch: str, due: object
) -> None:
    brought = message(f"input of {id}")
    finished_at = 2_000 if status in {"completed", "cancelled"} else None
    old.execute(
        "insert into runs (key, thread_key, scope, id, agent_id, status, origin, created_at, updated_at, finished_at,"
        " attempt, usage, options, input, digest, last_seq)"
        " values (?, ?, ?, ?, 'assistant', ?, 'native', 1000, 1000, ?, ?, x'7b7d', x'7b7d', ?, ?, 1)",
        (
            *(key, thread, SCOPE, id, status, finished_at, 1 if claimed else 0),
            *(None if claimed else json_blob((brought,)), f"digest of {id}"),
        ),
    )
    if claimed:
        body = encode_message(brought)
        old.execute("insert into messages values (?, ?, ?, 'external', ?, ?)", (thread, key, brought.id, id, body))
    old.execute(
        "insert into dispatches (run_key, status, token, due_at) values (?, ?, ?, ?)",
        (key, dispatch, 1 if claimed else 0, due),
    )
    (first,) = log(1, 1)
    old.execute("insert into events values (?, 1, 1, ?)", (key, first.body))


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SQLiteStore]:
    await asyncio.to_thread(make_old, path)
    store = SQLiteStore(path, readers=1)
    await store.open()
    yield store
    await store.aclose()


async def test_every_run_is_where_it_was(store: SQLiteStore) -> None:
    for _, _, run_id, status, *_ in RUNS:
        run = await store.get_run(SCOPE, run_id)
        assert run is not None
        assert (run.status, run.pruned, run.voids) == (RunStatus(status), False, ())
        assert await log_numbers(store, run) == [1]


async def test_what_was_queued_is_a_mailbox_in_the_order_it_came(store: SQLiteStore) -> None:
    entries = [await store.mailbox(key) for key in THREADS]

    assert [[one.run.id for one in entry] for entry in entries] == [["behind"], ["patient"], ["first", "second"], []]
    assert {one.dispatch_id for entry in entries for one in entry} == {f"dispatch-{key}" for key in (3, 5, 6, 7)}
    ordered = await store.reorder(3, [7, 6], queue_revision(entries[2]))
    assert [one.run.id for one in ordered] == ["second", "first"]
    assert [claim.run.id for claim in await store.claim(worker(), 9)] == ["second"]


async def test_a_run_that_was_carried_goes_on_before_what_is_queued_behind_it(store: SQLiteStore) -> None:
    await store.recover(2_000)
    claims = {claim.run.id: claim for claim in await store.claim(worker(now=2_000), 9)}

    assert sorted(claims) == ["first", "running"]
    assert (claims["running"].lost, claims["running"].failures, claims["running"].lease.token) == (True, 1, 2)
    await store.settle(settlement(claims["running"].lease))
    (behind,) = await store.claim(worker(now=2_000), 9)
    assert behind.run.id == "behind"
    assert await message_ids(store, behind.run) == ["input of running", "input of behind"]


async def test_a_question_from_before_expires_and_takes_its_answer(store: SQLiteStore) -> None:
    ((run, asked),) = await store.expired_interrupts(9_000, 9)
    assert (run.id, asked.id) == ("waiting", "q1")

    decided = await store.decide(answers(run, Decision("q1", approved=True)))

    assert decided.ready
    claims = await store.claim(worker(now=3_000), 9)
    assert [claim.run.id for claim in claims] == ["first", "waiting"]


async def test_a_request_sent_again_is_recognised_and_a_new_one_comes_last(store: SQLiteStore) -> None:
    again = await store.accept(submission("second", thread_id="queue"))
    fresh = await store.accept(submission("third", thread_id="queue"))

    assert (again.replayed, again.dispatch_id) == (True, "dispatch-7")
    assert [one.run.id for one in await store.mailbox(fresh.run.thread_key)] == ["first", "second", "third"]


async def test_old_logs_are_packed(store: SQLiteStore) -> None:
    assert await store.compact(9_000, 9) == 2

    run = await store.get_run(SCOPE, "done")
    assert run is not None
    assert await log_numbers(store, run) == [1]
