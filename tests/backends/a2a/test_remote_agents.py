"""An agent on another Wakeful server, asked over A2A: what it says is shown, kept, asked and stopped as here."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import httpx
import pytest
from tests.backends.a2a.conftest import Here
from tests.backends.a2a.working import PNG, Gate, approver, tasks, until

from wakeful import AgentServer, Decision, ServerConfig
from wakeful.contracts.event import StatusNoted, TextDelta
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.message import ArtifactPart, DataPart, FilePart, TextPart

PATIENCE = 30


def address(server: Any) -> str:
    return f"http://127.0.0.1:{server.port}"


async def test_all_it_says_becomes_part_of_one_message(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        result = await runtime.run("remote", "report")

    assert result.run.status == "completed", result.run.error
    (message,) = result.messages
    assert message.parts == (
        TextPart("Here it is."),
        DataPart({"rows": 2}, "table"),
        FilePart(PNG.media_type, PNG.url, PNG.filename),
        ArtifactPart("doc", (TextPart("Chapter one. Chapter two."),), "Report", "All of it"),
    )


@pytest.mark.proves("A13")
async def test_its_words_are_shown_as_they_come(here: Here, remote: Any, gate: Gate):
    runtime = await here.open(address(remote))

    shown: list[str] = []
    async with asyncio.timeout(PATIENCE), aclosing(runtime.stream("remote", "slow")) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                shown.append(event.delta)
                gate.open.set()  # the second word comes only after the first was seen here

    assert shown == ["One, ", "two."]


async def test_what_it_is_about_is_a_status(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE), aclosing(runtime.stream("remote", "report")) as events:
        assert StatusNoted("Looking it up.") in [event async for event in events]


async def test_an_answer_that_is_only_an_artifact_is_told_in_words_too(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        result = await runtime.run("remote", "paper")

    assert result.text == "All there is."
    assert any(isinstance(part, ArtifactPart) for part in result.messages[0].parts)


@pytest.mark.proves("A13")
async def test_its_question_is_asked_here_and_the_answer_reaches_the_same_task(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "ask")
        (question,) = asked.interrupts
        result = await runtime.decide(asked.run.id, Decision(question.id, output="3"))

    assert (question.tool, question.message, question.response_schema) == (
        ASK_USER,
        "How many days?",
        {"type": "string"},
    )
    assert [message.text for message in result.messages if message.role == "assistant"] == [
        "Weather: ",
        "Weather: fine for 3 days.",
    ]
    assert [run.status for run in await tasks(remote)] == ["completed"]


async def test_several_questions_are_answered_each(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "both")
        first, second = asked.interrupts
        result = await runtime.decide(
            asked.run.id, Decision(first.id, output="Rome"), Decision(second.id, output="Oslo")
        )

    assert result.text == "From Rome to Oslo."


async def test_a_request_for_a_right_names_where_it_is_given(here: Here, remote: Any):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "login")
        (question,) = asked.interrupts
        result = await runtime.decide(asked.run.id, Decision(question.id, output="done"))

    assert question.tool == ASK_AUTHORISATION
    assert "https://login.example.com/" in question.arguments
    assert result.text == "You are in."


@pytest.mark.parametrize(("output", "status"), [({"approved": True}, "succeeded"), ({"approved": False}, "denied")])
async def test_an_approval_is_given_from_here(
    here: Here, serve: Callable[..., Awaitable[Any]], output: Any, status: str
):
    remote = await serve(**approver())
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "Launch it")
        (question,) = asked.interrupts
        result = await runtime.decide(asked.run.id, Decision(question.id, output=output))

    assert question.tool == ASK_AUTHORISATION
    assert result.text == "Done."
    (task,) = await tasks(remote)
    results = [message for message in await remote.store.history(task.thread_key) if message.role == "tool"]
    assert results[0].parts[0].status == status


@pytest.mark.proves("A13")
async def test_later_messages_of_the_thread_go_on_in_the_same_conversation(here: Here, remote: Any, gate: Gate):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        first = await runtime.run("remote", "Hello")
        again = await runtime.run("remote", "And more", thread_id=first.run.thread_id)
        other = await runtime.run("remote", "Elsewhere")

    assert (first.text, again.text) == ("You said: Hello", "You said: And more")
    one, two, three = [request.thread_id for request in gate.asked]
    assert one == two != three
    assert other.run.status == "completed"


@pytest.mark.parametrize(
    ("deed", "code", "words"), [("fail", "agent_failed", "The disk is full."), ("refuse", "agent_refused", "refused")]
)
async def test_its_failure_fails_the_run_with_its_words(here: Here, remote: Any, deed: str, code: str, words: str):
    runtime = await here.open(address(remote))

    async with asyncio.timeout(PATIENCE):
        result = await runtime.run("remote", deed)

    assert result.run.status == "failed"
    assert result.run.error is not None
    assert result.run.error.code == code
    assert words in result.run.error.message


async def test_cancelling_here_cancels_there(here: Here, remote: Any, gate: Gate):
    runtime = await here.open(address(remote))
    async with asyncio.timeout(PATIENCE):
        receipt = await runtime.send("remote", "slow")
        await gate.reached.wait()
        async with aclosing(runtime.inner.feed.follow(receipt.run.key, after=0)) as batches:
            async for batch in batches:
                if TextDelta("One, ") in [entry.event for entry in batch]:
                    break

    await runtime.cancel(receipt.run.id)

    await until(remote, "cancelled")


async def test_cancelling_a_run_that_waits_cancels_there_too(here: Here, remote: Any):
    runtime = await here.open(address(remote))
    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "ask")

    await runtime.cancel(asked.run.id)

    await until(remote, "cancelled")


async def test_newer_input_that_takes_the_place_of_a_waiting_run_stops_its_task(here: Here, remote: Any):
    runtime = await here.open(address(remote))
    async with asyncio.timeout(PATIENCE):
        asked = await runtime.run("remote", "ask")
        await runtime.send("remote", "Hello", thread_id=asked.run.thread_id, mode="interrupt")

    await until(remote, "cancelled", "completed")


ROUTES = {
    "native": ("/v1/runs", {"agent_id": "remote", "messages": [{"content": "report"}]}),
    "ai_sdk": (
        "/v1/ai-sdk/agents/remote/runs",
        {"id": "t", "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "report"}]}]},
    ),
    "ag_ui": (
        "/v1/ag-ui/agents/remote/runs",
        {"threadId": "t", "runId": "r", "messages": [{"id": "m", "role": "user", "content": "report"}], "tools": []},
    ),
}


@pytest.mark.proves("R15")
@pytest.mark.parametrize(("path", "body"), ROUTES.values(), ids=ROUTES)
async def test_it_is_asked_over_any_route(here: Here, remote: Any, path: str, body: dict[str, Any]):
    runtime = await here.open(address(remote))
    transport = httpx.ASGITransport(AgentServer(runtime, ServerConfig()).app)

    async with asyncio.timeout(PATIENCE), httpx.AsyncClient(transport=transport, base_url="http://here") as http:
        response = await http.post(path, json=body)
        (thread,) = (await http.get("/v1/threads/summaries")).json()["items"]
        messages = (await http.get(f"/v1/threads/{thread['id']}/messages")).json()

    assert response.status_code in (200, 201), response.text
    assert thread["agent_id"] == "remote"
    assert "Here it is." in [part.get("text") for message in messages["messages"] for part in message["parts"]]
