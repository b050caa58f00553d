"""What happens without anybody asking: questions expire, old logs are packed and removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import ToolResultPart
from wakeful.providers.scripted import call
from wakeful.runtime.janitor import NOBODY, UPKEEP_MS
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.runtime.receipt import Receipt


async def waiting(house: House, *, timeout_seconds: float | None) -> Receipt:
    @tool(approval=True)
    async def delete() -> str:
        """Delete."""
        return "gone"

    house.tool(delete)
    house.agents[0] = house.agents[0].model_copy(update={"question_timeout_seconds": timeout_seconds})
    await house.open(call("delete"), "Then not.")
    receipt = await house.submit()
    await house.events(receipt)
    return receipt


async def test_a_question_nobody_answers_in_its_time_is_answered_with_no(house: House):
    receipt = await waiting(house, timeout_seconds=60)

    house.clock.advance(61_000)
    await house.patient(house.entries(receipt, after=0, until_finished=True))

    parts = [part for message in await house.history(receipt) for part in message.parts]
    (result,) = [part for part in parts if isinstance(part, ToolResultPart)]
    assert result.status == "denied"
    assert NOBODY in str(result.output)


async def test_before_its_time_is_over_a_question_stays_open(house: House):
    receipt = await waiting(house, timeout_seconds=60)

    await house.patient(house.valve.called("expired_interrupts", 3))

    assert (await house.run(receipt)).status is RunStatus.WAITING


async def test_without_a_time_a_question_is_never_closed(house: House):
    receipt = await waiting(house, timeout_seconds=None)

    house.clock.advance(10**10)
    await house.patient(house.valve.called("expired_interrupts", 3))

    assert (await house.run(receipt)).status is RunStatus.WAITING


async def test_the_log_of_an_old_run_is_packed_and_reads_as_before(house: House):
    runtime = await house.open("Hi there, this is me.", compact_after_seconds=60)
    receipt = await house.submit()
    before = await house.entries(receipt, after=0)

    house.clock.advance(61_000)
    await house.patient(house.valve.called("compact", 2), step_ms=UPKEEP_MS)

    page = await runtime.store.read_log(receipt.run.key, after=0, limit=1_000)
    assert (await runtime.store.sizes()).events == 0
    assert [(one.seq, one.at, one.body) for one in page.entries] == [(one.seq, one.at, one.body) for one in before]


async def test_the_log_of_a_very_old_run_is_removed_and_its_messages_stay(house: House):
    runtime = await house.open("Hi", compact_after_seconds=None, prune_after_seconds=60)
    receipt = await house.submit()
    await house.events(receipt)

    house.clock.advance(61_000)
    await house.patient(house.valve.called("prune", 2), step_ms=UPKEEP_MS)

    assert (await house.run(receipt)).pruned
    assert (await runtime.store.sizes()).events == 0
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Hi"]
