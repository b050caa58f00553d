"""Answers to the questions of a waiting run, as AG-UI clients give them: all of them count, or none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from tests.protocols.ag_ui.asking import (
    RUNS,
    USER,
    Chat,
    agent,
    cancelled,
    entry,
    events,
    refused,
    without_messages,
)

from wakeful.protocols.ag_ui import routes as ag_ui
from wakeful.providers.scripted import ScriptedProvider, call, think
from wakeful.server.config import ServerConfig
from wakeful.server.metrics import Metrics
from wakeful.server.operations import Operations
from wakeful.server.routing import Router


@pytest.mark.proves("G14")
@pytest.mark.parametrize("version", [None, "1.0"])
async def test_all_answers_together_continue_the_run(chat: Chat, version: str | None) -> None:
    first, second = await chat.ask()

    found = await chat.answer(entry(first), entry(second, approved=False), version=version)

    assert [event["type"] for event in found].count("TOOL_CALL_RESULT") == 2
    assert (found[0]["type"], found[-1]["type"]) == ("RUN_STARTED", "RUN_FINISHED")
    assert {event["runId"] for event in found if "runId" in event} == {"t-2"}


@pytest.mark.proves("G15")
async def test_a_cancelled_interrupt_is_refused_whatever_it_brings(chat: Chat) -> None:
    (question,) = await chat.ask("email a@example.com hi")

    found = await chat.answer(entry(question, status="cancelled"))

    messages, runs = await chat.stored()
    assert found[-1]["outcome"] == {"type": "success"}
    assert runs == ["completed"]
    assert [part["status"] for message in messages for part in message["parts"] if "status" in part] == ["denied"]


@pytest.mark.parametrize("version", [None, "1.0"])
async def test_answers_to_some_questions_are_refused_and_change_nothing(chat: Chat, version: str | None) -> None:
    first, second = await chat.ask()
    before = await chat.stored()

    partial = await chat.answer(entry(first), version=version)
    unchanged = await chat.stored()
    whole = await chat.answer(entry(first, approved=False), entry(second), version=version)

    assert refused(partial, "INTERRUPTS_OPEN")
    assert second in partial[0]["message"]
    assert unchanged == before
    assert whole[-1]["type"] == "RUN_FINISHED"


@pytest.mark.parametrize("unknown", ["nobody", "call_1"])
async def test_an_answer_to_a_question_never_asked_is_refused_with_all_others(chat: Chat, unknown: str) -> None:
    first, second = await chat.ask()
    before = await chat.stored()

    beside = await chat.answer(entry(first), entry(second), entry(unknown))
    alone = await chat.answer(cancelled(unknown))

    assert refused(beside, "UNKNOWN_INTERRUPT")
    assert refused(alone, "UNKNOWN_INTERRUPT")
    assert await chat.stored() == before


async def test_the_interrupt_of_another_thread_is_refused_there(chat: Chat) -> None:
    theirs = await chat.ask()
    other = Chat(chat.server, "other")
    await other.ask("email c@example.com hi")
    before = await chat.stored(), await other.stored()

    waiting = await other.answer(*map(entry, theirs))
    nothing_there = await chat.answer(*map(entry, theirs), thread="new")

    assert refused(waiting, "UNKNOWN_INTERRUPT")
    assert refused(nothing_there, "INTERRUPT_MISMATCH")
    assert (await chat.stored(), await other.stored()) == before
    assert (await chat.server.client.get("/v1/threads/new")).status_code == 404


async def test_an_answer_nobody_waits_for_is_refused(chat: Chat) -> None:
    await chat.ask("hello")

    assert refused(await chat.answer(entry("nobody")), "INTERRUPT_MISMATCH")


async def test_the_same_answers_again_are_the_same_continuation(chat: Chat) -> None:
    first, second = await chat.ask()
    answers = [entry(first, editedArgs={"to": "c@example.com", "body": "x"}), entry(second, approved=False)]

    once = await chat.answer(*answers)
    before = await chat.stored()
    again = await chat.answer(*answers, runId="t-2")

    assert without_messages(again) == once
    assert [message["role"] for message in again[1]["messages"]] == ["user", "assistant"]
    assert await chat.stored() == before


async def test_a_client_that_lost_the_continuation_holds_it_once_after_the_same_answers(
    serve: Any, verifier: Any
) -> None:
    replies = [[think("Hm."), "Sure.", call("launch")], [think("Well."), "Done."]]
    chat = Chat(await serve(agents=[agent()], providers=[ScriptedProvider(replies)]))
    asked = events((await chat.post(messages=[USER])).text)
    (question,) = asked[-1]["outcome"]["interrupts"]
    once = await chat.answer(entry(question["id"]))
    again = await chat.answer(entry(question["id"]))

    def watching(*streams: list[dict[str, Any]]) -> Any:
        history = verifier(modern=True).history
        history.messages = [dict(USER)]
        for stream in streams:
            client = verifier(modern=True)
            client.history = history
            for event in stream:
                client.feed(json.dumps(event).encode())
        return history.transcript

    for cut in range(len(once) + 1):
        assert watching(asked, once[:cut], again) == watching(asked, once)


async def test_the_same_answers_at_the_same_time_continue_the_run_once(chat: Chat) -> None:
    first, second = await chat.ask()
    answers = [entry(first), entry(second)]

    found = await asyncio.gather(*(chat.answer(*answers) for _ in range(12)))

    shown = [[event["type"] for event in stream if event["type"] != "MESSAGES_SNAPSHOT"] for stream in found]
    assert all(kinds == shown[0] for kinds in shown)
    assert shown[0].count("TOOL_CALL_RESULT") == 2


class Overtaken(Operations):
    """A front desk where somebody else approves first, and the run has ended by then."""

    async def submit(self, principal: Any, request: Any, **more: Any) -> Any:
        approvals = tuple(msgspec.structs.replace(decision, approved=True) for decision in request.decisions)
        receipt = await super().submit(principal, msgspec.structs.replace(request, decisions=approvals), **more)
        await self._runtime.control.rest(receipt.run, 5000)
        return await super().submit(principal, request, **more)


@pytest.mark.parametrize("approved", [True, False])
async def test_answers_that_are_overtaken_are_judged_by_the_first_ones(chat: Chat, listen: Any, approved: bool) -> None:
    (question,) = await chat.ask("email a@example.com hi")
    runtime = chat.server.runtime.inner
    app = Router(Starlette())
    app.add(ag_ui.routes(Overtaken(runtime, ServerConfig(), Metrics(runtime))))
    body = {"threadId": "t", "runId": "late", "protocolVersion": "1.0", "resume": [entry(question, approved=approved)]}

    async with listen(app) as port, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        found = events((await client.post(RUNS, json=body)).text)

    if approved:
        assert [event["type"] for event in without_messages(found)].count("TOOL_CALL_RESULT") == 1
    else:
        assert refused(found, "INTERRUPT_MISMATCH")


async def test_the_same_answers_again_go_on_to_a_question_that_came_later(serve: Any) -> None:
    replies = [call("launch", {"name": "a"}), call("launch", {"name": "b"}), "Done."]
    chat = Chat(await serve(agents=[agent()], providers=[ScriptedProvider(replies)]))
    first = await chat.ask()
    once = await chat.answer(entry(first[0]))

    again = await chat.answer(entry(first[0]), runId="t-2")

    kept = [event for event in without_messages(again) if event["type"] != "MESSAGES_SNAPSHOT"]
    assert kept == once
    assert again[-1]["outcome"]["type"] == "interrupt"


@pytest.mark.parametrize(
    "other", [{"approved": False}, {"approved": True, "editedArgs": {"to": "x@example.com", "body": ""}}]
)
async def test_another_answer_to_the_same_question_is_refused(chat: Chat, other: dict[str, Any]) -> None:
    (question,) = await chat.ask("email a@example.com hi")
    await chat.answer(entry(question))
    before = await chat.stored()

    assert refused(await chat.answer(entry(question, **other)), "INTERRUPT_MISMATCH")
    assert refused(await chat.answer(cancelled(question)), "INTERRUPT_MISMATCH")
    assert await chat.stored() == before


async def test_of_a_question_that_expired_only_a_cancelled_answer_is_taken(serve: Any) -> None:
    patient = agent(question_timeout_seconds=0.001)
    chat = Chat(await serve(agents=[patient], providers=[ScriptedProvider([call("launch"), "Done."])]))
    (question,) = await chat.ask()

    late = await chat.answer(entry(question))
    cancel = await chat.answer(cancelled(question))

    assert refused(late, "INTERRUPT_EXPIRED")
    assert cancel[-1]["outcome"] == {"type": "success"}


async def test_a_run_that_was_superseded_takes_no_approval_and_lets_go_of_what_is_cancelled(chat: Chat) -> None:
    (question,) = await chat.ask("email a@example.com hi")
    await chat.ask("hello")
    before = await chat.stored()

    late = await chat.answer(entry(question))
    ended = await chat.answer(cancelled(question))
    unchanged = await chat.stored()
    released = await chat.answer(cancelled(question), messages=[{**USER, "id": "new", "content": "and now?"}])

    assert refused(late, "INTERRUPT_MISMATCH")
    assert ended[-1]["outcome"] == {"type": "cancelled"}
    assert unchanged == before
    assert released[-1]["outcome"] == {"type": "success"}
    assert len((await chat.stored())[0]) == len(before[0]) + 2


async def test_new_text_without_answers_ends_the_run_that_waits(chat: Chat) -> None:
    await chat.ask()

    await chat.ask("hello")

    assert (await chat.stored())[1] == ["completed", "cancelled"]


async def test_new_text_with_answers_to_some_questions_is_refused(chat: Chat) -> None:
    first, _ = await chat.ask()
    before = await chat.stored()

    found = await chat.answer(cancelled(first), messages=[{**USER, "id": "new"}])

    assert refused(found, "INTERRUPTS_OPEN")
    assert await chat.stored() == before


@pytest.mark.proves("G12")
async def test_a_client_that_takes_json_gets_202_or_409(chat: Chat) -> None:
    first, second = await chat.ask()

    partial = await chat.post(resume=[entry(first)], accept="application/json")
    whole = await chat.post(resume=[entry(first), entry(second)], accept="application/json")
    again = await chat.post(resume=[entry(first), entry(second)], accept="application/json")

    assert (partial.status_code, partial.json()["details"]) == (409, {"code": "INTERRUPTS_OPEN"})
    assert (whole.status_code, whole.json()["status"], whole.json()["effect"]) == (202, "decision_forwarded", "resumed")
    assert (again.status_code, again.json()["effect"]) == (202, "replayed")


async def test_edited_arguments_that_do_not_fit_are_400_and_change_nothing(chat: Chat) -> None:
    (question,) = await chat.ask("email a@example.com hi")
    before = await chat.stored()

    response = await chat.post(resume=[entry(question, editedArgs={"to": 1})])

    assert response.status_code == 400
    assert await chat.stored() == before
