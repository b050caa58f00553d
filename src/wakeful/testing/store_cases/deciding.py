"""Store tests: answers to the questions of a waiting run."""

# ruff: noqa: S101  (a suite asserts)

from __future__ import annotations

import asyncio

import pytest

from wakeful.contracts.errors import Conflict, NotFound
from wakeful.contracts.interrupt import Decision
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.store import Store
from wakeful.testing.store_cases.builders import (
    answers,
    ask,
    log,
    log_numbers,
    message,
    message_ids,
    question,
    reread,
    retirement,
    settlement,
    start,
    submission,
    worker,
)


class DecidingCases:
    """`decide`, `interrupts`, `expired_interrupts`."""

    async def test_the_last_answer_queues_the_run(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))

        first = await store.decide(answers(run, Decision("q2", approved=True), at=3_000))
        second = await store.decide(answers(run, Decision("q1", approved=False, reason="too risky"), at=4_000))

        assert (first.accepted, first.ready, first.dispatch_id) == (("q2",), False, "dispatch of r1")
        assert (first.run.status, first.run.updated_at) == (RunStatus.WAITING, 3_000)
        assert (second.accepted, second.ready) == (("q1",), True)
        assert (second.run.status, second.run.updated_at) == (RunStatus.QUEUED, 4_000)
        assert [record.decision for record in await store.interrupts(run.key)] == [
            Decision("q1", approved=False, reason="too risky"),
            Decision("q2", approved=True),
        ]

    async def test_a_decided_run_is_claimed_on_a_new_dispatch(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        await store.accept(submission("r2"))

        decided = await store.decide(answers(run, Decision("q1", approved=True), at=4_000))

        assert await store.claim(worker(now=3_999), 9) == ()
        (claim,) = await store.claim(worker(now=4_000), 9)
        assert (claim.run.id, claim.run.attempt, claim.lost) == ("r1", 1, False)
        assert (decided.dispatch_id, claim.lease.token) == ("dispatch of r1 at 4000", 1)
        assert await log_numbers(store, run) == [1]
        assert await message_ids(store, run) == ["input of r1"]

    async def test_a_replayed_request_names_the_newest_dispatch(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        decided = await store.decide(answers(run, Decision("q1", approved=True), at=4_000))

        again = await store.accept(submission("r1"))

        assert again.replayed
        assert again.dispatch_id == decided.dispatch_id

    async def test_a_lease_from_before_the_question_is_lost(self, store: Store) -> None:
        run, old = await start(store, "r1")
        await store.settle(settlement(old, RunStatus.WAITING, interrupts=(question("q1"),)))
        await store.decide(answers(run, Decision("q1", approved=True), at=4_000))
        await store.claim(worker(now=4_000), 1)

        assert await store.renew([old], 99_000) == {run.key}

    async def test_an_answer_may_name_the_call(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))

        decided = await store.decide(answers(run, Decision("call of q2", approved=True), at=3_000))

        assert decided.accepted == ("q2",)

    async def test_a_call_asked_about_again_is_answered_anew(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1", call_id="c"))
        await store.decide(answers(run, Decision("c", approved=True), at=3_000))
        (claim,) = await store.claim(worker(now=4_000), 1)
        again = question("q2", call_id="c", kind="frontend_tool")
        await store.settle(settlement(claim.lease, RunStatus.WAITING, interrupts=(again,)))

        decided = await store.decide(answers(run, Decision("c", output={"picked": 3}), at=5_000))

        assert (decided.accepted, decided.ready) == (("q2",), True)
        assert (await store.decide(answers(run, Decision("c", output={"picked": 3}), at=6_000))).already == ("q2",)
        records = await store.interrupts(run.key)
        assert [record.interrupt.id for record in records] == ["q1", "q2"]
        assert records[1].decision == Decision("c", output={"picked": 3})

    async def test_of_two_questions_about_a_call_the_open_one_is_meant(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1", call_id="c"), question("q2", call_id="c"))
        await store.decide(answers(run, Decision("q2", approved=True), at=3_000))

        decided = await store.decide(answers(run, Decision("c", approved=False), at=4_000))

        assert (decided.accepted, decided.ready) == (("q1",), True)

    async def test_the_same_answer_again_changes_nothing(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))
        await store.decide(answers(run, Decision("q1", approved=True), at=3_000))
        before = await reread(store, run)

        again = await store.decide(answers(run, Decision("call of q1", approved=True, decision_id="x"), at=4_000))

        assert (again.accepted, again.already, again.ready) == ((), ("q1",), False)
        assert again.run == before
        assert (await store.interrupts(run.key))[0].decision == Decision("q1", approved=True)

    @pytest.mark.parametrize("carried", [False, True], ids=["queued", "running"])
    async def test_the_last_answer_again_is_welcome_after_the_run_went_on(self, store: Store, carried: bool) -> None:  # noqa: FBT001  pytest hands it in by name
        run = await ask(store, "r1", question("q1"))
        await store.decide(answers(run, Decision("q1", approved=True), at=3_000))
        if carried:
            await store.claim(worker(now=3_000), 1)

        again = await store.decide(answers(run, Decision("q1", approved=True), at=4_000))

        assert (again.already, again.ready, again.dispatch_id) == (("q1",), False, "dispatch of r1 at 3000")

    async def test_a_different_answer_is_a_conflict(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))
        await store.decide(answers(run, Decision("q1", approved=True), at=3_000))

        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q2", approved=True), Decision("q1", approved=False), at=4_000))

        assert (await store.interrupts(run.key))[1].decision is None

    async def test_a_missing_answer_to_an_approval_is_a_refusal(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))
        await store.decide(answers(run, Decision("q1"), at=3_000))

        again = await store.decide(answers(run, Decision("q1", approved=False), at=4_000))

        assert again.already == ("q1",)
        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q1", approved=True), at=4_000))

    async def test_another_output_of_a_front_end_tool_is_a_conflict(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1", kind="frontend_tool"), question("q2"))
        await store.decide(answers(run, Decision("q1", output=[1, 2]), at=3_000))

        again = await store.decide(answers(run, Decision("q1", output=[1, 2]), at=4_000))

        assert again.already == ("q1",)
        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q1", output=[1, 3]), at=4_000))

    async def test_one_question_answered_two_ways_in_one_call_is_a_conflict(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))

        with pytest.raises(Conflict):
            await store.decide(answers(run, Decision("q1", approved=True), Decision("q1", approved=False), at=3_000))

        decided = await store.decide(
            answers(run, Decision("q1", approved=True), Decision("call of q1", approved=True), at=3_000)
        )
        assert (decided.accepted, decided.already) == (("q1",), ())

    async def test_a_question_never_asked_is_not_found(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))

        with pytest.raises(NotFound):
            await store.decide(answers(run, Decision("q1", approved=True), Decision("q9", approved=True), at=3_000))

        assert (await reread(store, run)).status is RunStatus.WAITING
        assert (await store.interrupts(run.key))[0].decision is None

    async def test_only_a_waiting_run_takes_new_answers(self, store: Store) -> None:
        run, lease = await start(store, "r1")

        with pytest.raises(Conflict):
            await store.decide(answers(run, at=3_000))

        await store.settle(settlement(lease, entries=log(2, 2)))
        with pytest.raises(Conflict):
            await store.decide(answers(run, at=3_000))

    async def test_of_many_answers_at_once_one_queues_the_run(self, store: Store) -> None:
        run = await ask(store, "r1", *(question(f"q{number}") for number in range(5)))

        sent = (store.decide(answers(run, Decision(f"q{number % 5}", approved=True), at=3_000)) for number in range(20))
        decided = await asyncio.gather(*sent)

        assert sum(one.ready for one in decided) == 1
        assert len(await store.claim(worker(now=4_000), 9)) == 1

    async def test_an_answer_may_bring_messages_and_log(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        late = answers(run, Decision("q1"), messages=(message("more"),), entries=log(2, 3), last_seq=1)

        decided = await store.decide(late)

        assert decided.ready
        assert await message_ids(store, run) == ["input of r1", "more"]
        assert await log_numbers(store, run) == [1, 2, 3]
        (claim,) = await store.claim(worker(now=3_000), 1)
        assert claim.last_seq == 3

    @pytest.mark.parametrize(("first", "last_seq"), [(1, 0), (5, 4), (1, 1)], ids=["behind", "ahead", "overlapping"])
    async def test_an_answer_whose_log_does_not_follow_is_a_conflict(
        self, store: Store, first: int, last_seq: int
    ) -> None:
        run = await ask(store, "r1", question("q1"))
        entries = log(first, first)

        with pytest.raises(Conflict):
            await store.decide(
                answers(run, Decision("q1"), messages=(message("a"),), entries=entries, last_seq=last_seq)
            )

        assert (await store.interrupts(run.key))[0].decision is None
        assert await log_numbers(store, run) == [1]
        assert await message_ids(store, run) == ["input of r1"]
        assert (await reread(store, run)).status is RunStatus.WAITING

    async def test_an_answer_sent_again_with_its_log_changes_nothing(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"))
        sent = answers(run, Decision("q1"), messages=(message("more"),), entries=log(2, 2), last_seq=1)
        await store.decide(sent)

        again = await store.decide(sent)

        assert (again.already, again.accepted, again.ready) == (("q1",), (), False)
        assert await log_numbers(store, run) == [1, 2]
        assert await message_ids(store, run) == ["input of r1", "more"]

    async def test_other_arguments_for_an_approved_call_are_a_conflict(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))
        edited = Decision("q1", approved=True, arguments={"path": "draft.txt"})
        await store.decide(answers(run, edited))

        again = await store.decide(answers(run, edited))

        assert again.already == ("q1",)
        for other in (None, {"path": "final.txt"}):
            with pytest.raises(Conflict):
                await store.decide(answers(run, Decision("q1", approved=True, arguments=other)))
        assert (await store.interrupts(run.key))[0].decision == edited

    async def test_arguments_of_a_refused_call_do_not_matter(self, store: Store) -> None:
        run = await ask(store, "r1", question("q1"), question("q2"))
        await store.decide(answers(run, Decision("q1", approved=False, arguments={"path": "draft.txt"})))

        again = await store.decide(answers(run, Decision("q1", approved=False)))

        assert again.already == ("q1",)

    async def test_questions_whose_time_is_over_are_found_oldest_first(self, store: Store) -> None:
        soon = await ask(store, "r1", question("q1", expires_at=5_000), question("q2"), thread_id="t1")
        sooner = await ask(store, "r2", question("q3", expires_at=4_000), thread_id="t2")
        await ask(store, "r3", question("q4", expires_at=5_001), thread_id="t3")

        expired = await store.expired_interrupts(5_000, 9)

        assert [asked.id for _, asked in expired] == ["q3", "q1"]
        assert [run for run, _ in expired] == [await reread(store, sooner), await reread(store, soon)]
        assert await store.expired_interrupts(5_000, 1) == expired[:1]
        assert await store.expired_interrupts(3_999, 9) == ()

    async def test_a_question_that_needs_no_answer_does_not_expire(self, store: Store) -> None:
        decided = await ask(store, "r1", question("q1", expires_at=5_000), question("q2"), thread_id="t1")
        await store.decide(answers(decided, Decision("q1")))
        retired = await ask(store, "r2", question("q3", expires_at=5_000), thread_id="t2")
        await store.retire(retirement(retired, expected=RunStatus.WAITING))

        assert await store.expired_interrupts(9_000, 9) == ()
