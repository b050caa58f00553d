"""One thread, used through three processes and two protocols."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.processes.frames import Events, text_of

pytestmark = pytest.mark.network
AI_SDK, AG_UI = "/v1/ai-sdk/agents/assistant/runs", "/v1/ag-ui/agents/assistant/runs"
EMAIL = {"thread_id": "t", "run_id": "r", "messages": [{"content": "email a@example.com hi"}]}
UP_TO_60 = " ".join(map(str, range(1, 61)))


def asks(run: str, text: str) -> dict[str, Any]:
    message = {"id": f"{run}-question", "role": "user", "parts": [{"type": "text", "text": text}]}
    return {"id": "t", "runId": run, "trigger": "submit-message", "messages": [message]}


def steps(last: int, name: str) -> dict[str, Any]:
    message = {"content": f"step to {last} as {name}"}
    return {"agent_id": "stepper", "thread_id": "t", "run_id": "r", "messages": [message]}


def waiting(seen: list[dict[str, Any]]) -> bool:
    return bool(seen) and seen[-1]["type"] == "run_waiting"


def question(reader: Events) -> str:
    return reader.seen[-1]["interrupts"][0]["id"]


def words(number: int) -> Any:
    return lambda seen: len(text_of(seen).split()) >= number


async def test_a_conversation_goes_on_in_whatever_process_it_meets(fleet: Any) -> None:
    a, b, c = await fleet.serve_all(3)

    async with a.events("POST", AI_SDK, json=asks("r1", "count to 60 every 50 ms")) as started:
        await started.until(words(3))
    async with b.events("GET", "/v1/ai-sdk/threads/t/stream") as resumed:
        await resumed.until(words(10))
        assert (await c.get("/v1/runs/r1"))["status"] == "running"
        assert text_of(await resumed.rest()).strip() == UP_TO_60

    async with a.events("POST", AI_SDK, json=asks("r2", "email a@example.com hi")) as asking:
        assert any(event["type"] == "tool-approval-request" for event in await asking.rest())
    async with c.events("GET", "/v1/ag-ui/runs/r2/stream") as shown:
        asked = (await shown.rest())[-1]["outcome"]["interrupts"]
    answer = [{"interruptId": asked[0]["id"], "status": "resolved", "payload": {"approved": True}}]
    body = {"threadId": "t", "runId": "r3", "messages": [], "resume": answer}
    async with c.events("POST", AG_UI, json=body) as approved:
        events = await approved.rest()
        assert [event["type"] for event in events].count("TOOL_CALL_RESULT") == 1
        assert events[-1]["type"] == "RUN_FINISHED"

    async with a.events("POST", AI_SDK, json=asks("r4", "count to 1000 every 100 ms")) as endless:
        await endless.until(words(2))
        await b.post("/v1/ai-sdk/threads/t/stop", {})
        assert "abort" in [event["type"] for event in await endless.rest()]
    assert (await c.get("/v1/runs/r4"))["status"] == "cancelled"

    paths = ("/v1/threads/t/messages", "/v1/ai-sdk/threads/t/messages", "/v1/ag-ui/threads/t/messages")
    for path in paths:
        first, *others = [await process.get(path) for process in (a, b, c)]
        assert others == [first, first]


async def test_a_reader_elsewhere_sees_each_word_before_the_next_is_said(fleet: Any) -> None:
    a, b = await fleet.serve_all(2)

    async with a.events("POST", "/v1/runs", json=steps(30, "red")) as here:
        await here.until(lambda seen: seen)
        async with b.events("GET", "/v1/runs/r/events/stream") as afar:
            for number in range(1, 31):
                fleet.let_go("red", number)
                await afar.until(words(number))
            seen = await afar.rest()

        assert seen == await here.rest()
        assert afar.numbers == here.numbers == sorted(set(here.numbers))
    log = (await b.get("/v1/runs/r/events?limit=200"))["items"]
    assert [event["seq"] for event in log] == afar.numbers


async def test_a_late_reader_elsewhere_begins_with_what_was_said(fleet: Any) -> None:
    a, b = await fleet.serve_all(2)

    async with a.events("POST", "/v1/runs", json=steps(9, "blue")) as here:
        await here.until(lambda seen: seen)
        for number in range(1, 6):
            fleet.let_go("blue", number)
        await here.until(words(5))
        async with b.events("GET", "/v1/runs/r/events/stream") as first:
            await first.until(words(5))
            async with b.events("GET", f"/v1/runs/r/events/stream?after={first.numbers[-1]}") as second:
                for number in range(6, 10):
                    fleet.let_go("blue", number)
                later = await second.rest()
            assert text_of(await first.rest()) == text_of(await here.rest()) == "1 2 3 4 5 6 7 8 9 "
    assert text_of(later).split() == ["6", "7", "8", "9"]


async def test_readers_everywhere_stay_while_a_run_waits_and_see_it_go_on_where_it_was_approved(fleet: Any) -> None:
    a, b, c = await fleet.serve_all(3)
    await a.post("/v1/runs", EMAIL)

    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(process.events("GET", "/v1/runs/r/events/stream"))
            for process in (a, b, c, b)
        ]
        for reader in readers:
            await reader.until(waiting)
        await c.post("/v1/runs/r/decision", {"interrupt_id": question(readers[0]), "approved": True})
        shown = [await reader.rest() for reader in readers]

    assert shown[0][-1]["type"] == "run_finished"
    assert shown[1:] == [shown[0]] * 3


async def test_an_approval_given_in_two_processes_at_once_is_taken_once(fleet: Any) -> None:
    a, b, c = await fleet.serve_all(3)
    await a.post("/v1/runs", EMAIL)

    async with b.events("GET", "/v1/runs/r/events/stream") as reader:
        await reader.until(waiting)
        asked = question(reader)
        answers = await asyncio.gather(
            b.client.post("/v1/runs/r/decision", json={"interrupt_id": asked, "approved": True}),
            c.client.post("/v1/runs/r/decision", json={"interrupt_id": asked, "approved": False}),
        )
        kinds = [event["type"] for event in await reader.rest()]

    assert sorted(answer.status_code for answer in answers) == [202, 409]
    assert kinds.count("run_finished") == kinds.count("tool_call_finished") == 1


async def test_a_run_whose_process_is_killed_goes_on_under_its_readers(fleet: Any) -> None:
    a, b, c = await fleet.serve_all(3, WAKEFUL_LEASE_SECONDS="2")

    async with a.events("POST", "/v1/runs", json=steps(4, "red")) as here:
        await here.until(lambda seen: seen)
        async with (
            b.events("GET", "/v1/runs/r/events/stream") as native,
            c.events("GET", "/v1/ag-ui/runs/r/stream") as ag_ui,
        ):
            for number in (1, 2):
                fleet.let_go("red", number)
            await native.until(words(2))
            await ag_ui.until(words(2))
            a.command.process.kill()
            await native.until(lambda seen: any(event["type"] == "step_restarted" for event in seen))
            for number in (3, 4):
                fleet.let_go("red", number)
            seen, events = await native.rest(), await ag_ui.rest()

    restarted = next(place for place, event in enumerate(seen) if event["type"] == "step_restarted")
    assert text_of(seen[restarted:]) == "1 2 3 4 "
    assert native.numbers == sorted(set(native.numbers))
    assert events[-1]["type"] == "RUN_FINISHED"
    assert text_of(events).endswith("1 2 3 4 ")
