"""What waits on a thread: looking at it, changing it, taking it back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.errors import Backlogged, BadRequest, Conflict, NotFound
from wakeful.contracts.event import InputChanged, RunFinished, StepStarted
from wakeful.contracts.mailbox import queue_revision
from wakeful.contracts.message import TextPart
from wakeful.contracts.request import InputMessage
from wakeful.contracts.thread import Thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.runtime.conftest import House

    from wakeful.contracts.mailbox import MailboxEntry
    from wakeful.runtime.entries import Entries
    from wakeful.runtime.receipt import Receipt


class Busy:
    """A thread whose run waits for `gate`, with requests `a`, `b` and `c` behind it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.gate = asyncio.Event()
        self.receipts: dict[str, Receipt] = {}

    async def open(self) -> Busy:
        await self.house.open([self.gate, "0"], *["yes"] * 3)
        self.receipts["0"] = await self.house.submit("0", thread_id="t")
        await self.house.seen(self.receipts["0"], StepStarted)
        for name in "abc":
            self.receipts[name] = await self.house.submit(f"text of {name}", thread_id="t", run_id=name)
        return self

    @property
    def entries(self) -> Entries:
        return self.house.runtimes[-1].entries

    async def thread(self) -> Thread:
        found = await self.house.runtimes[-1].store.get_thread("s", "t")
        assert found is not None
        return found

    async def listed(self) -> Sequence[MailboxEntry]:
        return await self.entries.list(await self.thread())

    async def finish(self) -> list[str]:
        """Let everything run; the user's texts in the order in which they were answered."""
        self.gate.set()
        for receipt in self.receipts.values():
            await self.house.events(receipt)
        history = await self.house.history(self.receipts["0"])
        return [message.text for message in history if message.role == "user"]


@pytest.fixture
async def busy(house: House) -> Busy:
    """The thread, busy."""
    return await Busy(house).open()


def says(text: str) -> tuple[InputMessage, ...]:
    return (InputMessage("user", (TextPart(text),)),)


async def test_entries_are_listed_in_the_order_of_their_turns_with_their_messages(busy: Busy):
    listed = await busy.listed()

    assert [entry.run.id for entry in listed] == ["a", "b", "c"]
    assert [entry.messages[0].text for entry in listed] == ["text of a", "text of b", "text of c"]
    assert len({entry.dispatch_id for entry in listed}) == 3


async def test_an_edited_entry_brings_its_new_text_and_tells_who_watches(busy: Busy):
    (first, *_) = await busy.listed()

    edited = await busy.entries.edit(await busy.thread(), "a", first.revision, says("better"))
    order = await busy.finish()

    assert edited.revision > first.revision
    assert edited.messages[0].id == first.messages[0].id
    assert order == ["0", "better", "text of b", "text of c"]
    shown = await busy.house.events(busy.receipts["a"], after=0)
    assert InputChanged((first.messages[0].id,)) in shown


async def test_an_edit_of_an_older_revision_is_refused_and_changes_nothing(busy: Busy):
    (first, *_) = await busy.listed()
    await busy.entries.edit(await busy.thread(), "a", first.revision, says("better"))

    with pytest.raises(Conflict):
        await busy.entries.edit(await busy.thread(), "a", first.revision, says("worse"))

    assert (await busy.finish())[1] == "better"


async def test_entries_run_in_the_order_they_were_put_into(busy: Busy):
    listed = await busy.listed()

    await busy.entries.reorder(await busy.thread(), ["c", "a", "b"], queue_revision(listed))
    order = await busy.finish()

    assert order == ["0", "text of c", "text of a", "text of b"]


async def test_reordering_an_older_queue_is_refused(busy: Busy):
    revision = queue_revision(await busy.listed())
    await busy.entries.withdraw(await busy.thread(), "b", None)

    with pytest.raises(Conflict):
        await busy.entries.reorder(await busy.thread(), ["c", "a"], revision)
    with pytest.raises(Conflict):
        await busy.entries.reorder(await busy.thread(), ["c", "b", "a"], revision)


async def test_an_order_that_leaves_entries_out_is_refused(busy: Busy):
    revision = queue_revision(await busy.listed())

    with pytest.raises(BadRequest):
        await busy.entries.reorder(await busy.thread(), ["c", "a"], revision)


async def test_a_withdrawn_entry_never_runs_and_its_reader_is_told(busy: Busy):
    run = await busy.entries.withdraw(await busy.thread(), "b", None)
    order = await busy.finish()

    assert (run.status, run.stop_reason) == ("cancelled", "withdrawn")
    assert order == ["0", "text of a", "text of c"]
    assert (await busy.house.events(busy.receipts["b"]))[-1] == RunFinished("cancelled", "withdrawn")


async def test_withdrawing_an_older_revision_is_refused(busy: Busy):
    (first, *_) = await busy.listed()
    await busy.entries.edit(await busy.thread(), "a", first.revision, says("better"))

    with pytest.raises(Conflict):
        await busy.entries.withdraw(await busy.thread(), "a", first.revision)

    assert len(await busy.listed()) == 3


async def test_what_is_carried_or_over_cannot_be_changed_any_more(busy: Busy):
    thread = await busy.thread()
    carried = busy.receipts["0"].run.id

    with pytest.raises(Conflict):
        await busy.entries.withdraw(thread, carried, None)
    with pytest.raises(Conflict):
        await busy.entries.edit(thread, carried, 1, says("no"))
    await busy.finish()
    with pytest.raises(Conflict):
        await busy.entries.withdraw(thread, "a", None)


async def test_a_run_of_another_thread_is_not_found(busy: Busy):
    await busy.house.submit("elsewhere", thread_id="u", run_id="x", mode="queue")

    with pytest.raises(NotFound):
        await busy.entries.withdraw(await busy.thread(), "x", None)
    with pytest.raises(NotFound):
        await busy.entries.withdraw(await busy.thread(), "unknown", None)


async def test_a_thread_with_a_full_backlog_takes_no_more_and_forgets_nothing(house: House):
    gate = asyncio.Event()
    await house.open([gate, "0"], "1", "2", max_backlog=3)
    receipts = [await house.submit(str(number), thread_id="t") for number in range(3)]

    with pytest.raises(Backlogged) as refused:
        await house.submit("3", thread_id="t")
    gate.set()
    for receipt in receipts:
        await house.events(receipt)

    assert refused.value.retry_after > 0
    users = [message.text for message in await house.history(receipts[0]) if message.role == "user"]
    assert users == ["0", "1", "2"]
