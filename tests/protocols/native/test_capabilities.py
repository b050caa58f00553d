from __future__ import annotations

from typing import Any

from wakeful.contracts.spec import AgentSpec
from wakeful.protocols.ag_ui.wire import PROTOCOL_VERSION
from wakeful.protocols.mcp.wire import SUPPORTED
from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent
from wakeful.sdk.function_agent import agent
from wakeful.sdk.tool import tool


@tool(effect="pure")
def look_up(city: str) -> str:
    """Look up a city."""
    return city


@tool(approval=True)
def look_away() -> str:
    """Look away."""
    return ""


@agent("echo")
async def echo(request: Any) -> str:
    """Says it again."""
    return "again"


async def test_capabilities_say_what_there_is_and_no_prompt(serve: Any) -> None:
    server = await serve(
        agents=[
            Agent("one", model="scripted:a", instructions="a secret prompt", description="The first.", tools=[look_up]),
            Agent("two", model="scripted:a", delegates=["one"], tools=[look_away]),
            echo,
        ],
        providers=[ScriptedProvider([])],
    )

    answer = await server.client.get("/v1/capabilities")
    found = answer.json()

    assert "secret prompt" not in answer.text
    assert [(one["id"], one["carried_by"], one["tools"], one["delegates"]) for one in found["agents"]] == [
        ("one", "model", ["look_up"], []),
        ("two", "model", ["look_away"], ["one"]),
        ("echo", "function", [], []),
    ]
    assert found["agents"][0]["description"] == "The first."
    assert [(one["name"], one["effect"], one["approval"]) for one in found["tools"]] == [
        ("look_up", "pure", False),
        ("look_away", "once", True),
    ]
    assert found["tools"][0]["parameters"]["required"] == ["city"]
    assert found["providers"] == ["scripted"]
    assert found["publication"] == 0


async def test_a_glob_shows_as_the_tools_it_stands_for(serve: Any) -> None:
    everything = AgentSpec(id="all", model="demo:offline", tools=("look_*",))
    server = await serve(agents=[everything], tools=[look_up, look_away])

    found = (await server.client.get("/v1/agents/all")).json()

    assert found["tools"] == ["look_up", "look_away"]


async def test_agents_are_listed_with_the_one_that_is_asked_by_default(serve: Any) -> None:
    server = await serve(
        agents=[Agent("one", model="demo:offline"), Agent("default", model="demo:offline")],
    )

    found = (await server.client.get("/v1/agents")).json()
    missing = await server.client.get("/v1/agents/nobody")

    assert [one["id"] for one in found["items"]] == ["one", "default"]
    assert found["default"] == "default"
    assert missing.status_code == 404


async def test_capabilities_are_for_those_with_a_token(serve: Any) -> None:
    server = await serve(api_tokens={"red": "r3d"})

    for path in ("/v1/capabilities", "/v1/agents", "/v1/agents/assistant"):
        assert (await server.client.get(path)).status_code == 401
        assert (await server.client.get(path, headers={"authorization": "Bearer r3d"})).status_code == 200


async def test_the_protocols_that_are_named_answer_in_the_versions_named(client: Any) -> None:
    named = {one["name"]: one for one in (await client.get("/v1/capabilities")).json()["protocols"]}

    assert tuple(named["mcp"]["versions"]) == SUPPORTED
    assert named["ag-ui"]["versions"][0] == PROTOCOL_VERSION
    assert list(named) == ["wakeful", "ai-sdk", "ag-ui", "a2a", "mcp"]
    for version in named["ai-sdk"]["versions"]:
        body = {
            "id": f"t{version}",
            "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "hi"}]}],
        }
        answer = await client.post("/v1/ai-sdk/agents/assistant/runs", json=body, headers={"x-wakeful-ai-sdk": version})
        assert answer.status_code == 200
    cards = (await client.get("/.well-known/agent-card.json")).json()["supportedInterfaces"]
    assert {one["protocolVersion"] for one in cards} == set(named["a2a"]["versions"])
