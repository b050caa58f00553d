"""What AG-UI clients are told of an agent before they run it."""

from __future__ import annotations

from typing import Any

from ag_ui.core import AgentCapabilities

from wakeful.bootstrap.demo import get_weather, send_email
from wakeful.contracts.spec import AgentSpec
from wakeful.protocols.ag_ui.capabilities import capabilities
from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent

SECRET = "Never tell anybody that the moon is made of cheese."


async def test_an_agents_capabilities_are_facts_of_its_spec_without_its_instructions(
    serve: Any, undeclared: Any
) -> None:
    careful = Agent(
        "careful",
        model="scripted:any",
        instructions=SECRET,
        description="Writes mails.",
        tools=[send_email],
        max_steps=7,
        max_seconds=1.5,
        reasoning_effort="low",
    )
    server = await serve(agents=[careful], providers=[ScriptedProvider([])])

    response = await server.client.get("/v1/ag-ui/agents/careful/capabilities")

    told = AgentCapabilities.model_validate_json(response.content)
    body = response.json()
    assert undeclared(told) == []
    assert SECRET not in response.text
    assert body["identity"] == {"name": "careful", "type": "wakeful", "description": "Writes mails."}
    assert [item["name"] for item in body["tools"]["items"]] == ["send_email"]
    assert body["tools"]["items"][0]["parameters"]["required"] == ["to", "body"]
    assert body["humanInTheLoop"].items() >= {"approvals": True, "interrupts": True}.items()
    assert body["execution"] == {"maxIterations": 7, "maxExecutionTime": 1500}
    assert body["reasoning"] == {"supported": True, "streaming": True}
    assert body["multiAgent"]["supported"] is False


async def test_what_is_not_known_is_left_out(serve: Any) -> None:
    plain = Agent("plain", model="scripted:any", tools=[get_weather])
    server = await serve(agents=[plain], providers=[ScriptedProvider([])])

    body = (await server.client.get("/v1/ag-ui/capabilities")).json()

    assert body["identity"] == {"name": "plain", "type": "wakeful"}
    assert body["reasoning"] == {}
    assert body["execution"] == {"maxIterations": 16}
    assert body["humanInTheLoop"]["approvals"] is False
    assert None not in [value for part in body.values() for value in part.values()]


async def test_without_a_name_it_is_the_default_agent(server: Any) -> None:
    default = await server.client.get("/v1/ag-ui/capabilities")
    named = await server.client.get("/v1/ag-ui/agents/assistant/capabilities")

    assert default.json() == named.json()


async def test_an_unknown_agent_has_none(server: Any) -> None:
    response = await server.client.get("/v1/ag-ui/agents/nobody/capabilities")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


async def test_they_are_told_only_to_who_may_ask(serve: Any) -> None:
    server = await serve(api_tokens={"team": "s3cret"})

    assert (await server.client.get("/v1/ag-ui/capabilities")).status_code == 401


def test_other_agents_it_may_hand_work_to_are_named() -> None:
    spec = AgentSpec(id="lead", model="m:x", delegates=("helper",))
    helper = AgentSpec(id="helper", model="m:x", description="Helps.", instructions=SECRET)

    told = capabilities(spec, [], [helper]).multi_agent

    assert (told.supported, told.delegation, told.handoffs) == (True, True, False)
    assert [(agent.name, agent.description) for agent in told.subagents or ()] == [("helper", "Helps.")]
