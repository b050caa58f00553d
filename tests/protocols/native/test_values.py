"""Values and metadata that a client sends over our own API, and answers to what agents ask there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from wakeful import AgentRequest, AskUser, Data, agent
from wakeful.contracts.errors import ToolQuestion
from wakeful.contracts.tool import ToolContext
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

Serve = Callable[..., Awaitable[Any]]
MESSAGES = "/v1/threads/t/messages"
DAY = {"type": "object", "properties": {"day": {"type": "string"}}, "required": ["day"]}


@agent("mirror")
async def mirror(request: AgentRequest) -> AsyncIterator[Any]:
    """Gives back what was sent."""
    parts = request.message.parts if request.message else ()
    yield Data({"parts": [type(part).__name__ for part in parts], "metadata": request.metadata}, "seen")


@agent("clerk")
async def clerk(request: AgentRequest) -> AsyncIterator[Any]:
    """Asks for a day."""
    if not request.answers and not request.declined:
        yield AskUser("When?", schema=DAY)
    yield f"{request.answers} {sorted(request.declined)}"


@tool
async def book(context: ToolContext) -> str:
    """Book."""
    if context.answer is None:
        raise ToolQuestion("When?", schema=DAY)
    return "declined" if context.answer.declined else f"for {context.answer.output}"


async def say(server: Any, content: Any, **message: Any) -> Any:
    body = {"agent_id": "mirror", "thread_id": "t", "run_id": "r", "messages": [{"content": content, **message}]}
    return await server.client.post("/v1/runs", json=body)


async def test_a_value_and_metadata_reach_the_agent_and_stay_with_the_message(serve: Serve):
    server = await serve(agents=[mirror])
    parts = [{"type": "text", "text": "look"}, {"type": "data", "data": {"a": [1, None]}, "name": "form"}]

    answer = await say(server, parts, metadata={"page": 3})

    user, reply = (await server.client.get(MESSAGES)).json()["messages"]
    assert answer.status_code == 200
    assert (user["parts"], user["metadata"]) == (parts, {"page": 3})
    (seen,) = reply["parts"]
    assert seen["data"] == {"parts": ["TextPart", "DataPart"], "metadata": {"page": 3}}
    assert reply["metadata"] is None


@pytest.mark.parametrize("value", [None, 0, "text", [], {"data": {}}])
async def test_any_json_is_a_value(serve: Serve, value: Any):
    server = await serve(agents=[mirror])

    answer = await say(server, [{"type": "data", "data": value}])

    stored = (await server.client.get(MESSAGES)).json()["messages"][0]["parts"]
    assert answer.status_code == 200
    assert stored == [{"type": "data", "data": value}]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([{"type": "data"}], {}),
        ([{"type": "data", "data": 1, "name": ""}], {}),
        ([{"type": "data", "data": "x" * 256 * 1024}], {}),
        ([{"type": "data", "data": nested(101)}], {}),
        ("hi", {"metadata": {"x": "y" * 64 * 1024}}),
        ("hi", {"metadata": {"x": nested(101)}}),
        ("hi", {"metadata": [1]}),
    ],
)
async def test_what_is_no_value_or_too_much_is_refused(serve: Serve, content: Any, message: dict[str, Any]):
    server = await serve(agents=[mirror])

    answer = await say(server, content, **message)

    assert answer.status_code == 400, answer.text
    assert (await server.client.get("/v1/runs/r")).status_code == 404


async def test_an_edited_entry_is_bounded_too(talking: Any):
    gate = asyncio.Event()
    talk = await talking(gate, "one", "two")
    await talk.say("go", run_id="r")
    await talk.say("later", run_id="q")
    long = [{"type": "data", "data": "x" * 256 * 1024}]
    path = "/v1/threads/thread/mailbox/q"

    refused = await talk.client.patch(path, json={"revision": 1, "messages": [{"content": long}]})
    edited = await talk.client.patch(
        path, json={"revision": 1, "messages": [{"content": [{"type": "data", "data": 1}]}]}
    )
    gate.set()

    (message,) = edited.json()["items"][0]["messages"]
    assert refused.status_code == 400
    assert message["parts"] == [{"type": "data", "data": 1}]


async def test_a_value_that_is_steered_to_a_run_is_in_its_log(talking: Any):
    gate = asyncio.Event()
    talk = await talking([call("nothing"), gate], "Done.")
    await talk.say("go", run_id="r")
    await talk.until("r", "run_started")

    await talk.say("", messages=[{"content": [{"type": "data", "data": {"a": 1}}], "id": "m"}], mode="steer")
    gate.set()

    async with asyncio.timeout(5), talk.server.stream("GET", "/v1/runs/r/events/stream") as frames:
        found = [frame.json async for frame in frames if frame.data]
    (joined,) = [event for event in found if event.get("message_id") == "m"]
    assert joined["parts"] == [{"type": "data", "data": {"a": 1}}]


# -- answers


@pytest.fixture(params=["tool", "function"])
async def asked(request: pytest.FixtureRequest, serve: Serve) -> tuple[Any, str, str]:
    """A server whose run `r` waits for an answer, the interrupt, and what the answer's `kind` is."""
    agents = [Agent("booker", model="scripted:any", tools=[book]), clerk]
    server = await serve(agents=agents, providers=[ScriptedProvider([call("book"), "Done."])])
    name = "booker" if request.param == "tool" else "clerk"
    body = {"agent_id": name, "thread_id": "t", "run_id": "r", "messages": [{"content": "go"}]}
    await server.client.post("/v1/runs", json=body)
    (interrupt,) = (await server.client.get("/v1/threads/t/runs/active")).json()["interrupts"]
    assert (interrupt["message"], interrupt["response_schema"]) == ("When?", DAY)
    return server, interrupt["id"], interrupt["kind"]


async def outcome(server: Any) -> str:
    """What the agent made of the answer."""
    async with asyncio.timeout(10):
        await server.client.get("/v1/runs/r/events/stream")
    messages = (await server.client.get(MESSAGES)).json()["messages"]
    return "".join(str(part.get("output", part.get("text"))) for one in messages[2:] for part in one["parts"])


async def test_a_question_is_answered_by_an_output(asked: tuple[Any, str, str]):
    server, interrupt, _ = asked

    answer = await server.client.post("/v1/runs/r/decision", json={"target": interrupt, "output": {"day": "Friday"}})

    assert answer.status_code == 202, answer.text
    assert "Friday" in await outcome(server)


@pytest.mark.parametrize("refusal", [{"failed": True}, {"failed": True, "output": "no"}])
async def test_a_question_may_be_declined(asked: tuple[Any, str, str], refusal: dict[str, Any]):
    server, interrupt, _ = asked

    answer = await server.client.post("/v1/runs/r/decision", json={"target": interrupt, **refusal})

    assert answer.status_code == 202, answer.text
    assert "declined" in (said := await outcome(server)) or "['answer']" in said


async def test_a_tools_question_is_declined_by_a_refusal_too(asked: tuple[Any, str, str]):
    server, interrupt, kind = asked
    if kind != "question":
        pytest.skip("only a tool's question")

    answer = await server.client.post("/v1/runs/r/decision", json={"target": interrupt, "approved": False})

    assert answer.status_code == 202, answer.text
    assert "declined" in await outcome(server)


@pytest.mark.parametrize("wrong", [{}, {"output": "Friday"}, {"output": {}}, {"approved": True}, {"output": None}])
async def test_what_is_no_answer_leaves_the_question_open(asked: tuple[Any, str, str], wrong: dict[str, Any]):
    server, interrupt, _ = asked

    answer = await server.client.post("/v1/runs/r/decision", json={"target": interrupt, **wrong})

    assert answer.status_code == 400, answer.text
    assert (await server.client.get("/v1/runs/r")).json()["status"] == "waiting"
