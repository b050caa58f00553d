"""The shared state over the native API: a run brings it, a tool changes it, anybody with the thread reads it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from wakeful import Agent, ToolContext, tool
from wakeful.contracts.thread import MAX_STATE_BYTES
from wakeful.providers.scripted import ScriptedProvider, call

if TYPE_CHECKING:
    from tests.conftest import Serve

HELLO = [{"content": "hello"}]
NESTED = json.loads("[" * 120 + "]" * 120)


@tool(effect="pure")
def tick(context: ToolContext, item: str) -> str:
    """Tick an item off."""
    context.state["done"] = [item]
    return "ticked"


async def test_a_run_brings_state_and_a_tool_changes_it(serve: Serve):
    agent = Agent("assistant", model="scripted:any", tools=[tick])
    client = (await serve(agents=[agent], providers=[ScriptedProvider([call("tick", {"item": "milk"}), "ok"])])).client

    body = {"thread_id": "t", "messages": HELLO, "state": {"items": ["milk", None]}}
    stream = await client.post("/v1/runs", json=body)
    state = await client.get("/v1/threads/t/state")

    assert '"type":"state_replaced","state":{"items":["milk",null]}' in stream.text
    assert '"patch":[{"op":"add","path":"/done","value":["milk"]}]' in stream.text
    assert state.json() == {"state": {"items": ["milk", None], "done": ["milk"]}}


async def test_a_thread_without_state_has_an_empty_one_and_a_foreign_thread_none(serve: Serve):
    client = (await serve()).client
    await client.post("/v1/threads", json={"id": "t"})

    assert (await client.get("/v1/threads/t/state")).json() == {"state": {}}
    assert (await client.get("/v1/threads/other/state")).status_code == 404


@pytest.mark.parametrize("state", [[], "text", 1, {"deep": NESTED}, {"x": "y" * MAX_STATE_BYTES}])
async def test_a_state_that_cannot_be_kept_is_refused(serve: Serve, state: object):
    client = (await serve()).client

    answer = await client.post("/v1/runs", json={"thread_id": "t", "messages": HELLO, "state": state})

    assert answer.status_code == 400
    assert (await client.get("/v1/threads/t")).status_code == 404


async def test_a_models_message_says_how_it_was_made(serve: Serve):
    client = (await serve()).client
    await client.post("/v1/runs", json={"thread_id": "t", "messages": HELLO})

    user, reply = (await client.get("/v1/threads/t/messages")).json()["messages"]

    assert user["reply"] is None
    assert (reply["reply"]["provider"], reply["reply"]["usage"]["output_tokens"] > 0) == ("demo", True)
