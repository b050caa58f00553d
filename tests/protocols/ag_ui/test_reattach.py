"""Coming back to a run over AG-UI: what is shown again, and what of what a client held is not shown twice."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from wakeful.providers.scripted import ScriptedProvider, call, think
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

RUNS = "/v1/ag-ui/agents/assistant/runs"
REPLAY = "/v1/ag-ui/threads/t/replay"
STREAM = "/v1/ag-ui/threads/t/stream"
ASK = {
    "threadId": "t",
    "runId": "r",
    "protocolVersion": "1.0",
    "messages": [{"id": "u", "role": "user", "content": "?"}],
}
NEW = {"protocolVersion": "1.0"}


@tool(approval=True)
def launch() -> str:
    """Launch."""
    return "launched"


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


def ids(text: str) -> list[int]:
    return [int(line.removeprefix("id: ")) for line in text.splitlines() if line.startswith("id: ")]


def scripted(*replies: Any) -> dict[str, Any]:
    agent = Agent("assistant", model="scripted:any", tools=[launch])
    return {"agents": [agent], "providers": [ScriptedProvider(replies)]}


async def test_a_replay_is_the_whole_last_run_as_a_finished_stream(serve: Any) -> None:
    server = await serve(**scripted("Hello.", "Bye."))
    await server.client.post(RUNS, json=ASK)
    more = ASK | {"runId": "r2", "messages": [{"id": "u2", "role": "user", "content": "and?"}]}
    await server.client.post(RUNS, json=more)

    replayed = await server.client.get(REPLAY, params=NEW)
    streamed = await server.client.get(STREAM, params=NEW)

    assert replayed.headers["content-type"].startswith("text/event-stream")
    assert events(replayed.text) == events(streamed.text)
    assert [message["content"] for message in events(replayed.text)[1]["messages"]] == ["?", "Hello.", "and?"]
    assert events(replayed.text)[-1]["outcome"] == {"type": "success"}


async def test_a_replay_goes_on_after_the_last_event_that_was_seen(serve: Any) -> None:
    server = await serve(**scripted("One two three."))
    whole = (await server.client.post(RUNS, json=ASK)).text

    for seen in ids(whole):
        rest = await server.client.get(REPLAY, params=NEW | {"runId": "r"}, headers={"last-event-id": str(seen)})
        after = whole[whole.index(f"id: {seen}\n") :]
        assert events(rest.text) == events(after)[1:]


async def test_a_replay_of_a_run_that_goes_on_has_what_is_committed_and_does_not_wait(serve: Any) -> None:
    go_on = asyncio.Event()
    server = await serve(**scripted([call("launch", call_id="c")], ["Once upon", go_on, " a time."]))
    asked = await server.client.post(RUNS, json=ASK)
    (question,) = events(asked.text)[-1]["outcome"]["interrupts"]
    answer = [{"interruptId": question["id"], "status": "resolved", "payload": {"approved": True}}]
    async with asyncio.timeout(5):
        async with server.stream("POST", RUNS, json=ASK | {"runId": "r2", "messages": [], "resume": answer}) as frames:
            await anext(frame async for frame in frames if "upon" in (frame.data or ""))
            replayed = events((await server.client.get(REPLAY, params=NEW)).text)
            go_on.set()
            async for _ in frames:
                pass
    finished = events((await server.client.get(REPLAY, params=NEW)).text)

    assert [event["type"] for event in replayed].count("RUN_STARTED") == 2
    assert replayed[-1]["type"] not in {"RUN_FINISHED", "RUN_ERROR"}
    assert finished[-1]["outcome"] == {"type": "success"}


async def test_a_replay_of_a_run_that_waits_ends_with_its_question(serve: Any) -> None:
    server = await serve(**scripted([call("launch")]))
    asked = await server.client.post(RUNS, json=ASK)

    replayed = await server.client.get(REPLAY, params=NEW)

    assert events(replayed.text)[-1]["outcome"] == events(asked.text)[-1]["outcome"]


async def test_there_is_nothing_to_replay_on_an_unknown_thread(serve: Any) -> None:
    server = await serve(**scripted())

    nothing = await server.client.get("/v1/ag-ui/threads/nowhere/replay")

    assert (nothing.status_code, events(nothing.text)) == (200, [])


@pytest.mark.parametrize("path", [STREAM, "/v1/ag-ui/runs/r/stream", REPLAY])
async def test_a_client_that_holds_half_a_thought_is_shown_it_once(path: str, serve: Any, verifier: Any) -> None:
    reply = [think("First I think."), "Then I say.", think("Again I think."), "And say."]
    server = await serve(**scripted(reply))
    whole = [json.dumps(event).encode() for event in events((await server.client.post(RUNS, json=ASK)).text)]
    watched = verifier(modern=True)
    for frame in whole:
        watched.feed(frame)

    shown = events((await server.client.get(path, params=NEW)).text)

    for cut in range(1, len(whole) + 1):
        returned, again = verifier(modern=True), verifier(modern=True)
        returned.history.messages = [{"id": "u", "role": "user", "content": "?"}]
        for frame in whole[:cut]:
            returned.feed(frame)
        again.history = returned.history
        for event in shown:
            again.feed(json.dumps(event).encode())
        held = [(message["role"], message["content"]) for message in again.history.transcript]
        assert held[1:] == [(message["role"], message["content"]) for message in watched.history.transcript]


async def test_a_question_is_preceded_by_the_messages_a_client_holds_that_sent_all_of_them(serve: Any) -> None:
    question = ["Sure.", call("launch", call_id="c")]
    server = await serve(**scripted("Hello.", question, question))
    first = events((await server.client.post(RUNS, json=ASK)).text)
    said = next(event["messageId"] for event in first if event["type"] == "TEXT_MESSAGE_START")
    answer = {"id": said, "role": "assistant", "content": "Hello."}
    local = {"id": "mine", "role": "system", "content": "only the page has this", "metadata": {"of": "the page"}}
    more = {"id": "u2", "role": "user", "content": "launch"}

    sent = [local, *ASK["messages"], answer, more]
    whole = events((await server.client.post(RUNS, json=ASK | {"runId": "r2", "messages": sent})).text)
    part = events((await server.client.post(RUNS, json=ASK | {"runId": "r3", "messages": [more | {"id": "u3"}]})).text)

    (snapshot,) = [event["messages"] for event in whole if event["type"] == "MESSAGES_SNAPSHOT"]
    asked = snapshot[-1]
    assert [event["type"] for event in whole][-2:] == ["MESSAGES_SNAPSHOT", "RUN_FINISHED"]
    assert snapshot[:-1] == sent
    assert (asked["content"], asked["toolCalls"][0]["id"]) == ("Sure.", "c")
    assert part[-1]["outcome"]["type"] == "interrupt"
    assert "MESSAGES_SNAPSHOT" not in [event["type"] for event in part]
