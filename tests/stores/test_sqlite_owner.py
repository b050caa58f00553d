"""Whether a process knows itself alone, with real other processes."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import start, submission, worker

CARRIES_A_RUN = """
import asyncio, sys
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.store_cases.builders import start

async def main():
    store = SQLiteStore(sys.argv[1])
    await store.open()
    await start(store, "theirs", thread_id="t9")
    print("carrying", flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


@asynccontextmanager
async def another_process(path: Path) -> AsyncGenerator[Process]:
    """A process that has the database open and carries run `theirs`, until it is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CARRIES_A_RUN, str(path), stdin=PIPE, stdout=PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(30):
            assert await process.stdout.readline() == b"carrying\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_leases_of_a_process_that_lives_are_left_alone(path: Path) -> None:
    async with another_process(path):
        store = SQLiteStore(path)
        await store.open()

        assert await store.recover(1_100) == 0

        assert await store.claim(worker("w2", now=1_100), 9) == ()
        await store.aclose()


async def test_leases_of_a_process_that_was_killed_are_due_at_once(path: Path) -> None:
    async with another_process(path) as process:
        process.kill()
        await process.wait()
        store = SQLiteStore(path)
        await store.open()

        assert await store.recover(1_100) == 1

        (claim,) = await store.claim(worker("w2", now=1_100), 9)
        assert (claim.run.id, claim.lost, claim.failures) == ("theirs", True, 1)
        await store.aclose()


async def test_a_store_that_is_closed_is_in_nobodys_way(path: Path) -> None:
    first, second = SQLiteStore(path), SQLiteStore(path)
    await first.open()
    await start(first, "r1")
    await second.open()
    assert await second.recover(1_100) == 0
    await first.aclose()
    await second.aclose()

    await second.open()

    assert await second.recover(1_100) == 1
    await second.aclose()


async def test_of_two_stores_the_later_is_not_alone_however_long_the_first_lives(path: Path) -> None:
    first, second = SQLiteStore(path), SQLiteStore(path)
    await first.open()
    await first.recover(1_000)
    await second.open()
    await start(first, "r1")
    await second.aclose()

    await second.open()

    assert await second.recover(1_100) == 0
    await first.aclose()
    await second.aclose()


async def test_what_is_far_in_the_future_is_pulled_near_by_anybody(path: Path) -> None:
    first, second = SQLiteStore(path), SQLiteStore(path)
    await first.open()
    await first.accept(submission("r1", at=100_000_000))
    await second.open()

    assert await second.recover(1_100) == 1

    assert len(await first.claim(worker(now=1_100), 9)) == 1
    await first.aclose()
    await second.aclose()
