"""Failures that may pass are tried again, not for ever, and nobody is told "failed" before it is true."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from wakeful.contracts.event import (
    RetryScheduled,
    RunFinished,
    RunStarted,
    StepRestarted,
    StepStarted,
    TextDelta,
    ToolCallFinished,
)
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.model_errors import ModelRequestInvalid, Overloaded
from wakeful.providers.scripted import Reply, call
from wakeful.runtime.carry import LONGEST_BACK_OFF_MS, back_off
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.runtime.conftest import House

    from wakeful.contracts.mailbox import DeadLetter
    from wakeful.runtime.receipt import Receipt

AWAY = Overloaded("come back later")


def without_retries(house: House) -> House:
    """The model is asked once per attempt, so that every failure is one of the run."""
    house.agents[0] = house.agents[0].model_copy(update={"max_retries": 0})
    return house


async def rest(house: House, receipt: Receipt) -> None:
    """Let the retries of a run come due until it rests."""
    await house.patient(house.runtimes[-1].feed.until_rest(receipt.run.key))


async def letters(house: House) -> list[DeadLetter]:
    return [letter for _, letter in await house.runtimes[-1].store.dead_letters("s", before=None, limit=10)]


async def test_a_model_that_is_away_for_a_while_delays_the_run_and_does_not_fail_it(house: House):
    await without_retries(house).open([TextDelta("Half"), AWAY], AWAY, "Here I am.")
    receipt = await house.submit()

    await rest(house, receipt)
    events = await house.events(receipt, after=0)

    notices = [event for event in events if isinstance(event, RetryScheduled)]
    assert [(notice.attempt, notice.target, notice.error.code) for notice in notices] == [
        (1, "run", AWAY.code), (2, "run", AWAY.code),
    ]  # fmt: skip
    assert [event.outcome for event in events if isinstance(event, RunFinished)] == ["completed"]
    assert sum(isinstance(event, RunStarted) for event in events) == 1
    assert sum(isinstance(event, StepRestarted) for event in events) == 2
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Here I am."]


async def test_while_it_waits_for_its_next_attempt_a_run_is_queued_and_holds_no_worker(house: House):
    runtime = await without_retries(house).open(AWAY, "Here I am.")
    gate = house.valve.hold("requeue")
    receipt = await house.submit()
    await house.valve.called("requeue")
    (carrying,) = [task for task in asyncio.all_tasks() if task.get_name() == f"run {receipt.run.id}"]
    gate.set()
    await asyncio.wait([carrying])

    assert (await house.run(receipt)).status is RunStatus.QUEUED
    assert runtime.worker.active == 0
    await rest(house, receipt)


async def test_a_run_that_fails_five_times_is_given_up_with_its_partial_text(house: House):
    await without_retries(house).open(*[AWAY] * 4, [TextDelta("Half"), AWAY])
    receipt = await house.submit()

    await rest(house, receipt)
    events = await house.events(receipt, after=0)

    assert sum(isinstance(event, RetryScheduled) for event in events) == 4
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.error is not None
    assert (end.outcome, end.error.code) == ("failed", AWAY.code)
    assert "5 times" in end.error.message
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Half"]


async def test_a_run_that_was_given_up_is_a_dead_letter_that_can_be_retried_once(house: House):
    await without_retries(house).open(*[AWAY] * 5, "Here I am.")
    receipt = await house.submit(thread_id="t")
    await rest(house, receipt)

    (letter,) = await letters(house)
    retried = await house.control.retry(letter)
    await house.events(retried)
    again = await house.control.retry(letter)

    assert (letter.run.id, letter.dispatch_id, letter.failures) == (receipt.run.id, receipt.dispatch_id, 5)
    assert retried.run.parent_run_id == receipt.run.id
    assert (again.effect, again.run.id) == ("replayed", retried.run.id)
    assert [one.retried_run_id for one in await letters(house)] == [retried.run.id]
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Here I am."]


async def test_a_run_that_waits_for_its_next_attempt_can_be_stopped_at_once(house: House):
    await without_retries(house).open([TextDelta("Half"), AWAY])
    receipt = await house.submit()
    await house.seen(receipt, RetryScheduled)

    await house.control.cancel(await house.run(receipt))
    events = await house.events(receipt)

    end = events[-1]
    assert isinstance(end, RunFinished)
    assert (end.outcome, end.stop_reason) == ("cancelled", "cancelled")


async def test_a_failure_that_cannot_pass_is_not_retried(house: House):
    await without_retries(house).open(ModelRequestInvalid("no such model"))
    receipt = await house.submit()

    events = await house.events(receipt)

    assert not any(isinstance(event, RetryScheduled) for event in events)
    assert (await house.run(receipt)).status is RunStatus.FAILED
    assert await letters(house) == []


async def test_a_finished_step_gives_a_run_all_its_attempts_again(house: House):
    @tool
    async def work() -> str:
        """Work."""
        return "worked"

    house.tool(work)
    replies: list[Reply] = [*[AWAY] * 4, call("work"), *[AWAY] * 4, "Done."]
    await without_retries(house).open(*replies)
    receipt = await house.submit()

    await rest(house, receipt)
    events = await house.events(receipt, after=0)

    assert (await house.run(receipt)).status is RunStatus.COMPLETED
    attempts = [event.attempt for event in events if isinstance(event, RetryScheduled)]
    assert attempts == [1, 2, 3, 4, 1, 2, 3, 4]
    assert sum(isinstance(event, ToolCallFinished) for event in events) == 1


async def test_a_run_whose_process_dies_every_time_is_given_up(house: House):
    receipt = None
    for number in range(5):
        runtime = await house.open([asyncio.Event()])
        receipt = receipt or await house.submit()
        asked = house.seen(receipt, StepStarted if number == 0 else StepRestarted, times=max(number, 1))
        await house.patient(asked)
        await house.crash(runtime)
        house.outlive_leases()

    await house.open("Never said.")
    assert receipt is not None
    await rest(house, receipt)

    run = await house.run(receipt)
    assert run.error is not None
    assert (run.status, run.error.code) == (RunStatus.FAILED, "worker_lost")
    assert [letter.run.id for letter in await letters(house)] == [receipt.run.id]


async def test_a_lost_run_is_tried_at_once_the_first_time_and_after_a_pause_the_second(house: House):
    first = await house.open([asyncio.Event()])
    receipt = await house.submit()
    await house.seen(receipt, StepStarted)
    await house.crash(first)
    house.outlive_leases()
    second = await house.open([asyncio.Event()])
    await house.seen(receipt, StepRestarted)
    await house.crash(second)
    house.outlive_leases()

    third = await house.open("Whole.")
    noticed = await house.seen(receipt, RetryScheduled)
    before = await third.store.get_run("s", receipt.run.id)
    await rest(house, receipt)

    assert before is not None
    numbers = [entry.seq for entry in await house.entries(receipt, after=0)]
    assert numbers == sorted(set(numbers))
    assert noticed in numbers
    assert [message.text for message in await house.history(receipt)] == ["Hello", "Whole."]


@pytest.mark.parametrize("failures", [1, 2, 5, 50])
def test_pauses_grow_to_a_limit_and_are_never_the_same_for_all(failures: int):
    pauses = {back_off(failures) for _ in range(100)}

    ceiling = min(1_000 * 2 ** (failures - 1), LONGEST_BACK_OFF_MS)
    assert len(pauses) > 1
    assert all(ceiling // 2 <= pause <= ceiling for pause in pauses)
