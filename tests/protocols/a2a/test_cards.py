"""Agent cards: what they say, to whom, and that caches can keep them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from a2a.client.card_resolver import parse_agent_card
from a2a.compat.v0_3 import types as old
from a2a.types import a2a_pb2 as pb
from google.protobuf.json_format import ParseDict
from tests.protocols.a2a.talking import NEW, ROOT, Gate, Talk, agents, approver

from wakeful.providers.scripted import ScriptedProvider

Serve = Callable[..., Awaitable[Any]]
WELL_KNOWN = "/.well-known/agent-card.json"


@pytest.mark.proves("A01")
async def test_the_card_says_where_and_how_the_agent_answers(working: Any) -> None:
    response = await working.client.get(WELL_KNOWN, headers=NEW)
    card = ParseDict(response.json(), pb.AgentCard())

    assert (card.name, card.description) == ("worker", "Does what it is told.")
    assert card.capabilities.streaming
    assert card.capabilities.push_notifications
    assert not card.capabilities.extended_agent_card
    base = str(working.client.base_url).rstrip("/")
    assert {(one.url, one.protocol_binding, one.protocol_version) for one in card.supported_interfaces} == {
        (f"{base}{ROOT}", "JSONRPC", "1.0"),
        (f"{base}{ROOT}", "HTTP+JSON", "1.0"),
        (f"{base}{ROOT}", "JSONRPC", "0.3"),
        (f"{base}{ROOT}", "HTTP+JSON", "0.3"),
    }
    assert card.skills[0].tags


async def test_every_agent_has_a_card_of_its_own(working: Any) -> None:
    found = (await working.client.get(f"{ROOT}/second{WELL_KNOWN}", headers=NEW)).json()
    unknown = await working.client.get(f"{ROOT}/nobody{WELL_KNOWN}", headers=NEW)

    assert found["name"] == "second"
    assert all(one["url"].endswith("/v1/a2a/second") for one in found["supportedInterfaces"])
    assert unknown.status_code == 404


async def test_a_client_that_says_no_version_finds_what_0_3_wants_too(working: Any) -> None:
    found = (await working.client.get(WELL_KNOWN)).json()

    assert old.AgentCard.model_validate(found).preferred_transport == "JSONRPC"
    assert parse_agent_card(dict(found)).supported_interfaces[0].protocol_version == "1.0"


@pytest.mark.proves("A02")
async def test_a_cached_card_is_not_sent_again(working: Any) -> None:
    first = await working.client.get(WELL_KNOWN)
    tag = first.headers["etag"]

    for sent in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await working.client.get(WELL_KNOWN, headers={"if-none-match": sent})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await working.client.get(WELL_KNOWN, headers={"if-none-match": '"other"'})

    assert other.status_code == 200
    assert "max-age" in first.headers["cache-control"]
    assert first.headers["last-modified"] == other.headers["last-modified"]
    assert first.headers["last-modified"].endswith("GMT")


@pytest.mark.proves("A02")
async def test_a_card_changes_with_the_agent_and_with_nothing_else(serve: Serve, gate: Gate) -> None:
    async def tags(*made: Any) -> list[str]:
        server = await serve(agents=list(made), public_url="https://agents.example.com/")
        return [
            (await server.client.get(f"{ROOT}/{name}{WELL_KNOWN}")).headers["etag"] for name in ("worker", "second")
        ]

    worker, second = agents(gate)
    assert await tags(worker, second) == await tags(second, worker)
    changed = type(second)(second.spec.model_copy(update={"description": "Other."}), second._body)
    assert [
        one == other for one, other in zip(await tags(worker, second), await tags(worker, changed), strict=True)
    ] == [
        True,
        False,
    ]


async def test_the_configured_address_is_the_one_that_is_told(serve: Serve) -> None:
    server = await serve(public_url="https://agents.example.com/deep/")

    found = (await server.client.get(WELL_KNOWN, headers={**NEW, "host": "evil.example.com"})).json()

    assert {one["url"] for one in found["supportedInterfaces"]} == {"https://agents.example.com/deep/v1/a2a"}


@pytest.mark.proves("A01")
async def test_the_extended_card_is_for_known_callers_and_has_a_skill_per_tool(serve: Serve) -> None:
    server = await serve(
        agents=[approver(instructions="SECRET")], providers=[ScriptedProvider([])], api_tokens={"a": "token"}
    )
    public = await server.client.get(WELL_KNOWN, headers=NEW)
    missing = await server.client.get(f"{ROOT}/extendedAgentCard", headers=NEW)
    wrong = await server.client.get(f"{ROOT}/extendedAgentCard", headers={**NEW, "authorization": "Bearer no"})
    server.client.headers["authorization"] = "Bearer token"

    card = ParseDict(public.json(), pb.AgentCard())
    assert card.capabilities.extended_agent_card
    assert card.security_schemes["bearer"].http_auth_security_scheme.scheme == "Bearer"
    assert "launch" not in public.text
    assert (missing.status_code, wrong.status_code) == (401, 401)
    for rpc in (True, False):
        found = await Talk(server.client, rpc=rpc).result(
            "GET", "/extendedAgentCard", "GetExtendedAgentCard", {}, pb.AgentCard
        )
        assert [skill.name for skill in found.skills] == ["assistant", "launch", "look"]
        assert "SECRET" not in str(found)
