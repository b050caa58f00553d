"""What may be read and used: the author's resources and prompts, threads and runs."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from tests.protocols.mcp.peer import Peer


async def read(peer: Peer, uri: str) -> dict[str, Any]:
    (content,) = (await peer.ask("resources/read", {"uri": uri}))["result"]["contents"]
    assert content["uri"] == uri
    return content


async def test_the_authors_resources_are_text_or_bytes(offer: Any) -> None:
    peer = await offer()

    guide, logo = await read(peer, "docs:guide"), await read(peer, "docs:logo")

    assert (guide["text"], guide["mimeType"]) == ("# Guide", "text/markdown")
    assert (base64.b64decode(logo["blob"]), logo["mimeType"]) == (b"\x89PNG", "image/png")


async def test_threads_and_runs_are_transcripts(offer: Any) -> None:
    peer = await offer(["Sunny."])
    made = (await peer.call(arguments={"message": "weather?"}))["structuredContent"]

    thread = json.loads((await read(peer, f"wakeful://threads/{made['threadId']}"))["text"])
    run = json.loads((await read(peer, f"wakeful://runs/{made['runId']}"))["text"])

    said = [(message["role"], message["parts"][0]["text"]) for message in thread["messages"]]
    assert said == [("user", "weather?"), ("assistant", "Sunny.")]
    assert (run["status"], run["threadId"]) == ("completed", made["threadId"])
    assert run["messages"] == thread["messages"]


async def test_all_threads_are_listed_page_by_page_after_the_authors_resources(offer: Any) -> None:
    peer = await offer()
    for number in range(60):
        await peer.client.post("/v1/threads", json={"id": f"t {number}"})

    found: list[str] = []
    cursor: dict[str, Any] = {}
    pages = 0
    while True:
        page = (await peer.ask("resources/list", cursor))["result"]
        found += [one["uri"] for one in page["resources"]]
        pages += 1
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}

    assert pages == 2
    assert found[:2] == ["docs:guide", "docs:logo"]
    assert len(found) == len(set(found)) == 62
    assert (await read(peer, found[-1]))["mimeType"] == "application/json"


async def test_templates_say_where_transcripts_are(offer: Any) -> None:
    peer = await offer()

    found = (await peer.ask("resources/templates/list"))["result"]["resourceTemplates"]

    assert [one["uriTemplate"] for one in found] == ["wakeful://threads/{threadId}", "wakeful://runs/{runId}"]


@pytest.mark.parametrize("uri", ["docs:none", "wakeful://threads/none", "wakeful://runs/", "wakeful://other/x", "x"])
async def test_what_is_not_there_is_not_found_in_the_words_of_each_era(offer: Any, uri: str) -> None:
    peer = await offer()
    await peer.initialize()

    modern = await peer.ask("resources/read", {"uri": uri})
    legacy = await peer.request("resources/read", {"uri": uri})

    assert (modern["error"]["code"], legacy["error"]["code"]) == (-32602, -32002)


@pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/list", "resources/templates/list"])
async def test_cursors_nobody_gave_out_are_refused(offer: Any, method: str) -> None:
    peer = await offer()

    assert (await peer.ask(method, {"cursor": "junk"}))["error"]["code"] == -32602


async def test_prompts_are_listed_and_rendered(offer: Any) -> None:
    peer = await offer()

    (listed,) = (await peer.ask("prompts/list"))["result"]["prompts"]
    found = (await peer.ask("prompts/get", {"name": "review", "arguments": {"code": "x = 1"}}))["result"]

    assert listed["description"] == "Review some code."
    assert [(one["name"], one["required"]) for one in listed["arguments"]] == [("code", True), ("tone", False)]
    texts = [(one["role"], one["content"]["text"]) for one in found["messages"]]
    assert texts == [("user", "Review x = 1, be kind."), ("assistant", "I will.")]


@pytest.mark.parametrize(
    "params",
    [
        {"name": "none"},
        {"name": "review"},
        {"name": "review", "arguments": {"code": 1}},
        {"name": "review", "arguments": {"code": "x", "other": "y"}},
    ],
)
async def test_prompts_that_do_not_fit_are_refused(offer: Any, params: Any) -> None:
    peer = await offer()

    assert (await peer.ask("prompts/get", params))["error"]["code"] == -32602
