"""Whatever is wrong with a run's input, the answer says so in JSON or as a RUN_ERROR, and the thread is as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

RUNS = "/v1/ag-ui/agents/assistant/runs"
JSON = {"content-type": "application/json"}
DEEP = "[" * 300 + "]" * 300


def user(content: Any = "hello", **more: Any) -> dict[str, Any]:
    return {"id": "new", "role": "user", "content": content, **more}


def resume(interrupt: Any, approved: Any = True) -> list[dict[str, Any]]:
    return [{"interruptId": interrupt, "status": "resolved", "payload": {"approved": approved}}]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.split("\n") if line.startswith("data: ")]


async def everything(server: Any) -> Any:
    """All that can be asked about the thread "thread"."""
    paths = ("threads/thread", "threads/thread/messages", "threads/thread/runs/active", "runs?thread_id=thread")
    return [(await server.client.get(f"/v1/{path}")).json() for path in paths]


@pytest.fixture
async def busy(server: Any) -> Any:
    """The demo agent with a thread that has an answer and a run that waits for two approvals."""
    await server.run("hello", run="r1")
    await server.run("email a@example.com hi and email b@example.com yo", run="r2")
    return server


BAD: dict[str, dict[str, Any]] = {
    "unknown role": {"messages": [{"id": "new", "role": "robot", "content": "hello"}]},
    "unknown role in old messages": {"messages": [{"id": "old", "role": "robot", "content": "hello"}, user()]},
    "no role": {"messages": [{"id": "new", "content": "hello"}]},
    "unknown part": {"messages": [user([{"type": "hologram", "text": "hello"}])]},
    "a part beside a good one": {"messages": [user([{"type": "text", "text": "hello"}, {"type": "x"}])]},
    "a part without a type": {"messages": [user([{"text": "hello"}])]},
    "a file by a provider's handle": {
        "messages": [user([{"type": "image", "source": {"type": "file", "value": "f"}}])]
    },
    "a number as content": {"messages": [user(5)]},
    "an object as content": {"messages": [user({"text": "hello"})]},
    "a number as id": {"messages": [user(id=5)]},
    "a number as role": {"messages": [user(role=5)]},
    "messages that are an object": {"messages": {"0": user()}},
    "a message that is a text": {"messages": ["hello"]},
    "one id twice": {"messages": [user(), user("other")]},
    "a control character in an id": {"messages": [user(id="a\u0007b")]},
    "a very long id": {"messages": [user(id="x" * 1000)]},
    "tools that are a text": {"messages": [user()], "tools": "all"},
    "a tool without a name": {"messages": [user()], "tools": [{"description": "x"}]},
    "a tool with a blank name": {"messages": [user()], "tools": [{"name": " "}]},
    "context that is a number": {"messages": [user()], "context": 5},
    "state that is a number": {"messages": [user()], "state": 5},
    "state that is a text": {"messages": [user()], "state": "x"},
    "state that is a list": {"messages": [user()], "state": [1]},
    "state that is too large": {"messages": [user()], "state": {"x": "x" * 300_000}},
    "a resume without an id": {"resume": [{"status": "resolved"}]},
    "a resume with a number as id": {"resume": resume(5)},
    "a resume that is a text": {"resume": "yes"},
    "a tool message for nobody": {"messages": [{"id": "x", "role": "tool", "toolCallId": 5, "content": "x"}]},
    "a number as protocol version": {"messages": [user()], "protocolVersion": 1},
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
async def test_what_makes_no_sense_is_400_and_changes_nothing(busy: Any, body: dict[str, Any]) -> None:
    before = await everything(busy)

    response = await busy.client.post(RUNS, json={"threadId": "thread", "runId": "new", "messages": [], **body})

    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    assert response.json()["error"]
    assert await everything(busy) == before


@pytest.mark.parametrize(
    "body",
    [
        '"messages":[{"id":"n","role":"user","content":"\\ud800"}]',
        '"messages":[{"id":"\\udfff","role":"user","content":"hello"}]',
        '"messages":[{"id":"n","role":"user","content":"hello"}],"state":{"\\ud800":1}',
        '"messages":[{"id":"n","role":"user","content":"hello"}],"state":{"a":' + DEEP + "}",
        '"messages":[{"id":"n","role":"user","content":"hello"}],"state":{"a":1e999}',
        '"messages":[],"resume":[{"interruptId":"\\ud800","status":"resolved"}]',
    ],
)
async def test_what_is_no_text_or_goes_too_deep_is_400_and_changes_nothing(busy: Any, body: str) -> None:
    before = await everything(busy)

    response = await busy.client.post(RUNS, content=f'{{"threadId":"thread","runId":"new",{body}}}', headers=JSON)

    assert response.status_code == 400
    assert await everything(busy) == before


@pytest.mark.parametrize("interrupt", ["of-another-run", "call_1", "x" * 5000, "a\u0000b", "../x"])
async def test_an_approval_of_something_else_is_a_run_error_and_changes_nothing(busy: Any, interrupt: str) -> None:
    before = await everything(busy)

    response = await busy.client.post(RUNS, json={"threadId": "thread", "runId": "new", "resume": resume(interrupt)})

    (only,) = events(response.text)
    assert (response.status_code, only["type"], only["code"]) == (200, "RUN_ERROR", "UNKNOWN_INTERRUPT")
    assert await everything(busy) == before


async def test_an_approval_of_a_call_that_is_done_is_a_run_error_and_changes_nothing(server: Any) -> None:
    (question,) = (await server.run("email a@example.com hi", run="r"))[-1]["interrupts"]
    body = {"threadId": "thread", "runId": "r2", "resume": resume(question["id"], approved=False)}
    await server.client.post(RUNS, json=body)
    before = await everything(server)

    response = await server.client.post(RUNS, json=body | {"runId": "r3", "resume": resume(question["id"])})

    (only,) = events(response.text)
    assert (only["type"], only["code"]) == ("RUN_ERROR", "INTERRUPT_MISMATCH")
    assert await everything(server) == before


async def test_a_tool_message_for_a_call_that_is_done_changes_nothing(server: Any) -> None:
    await server.run("weather in Paris", run="r")
    before = await everything(server)
    call_id = next(part["call_id"] for m in before[1]["messages"] for part in m["parts"] if "call_id" in part)
    answer = {"id": "x", "role": "tool", "toolCallId": call_id, "content": "sunny"}

    response = await server.client.post(RUNS, json={"threadId": "thread", "runId": "new", "messages": [answer]})

    assert (response.status_code, response.json()["code"]) == (409, "conflict")
    assert await everything(server) == before


async def test_the_threads_of_others_are_neither_seen_nor_changed(serve: Any) -> None:
    server = await serve(api_tokens={"ours": "0urs", "theirs": "their5"})
    ours, theirs = ({"authorization": f"Bearer {token}"} for token in ("0urs", "their5"))
    body = {"threadId": "thread", "runId": "r", "protocolVersion": "1.0", "messages": [user("email a@example.com hi")]}
    asked = events((await server.client.post(RUNS, json=body, headers=ours)).text)[-1]
    answer = {"threadId": "thread", "runId": "r2", "resume": resume(asked["outcome"]["interrupts"][0]["id"])}

    refused = events((await server.client.post(RUNS, json=answer, headers=theirs)).text)
    seen = [
        await server.client.get(f"/v1/ag-ui/threads/thread/{what}", headers=theirs) for what in ("stream", "replay")
    ]

    assert [(event["type"], event["code"]) for event in refused] == [("RUN_ERROR", "INTERRUPT_MISMATCH")]
    assert [events(response.text) for response in seen] == [[], []]
    assert (await server.client.get("/v1/threads/thread", headers=theirs)).status_code == 404
    assert (await server.client.get("/v1/runs/r", headers=ours)).json()["status"] == "waiting"


@pytest.mark.proves("G13", "G16")
async def test_ten_thousand_messages_of_history_are_read_and_only_the_new_one_is_stored(server: Any) -> None:
    old = [{"id": f"m{n}", "role": ("user", "assistant")[n % 2], "content": f"message {n}"} for n in range(10_000)]

    response = await server.client.post(RUNS, json={"threadId": "thread", "runId": "r", "messages": [*old, user()]})

    stored = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    assert events(response.text)[-1]["type"] == "RUN_FINISHED"
    assert [message["role"] for message in stored] == ["user", "assistant"]
    assert stored[0]["id"] == "new"


@pytest.mark.proves("G16")
@pytest.mark.parametrize("text", ["x" * 50_000, "日本👩‍🚀\u2028" * 2000, "a\u0000b\u0007c\u001b[31m\r\n\t\u0085d"])
async def test_long_and_strange_text_arrives_as_it_was_sent(server: Any, text: str) -> None:
    response = await server.client.post(RUNS, json={"threadId": "thread", "runId": "r", "messages": [user(text)]})

    history = (await server.client.get("/v1/ag-ui/threads/thread/messages")).json()["messages"]
    assert events(response.text)[-1]["type"] == "RUN_FINISHED"
    assert history[0] == {"id": "new", "role": "user", "content": text}


async def test_ids_used_twice_in_old_messages_do_no_harm(server: Any) -> None:
    old = [user("one"), {"id": "a", "role": "assistant", "content": "1"}, user("two"), {"id": "a", "role": "assistant"}]
    body = {"threadId": "thread", "runId": "r", "messages": [*old, user("three")]}

    response = await server.client.post(RUNS, json=body)

    assert events(response.text)[-1]["type"] == "RUN_FINISHED"
    assert len((await server.client.get("/v1/threads/thread/messages")).json()["messages"]) == 2


async def test_a_new_message_under_an_id_the_thread_has_is_not_stored_again(server: Any) -> None:
    body = {"threadId": "thread", "runId": "r", "messages": [user("first")]}
    await server.client.post(RUNS, json=body)

    response = await server.client.post(RUNS, json=body | {"runId": "r2", "messages": [user("second")]})

    stored = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    assert events(response.text)[-1]["type"] == "RUN_FINISHED"
    assert [message["parts"][0]["text"] for message in stored if message["role"] == "user"] == ["first"]
