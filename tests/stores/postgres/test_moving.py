"""Moving house between the two databases: what a copy holds, and how it goes on after a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from wakeful.cli import moving
from wakeful.contracts.document import Document
from wakeful.contracts.errors import BadRequest, ConfigurationError, Conflict
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.mailbox import queue_revision
from wakeful.contracts.message import TextPart
from wakeful.contracts.portable import KINDS, START
from wakeful.contracts.query import MessageQuery, ThreadChange
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    SCOPE,
    answers,
    ask,
    log,
    log_numbers,
    message,
    message_ids,
    more,
    question,
    settlement,
    start,
    submission,
    thread,
    worker,
)

Build = Callable[[str], Awaitable[Any]]
BOTH = pytest.mark.parametrize(("old", "new"), [("sqlite", "postgres"), ("postgres", "sqlite")])
SHARED = {"z": 1, "a": {"y": "\x00", "b": None}}


class Dying:
    """A target whose process dies after so many pages; `taken` counts them."""

    def __init__(self, target: Any, pages: int = 10_000) -> None:
        self._target, self._pages, self.taken = target, pages, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)

    async def take_in(self, *page: Any) -> None:
        if self.taken == self._pages:
            raise ConnectionAbortedError
        self.taken += 1
        await self._target.take_in(*page)


async def furnish(store: Store) -> None:
    """Something of everything; a child thread is older than its parent."""
    child = await store.create_thread(thread("child", title="Käse \u2603"))
    await store.create_thread(thread("parent", custom=SHARED, resource_id="r"))
    await store.update_thread(child.key, ThreadChange(parent_thread_id="parent"), 5)
    _, lease = await start(store, "long", idempotency_key="once", thread_id="child")
    reply = message("reply", "assistant")
    await store.append([more(lease, log(2, 4_500), messages=(reply,), state=SHARED, voids=((3, 9),))])
    await store.settle(settlement(lease, entries=log(4_501, 4_501), voids=((3, 9),)))
    _, lease = await start(store, "packed")
    await store.settle(settlement(lease, entries=log(2, 9), messages=(message("said", "assistant"),)))
    await store.compact(9_000, 2)
    _, lease = await start(store, "again", replace_from="said")
    await store.settle(settlement(lease, entries=log(2, 2)))
    _, lease = await start(store, "dead", thread_id="t4")
    await store.settle(settlement(lease, RunStatus.FAILED, given_up_after=5))
    waiting = await ask(store, "asked", question("q1"), question("q2", expires_at=8_000), thread_id="t2")
    await store.decide(answers(waiting, Decision("q1", approved=True)))
    handle = Document(scope=SCOPE, kind="handle", id="Käse/1", value=SHARED, thread_key=waiting.thread_key, due_at=7)
    await store.put_document(handle, 6)
    for number in range(9):
        await store.put_document(msgspec.structs.replace(handle, id=f"free {number % 8}", thread_key=None), 7)
    accepted = [await store.accept(submission(run_id, thread_id="t3")) for run_id in ("first", "second", "third")]
    first, second, third = (one.run.key for one in accepted)
    entries = await store.mailbox(accepted[0].run.thread_key)
    await store.reorder(accepted[0].run.thread_key, [third, first, second], queue_revision(entries))


async def everything(store: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for kind in KINDS:
        after, rows = START, found.setdefault(kind.name, [])
        while page := await store.take_out(kind, after):
            rows += page
            after = kind.position(page[-1])
    return found


async def waiting_on(store: Store, thread_id: str) -> list[str]:
    found = await store.get_thread(SCOPE, thread_id)
    assert found is not None
    return [entry.run.id for entry in await store.mailbox(found.key)]


async def reached(store: Store, run_id: str) -> Any:
    run = await store.get_run(SCOPE, run_id)
    assert run is not None
    return run


@BOTH
async def test_a_copy_is_the_same_to_the_byte_and_works_like_its_source(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    await furnish(source)

    copied = await moving.copy(source, target, force=False)

    there = await everything(target)
    assert there == await everything(source)
    assert {one.kind: one.rows for one in copied} == {name: len(rows) for name, rows in there.items()}
    assert all(there.values())
    child, again = await target.get_thread(SCOPE, "child"), await reached(target, "again")
    assert (child.title, child.parent_thread_id) == ("Käse \u2603", "parent")
    assert list(await target.shared_state(child.key)) == ["z", "a"]
    assert await log_numbers(target, await reached(target, "packed")) == list(range(1, 10))
    replaced = await target.list_messages(MessageQuery(thread_key=again.thread_key, replaced_by="again"))
    assert [one.id for _, one in replaced.items] == ["said"]
    assert await message_ids(target, again) == ["input of packed", "input of again"]
    assert [letter.run.id for _, letter in await target.dead_letters(SCOPE, before=None, limit=9)] == ["dead"]
    assert [(run.id, asked.id) for run, asked in await target.expired_interrupts(9_000, 9)] == [("asked", "q2")]
    handle = await target.get_document(SCOPE, "handle", "Käse/1")
    asked = await reached(target, "asked")
    assert (handle.value, handle.thread_key, handle.revision) == (SHARED, asked.thread_key, 1)
    free = [f"free {number}" for number in range(8)]
    due = await target.claim_documents("handle", now=7, until=9, limit=9)
    assert [(one.id, one.revision) for one in due] == [(one, 2 + (one == "free 0")) for one in ("Käse/1", *free)]
    assert (await target.accept(submission("long", idempotency_key="once", thread_id="child"))).replayed
    assert [claim.run.id for claim in await target.claim(worker(now=9_000), 9)] == ["third"]


@BOTH
async def test_what_comes_after_a_copy_is_numbered_above_it(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    await furnish(source)
    await moving.copy(source, target, force=False)
    before = await everything(target)

    fresh = await target.accept(submission("fourth", thread_id="t3"))
    created = await target.create_thread(thread("fresh"))
    await target.put_document(Document(scope=SCOPE, kind="handle", id="fresh", value={}), 9)

    assert [row[3] for row in (await everything(target))["documents"]][-1] == "fresh"
    assert fresh.run.key > before["runs"][-1][0]
    assert created.key > before["threads"][-1][0]
    assert await waiting_on(target, "t3") == ["third", "first", "second", "fourth"]


@BOTH
async def test_numbers_that_the_target_gave_before_are_not_given_again(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    await furnish(source)
    former = [(await target.accept(submission(f"r{n}", thread_id=f"t{n}"))).run for n in range(7)]
    for run in former:
        await target.delete_thread(run.thread_key, "reject")

    await moving.copy(source, target, force=False)

    there = await everything(target)
    assert there["runs"][0][0] > former[-1].key
    assert there["threads"][0][0] > former[-1].thread_key
    assert (await target.get_thread(SCOPE, "child")).parent_thread_id == "parent"
    assert await log_numbers(target, await reached(target, "packed")) == list(range(1, 10))
    assert await waiting_on(target, "t3") == ["third", "first", "second"]
    await target.accept(submission("fourth", thread_id="t3"))
    assert await waiting_on(target, "t3") == ["third", "first", "second", "fourth"]


@BOTH
@pytest.mark.parametrize("pages", [0, 1, 4, 7, 9])
async def test_a_copy_that_died_goes_on_where_it_was(build: Build, old: str, new: str, pages: int) -> None:
    source, target, whole = await build(old), await build(new), Dying(await build("sqlite"))
    await furnish(source)
    await moving.copy(source, whole, force=False)
    with pytest.raises(ConnectionAbortedError):
        await moving.copy(source, Dying(target, pages), force=False)

    rest = Dying(target)
    await moving.copy(source, rest, force=False)

    assert rest.taken == whole.taken - pages
    assert await everything(target) == await everything(source)


@BOTH
async def test_half_a_copy_is_of_no_use_to_a_server_or_for_another_source(build: Build, old: str, new: str) -> None:
    source, target, other = await build(old), await build(new), await build("sqlite")
    await furnish(source)
    await start(other, "other")
    with pytest.raises(ConnectionAbortedError):
        await moving.copy(source, Dying(target, 3), force=False)

    with pytest.raises(ConfigurationError, match="half of a copy"):
        await target.recover(1)
    with pytest.raises(Conflict, match="a copy of another source"):
        await moving.copy(other, target, force=True)
    await moving.copy(source, target, force=False)

    await target.recover(1)


@BOTH
async def test_a_target_that_holds_anything_is_refused(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    await furnish(source)
    await target.create_thread(thread("mine"))

    with pytest.raises(Conflict, match="copy into an empty database"):
        await moving.copy(source, target, force=False)

    assert [row[2] for row in (await everything(target))["threads"]] == ["mine"]


@BOTH
async def test_documents_are_copied_without_threads_and_not_into_a_target_that_has_some(
    build: Build, old: str, new: str
) -> None:
    source, target = await build(old), await build(new)
    only = await source.put_document(Document(scope=SCOPE, kind="handle", id="only", value=SHARED), 1)
    mine = await target.put_document(msgspec.structs.replace(only, id="mine"), 1)
    with pytest.raises(Conflict, match="copy into an empty database"):
        await moving.copy(source, target, force=False)
    await target.delete_document(SCOPE, "handle", mine.id)

    await moving.copy(source, target, force=False)

    assert await target.get_document(SCOPE, "handle", "only") == only
    assert (await target.put_document(mine, 2, expected=0)).revision == 1
    assert len((await everything(target))["documents"]) == 2


@BOTH
async def test_a_source_without_anything_is_refused(build: Build, old: str, new: str) -> None:
    with pytest.raises(ConfigurationError, match="is its URL right"):
        await moving.copy(await build(old), await build(new), force=False)


@BOTH
async def test_a_running_run_is_copied_by_force_and_goes_on_as_one_that_was_lost(
    build: Build, old: str, new: str
) -> None:
    source, target = await build(old), await build(new)
    _, lease = await start(source, "busy")
    await source.append([more(lease, log(2, 3))])
    with pytest.raises(ConfigurationError, match="1 runs of the source are running"):
        await moving.copy(source, target, force=False)
    assert await target.copy_progress() is None

    await moving.copy(source, target, force=True)

    (claim,) = await target.claim(worker("w2", now=1_000), 9)
    assert (claim.run.id, claim.lost, claim.last_seq, claim.lease.token) == ("busy", True, 3, lease.token + 1)
    assert await message_ids(target, claim.run) == ["input of busy"]


@BOTH
@pytest.mark.parametrize("side", ["source", "target"])
async def test_a_change_of_either_store_meanwhile_is_found(build: Build, old: str, new: str, side: str) -> None:
    stores = {"source": await build(old), "target": await build(new)}
    await furnish(stores["source"])
    with pytest.raises(ConnectionAbortedError):
        await moving.copy(stores["source"], Dying(stores["target"], 8), force=False)
    child = await stores[side].get_thread(SCOPE, "child")
    await stores[side].update_thread(child.key, ThreadChange(title="another"), 9)

    with pytest.raises(Conflict, match=r"^threads: .*somebody used one of the two"):
        await moving.copy(stores["source"], stores["target"], force=False)

    with pytest.raises(ConfigurationError, match="half of a copy"):
        await stores["target"].recover(1)


@BOTH
async def test_large_rows_come_a_few_at_a_time(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    _, lease = await start(source, "large")
    bodies = tuple(message(f"m{n}", parts=(TextPart("x" * 1_500_000),)) for n in range(5))
    await source.settle(settlement(lease, messages=bodies))
    kind = next(kind for kind in KINDS if kind.name == "messages")

    page = await source.take_out(kind, START)
    await moving.copy(source, target, force=False)

    assert len(page) == 3
    assert await everything(target) == await everything(source)


async def test_a_text_that_only_one_database_can_hold_is_named(build: Build) -> None:
    source, target = await build("sqlite"), await build("postgres")
    await source.create_thread(thread("odd", title="a\x00b"))

    with pytest.raises(BadRequest, match=r"threads numbered \(1, 0\) to .*a NUL character"):
        await moving.copy(source, target, force=False)


async def test_there_and_back_again(build: Build) -> None:
    source, middle, target = await build("sqlite"), await build("postgres"), await build("sqlite")
    await furnish(source)

    sums = [await moving.copy(source, middle, force=False), await moving.copy(middle, target, force=False)]

    assert sums[0] == sums[1]
    assert await everything(target) == await everything(source)


@BOTH
async def test_only_one_of_two_copies_at_once_goes_on(build: Build, old: str, new: str) -> None:
    source, target = await build(old), await build(new)
    await furnish(source)
    with pytest.raises(ConnectionAbortedError):
        await moving.copy(source, Dying(target, 1), force=False)
    stale = await target.copy_progress()
    with pytest.raises(ConnectionAbortedError):
        await moving.copy(source, Dying(target, 2), force=False)
    before = await everything(target)

    with pytest.raises(Conflict, match="another copy into the target"):
        await target.take_in(KINDS[0], [(99, *before["threads"][0][1:])], stale, stale)

    assert await everything(target) == before
