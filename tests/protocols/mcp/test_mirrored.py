"""Arguments that headers repeat: whoever routes by a header is told the truth."""

from __future__ import annotations

import base64
from typing import Annotated, Any

import pytest
from mcp import Client
from pydantic import Field
from tests.protocols.mcp.test_sdk_client import url_of

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.exposure import mirrored_inputs
from wakeful.sdk.exposure import Exposed
from wakeful.sdk.tool import tool


def marked(name: str) -> Any:
    return Field(json_schema_extra={"x-mcp-header": name})


@tool(effect="pure")
def routed(
    region: Annotated[str, marked("Region")], shard: Annotated[int, marked("Shard")] = 0, dry: bool = False
) -> str:
    """Go where the headers say."""
    return f"{region} {shard}"


def encoded(text: str) -> str:
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


async def called(peer: Any, arguments: Any, **headers: str | None) -> tuple[int, Any]:
    body = peer.asking("tools/call", {"name": "routed", "arguments": arguments})
    response = await peer.post(body, **headers)
    found = peer.read(body, response)
    return response.status_code, found["error"]["code"] if "error" in found else found["result"]["content"][0]["text"]


@pytest.mark.parametrize(
    ("arguments", "headers", "expected"),
    [
        ({"region": "eu"}, {"mcp_param_region": "eu"}, (200, "eu 0")),
        ({"region": "eu"}, {"mcp_param_region": encoded("eu")}, (200, "eu 0")),
        ({"region": "Zürich"}, {"mcp_param_region": encoded("Zürich")}, (200, "Zürich 0")),
        ({"region": "eu", "shard": 7}, {"mcp_param_region": "eu", "mcp_param_shard": "7"}, (200, "eu 7")),
        ({"region": "eu", "shard": 7}, {"mcp_param_region": "eu", "mcp_param_shard": "7.0"}, (200, "eu 7")),
        ({"region": "eu"}, {}, (400, -32020)),
        ({"region": "eu"}, {"mcp_param_region": "us"}, (400, -32020)),
        ({"region": "eu"}, {"mcp_param_region": encoded("us")}, (400, -32020)),
        ({"region": "eu"}, {"mcp_param_region": "=?base64?!?="}, (400, -32020)),
        ({"region": "eu", "shard": 7}, {"mcp_param_region": "eu", "mcp_param_shard": "8"}, (400, -32020)),
        ({"region": "eu", "shard": 7}, {"mcp_param_region": "eu"}, (400, -32020)),
        ({"region": "eu"}, {"mcp_param_region": "eu", "mcp_param_shard": "7"}, (400, -32020)),
        ({"region": "eu", "shard": None}, {"mcp_param_region": "eu", "mcp_param_shard": "7"}, (400, -32020)),
        ({}, {"mcp_param_region": "eu"}, (400, -32020)),
    ],
)
async def test_a_marked_argument_and_its_header_say_the_same(
    offer: Any, arguments: Any, headers: Any, expected: Any
) -> None:
    peer = await offer(tools=[routed])

    assert await called(peer, arguments, **headers) == expected


async def test_a_header_sent_twice_is_refused(offer: Any) -> None:
    peer = await offer(tools=[routed])
    body = peer.asking("tools/call", {"name": "routed", "arguments": {"region": "eu"}})
    twice = [*peer.headers(body).items(), ("mcp-param-region", "eu"), ("Mcp-Param-Region", "eu")]

    response = await peer.client.post("/v1/mcp", json=body, headers=twice)

    assert (response.status_code, response.json()["error"]["code"]) == (400, -32020)


async def test_an_older_session_and_an_unmarked_tool_need_no_such_header(offer: Any) -> None:
    peer = await offer(tools=[routed])
    await peer.initialize()

    found = await peer.request("tools/call", {"name": "routed", "arguments": {"region": "eu"}})
    agent = await peer.call("assistant", arguments={"message": " "})

    assert found["result"]["content"][0]["text"] == "eu 0"
    assert agent["isError"]


async def test_the_official_client_sends_what_is_asked_for(offer: Any) -> None:
    peer = await offer(tools=[routed])

    async with Client(url_of(peer)) as client:
        await client.list_tools()
        found = await client.call_tool("routed", {"region": "Zürich", "shard": 3})

    assert found.content[0].text == "Zürich 3"


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"a": {"type": "number", "x-mcp-header": "A"}}},
        {"properties": {"a": {"type": ["string", "null"], "x-mcp-header": "A"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": "with space"}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": ""}}},
        {"properties": {"a": {"type": "string", "x-mcp-header": 3}}},
        {"properties": {"a": {"items": {"type": "string", "x-mcp-header": "A"}}}},
        {"$defs": {"a": {"type": "string", "x-mcp-header": "A"}}},
        {"x-mcp-header": "A", "type": "string"},
        {"properties": {name: {"type": "string", "x-mcp-header": name} for name in ("A", "a")}},
    ],
)
def test_a_mark_that_clients_would_refuse_is_refused_before_anything_is_served(schema: Any) -> None:
    with pytest.raises(ConfigurationError):
        mirrored_inputs(schema)


def test_a_tool_with_a_bad_mark_cannot_be_exposed() -> None:
    @tool
    def bad(share: Annotated[float, marked("Share")]) -> str:
        """Bad."""
        return ""

    with pytest.raises(ConfigurationError, match="Share"):
        Exposed(tools=[bad]).checked_tools()


def test_nested_names_lead_to_a_mark_and_data_is_no_mark() -> None:
    inner = {"type": "object", "properties": {"b": {"type": "boolean", "x-mcp-header": "B"}}}
    schema = {"properties": {"a": inner, "c": {"default": {"x-mcp-header": "C"}}}}

    assert [(one.path, one.header) for one in mirrored_inputs(schema)] == [(("a", "b"), "mcp-param-b")]
