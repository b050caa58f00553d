"""MCP 2026-07-28 over HTTP: every request stands for itself."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from tests.protocols.mcp.peer import FORMS, META, MODERN, PATH, Peer

from wakeful.providers.scripted import call, say


async def status(peer: Peer, run: str) -> str:
    return (await peer.client.get(f"/v1/runs/{run}")).json()["status"]


async def only_run(peer: Peer) -> dict[str, Any]:
    (run,) = (await peer.client.get("/v1/runs")).json()["items"]
    return run


@pytest.mark.proves("P01")
async def test_discovery_says_what_the_server_is_and_can(offer: Any) -> None:
    peer = await offer()

    found = (await peer.ask("server/discover"))["result"]

    assert found["supportedVersions"] == [MODERN]
    assert {"tools", "resources", "prompts", "extensions"} == found["capabilities"].keys()
    assert found["instructions"] == "Ask the assistant."


@pytest.mark.proves("P01")
async def test_exposed_agents_and_tools_are_listed_in_one_order_and_never_a_prompt(offer: Any) -> None:
    peer = await offer()

    first, again = [(await peer.ask("tools/list"))["result"]["tools"] for _ in range(2)]

    assert [one["name"] for one in first] == ["assistant", "add", "erase"]
    assert first == again
    assert first[0]["description"] == "Helps with everything."
    assert first[0]["inputSchema"]["required"] == ["message"]
    assert first[1]["annotations"]["readOnlyHint"]
    assert not first[2]["annotations"]["readOnlyHint"]
    assert "secret" not in json.dumps(first)


@pytest.mark.proves("P01")
async def test_a_call_gives_the_last_message_and_where_it_was_said(offer: Any) -> None:
    peer = await offer([[say("let me see "), call("nothing")], "Sunny."])

    found = await peer.call()

    assert found["content"] == [{"type": "text", "text": "Sunny."}]
    assert not found["isError"]
    run = await only_run(peer)
    structured = found["structuredContent"]
    assert (structured["text"], structured["runId"], structured["threadId"]) == (
        "Sunny.",
        run["run_id"],
        run["thread_id"],
    )
    assert structured["usage"]["outputTokens"] > 0
    assert run["origin"] == "mcp"


async def test_calls_have_threads_of_their_own_unless_they_name_one(offer: Any) -> None:
    peer = await offer(["one", "two", "three"])

    first, second = await peer.call(), await peer.call()
    thread = first["structuredContent"]["threadId"]
    third = await peer.call(meta={"wakeful/threadId": thread})

    assert second["structuredContent"]["threadId"] != thread
    assert third["structuredContent"]["threadId"] == thread


@pytest.mark.proves("P01")
@pytest.mark.parametrize(
    ("name", "arguments"),
    [("nobody", {"message": "hi"}), ("assistant", {}), ("assistant", {"message": " "}), ("assistant", {"message": 3})],
)
async def test_a_call_that_does_not_fit_is_a_failed_call_the_model_can_read(
    offer: Any, name: str, arguments: Any
) -> None:
    peer = await offer()

    found = await peer.call(name, arguments=arguments)

    assert found["isError"]
    assert "message" in found["content"][0]["text"] or "nobody" in found["content"][0]["text"]
    assert (await peer.client.get("/v1/runs")).json()["items"] == []


async def test_a_failed_run_is_a_failed_call(offer: Any) -> None:
    peer = await offer([])

    found = await peer.call()

    assert found["isError"]
    assert found["content"][0]["text"].startswith("The agent failed")


async def test_progress_grows_where_a_token_was_given(offer: Any) -> None:
    peer = await offer([call("nothing"), "done"])

    await peer.call(meta={"progressToken": "p"})

    shown = [one["params"] for one in peer.said]
    numbers = [one["progress"] for one in shown]
    assert {one["progressToken"] for one in shown} == {"p"}
    assert len(numbers) > 1
    assert numbers == sorted(set(numbers))


async def test_without_a_token_or_a_level_nothing_comes_before_the_answer(offer: Any) -> None:
    peer = await offer([call("nothing"), "done"])

    await peer.call()

    assert peer.said == []


async def test_log_messages_come_to_who_asks_for_them(offer: Any) -> None:
    peer = await offer(["done"])

    await peer.call(meta={f"{META}logLevel": "notice"})

    assert [one["params"]["level"] for one in peer.said] == ["notice"]


# -- tools of the author


async def test_a_tool_is_called_with_its_arguments_and_gives_its_value(offer: Any) -> None:
    peer = await offer()

    found = await peer.call("add", arguments={"a": 2, "b": 3}, meta={"progressToken": 7})

    assert found["structuredContent"] == {"sum": 5}
    assert json.loads(found["content"][0]["text"]) == {"sum": 5}
    assert [one["params"] for one in peer.said] == [
        {"progressToken": 7, "progress": 1, "total": 2, "message": "adding"}
    ]
    run = await only_run(peer)
    assert (run["agent_id"], run["status"]) == ("tool:add", "completed")


async def test_arguments_a_tool_does_not_take_are_a_failed_call(offer: Any) -> None:
    peer = await offer()

    found = await peer.call("add", arguments={"a": "two"})

    assert found["isError"]
    assert "b" in found["content"][0]["text"]


async def test_a_tool_that_needs_approval_asks_before_it_runs(offer: Any) -> None:
    peer = await offer()

    asked = await peer.call("erase", arguments={"name": "all"}, can=FORMS)
    (key,) = asked["inputRequests"]
    found = await peer.call(
        "erase",
        arguments={"name": "all"},
        can=FORMS,
        requestState=asked["requestState"],
        inputResponses={key: {"action": "accept", "content": {"approved": True}}},
    )

    assert asked["resultType"] == "input_required"
    assert found["content"] == [{"type": "text", "text": "erased all"}]


# -- questions


@pytest.mark.parametrize(
    ("answer", "ran"),
    [
        ({"action": "accept", "content": {"approved": True}}, True),
        ({"action": "accept", "content": {"approved": False}}, False),
        ({"action": "accept", "content": {"approved": "yes"}}, False),
        ({"action": "accept"}, False),
        ({"action": "decline"}, False),
        ({"action": "cancel"}, False),
    ],
)
async def test_only_an_explicit_yes_approves(offer: Any, answer: Any, ran: bool) -> None:
    peer = await offer([call("launch", {"name": "x"}), "done"])

    asked = await peer.call(can=FORMS)
    (key,) = asked["inputRequests"]
    form = asked["inputRequests"][key]["params"]
    found = await peer.call(can=FORMS, requestState=asked["requestState"], inputResponses={key: answer})

    assert form["requestedSchema"]["properties"]["approved"]["type"] == "boolean"
    assert "launch" in form["message"]
    assert found["content"][0]["text"] == "done"
    run = found["structuredContent"]["runId"]
    log = (await peer.client.get(f"/v1/runs/{run}/events?limit=200")).json()["items"]
    results = [one["status"] for one in log if one["type"] == "tool_call_finished"]
    assert results == (["succeeded"] if ran else ["denied"])


async def test_questions_left_open_are_asked_again_and_a_retry_finds_the_same_end(offer: Any) -> None:
    two = [call("launch", {"name": "x"}), call("launch", {"name": "y"})]
    peer = await offer([two, "done"])
    yes = {"action": "accept", "content": {"approved": True}}

    asked = await peer.call(can=FORMS)
    first, second = asked["inputRequests"]
    left = await peer.call(can=FORMS, requestState=asked["requestState"], inputResponses={first: yes})
    end = await peer.call(can=FORMS, requestState=left["requestState"], inputResponses={second: yes})
    again = await peer.call(can=FORMS, requestState=left["requestState"], inputResponses={second: yes})

    assert left["resultType"] == "input_required"
    assert [*left["inputRequests"]] == [second]
    assert end["structuredContent"] == again["structuredContent"]
    assert len((await peer.client.get("/v1/runs")).json()["items"]) == 1


def flip(state: str, at: int) -> str:
    return state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :]


@pytest.mark.parametrize("change", ["body", "signature", "cut", "empty", "other"])
async def test_a_state_that_was_tampered_with_is_refused_and_changes_nothing(offer: Any, change: str) -> None:
    peer = await offer([call("launch"), "done"])
    asked = await peer.call(can=FORMS)
    state = asked["requestState"]
    forged = {
        "body": flip(state, 4),
        "signature": flip(state, len(state) - 4),
        "cut": state[:-1],
        "empty": "",
        "other": base64.urlsafe_b64encode(b'["run","call"]').decode() + ".AAAA",
    }[change]
    (key,) = asked["inputRequests"]
    yes = {key: {"action": "accept", "content": {"approved": True}}}

    found = await peer.ask(
        "tools/call",
        {"name": "assistant", "arguments": {"message": "go"}, "requestState": forged, "inputResponses": yes},
        can=FORMS,
    )

    assert found["error"]["code"] == -32602
    assert (await only_run(peer))["status"] == "waiting"


async def test_a_state_is_good_for_its_own_call_only(offer: Any) -> None:
    peer = await offer([call("launch"), "done"])
    asked = await peer.call(can=FORMS)

    params = {"name": "assistant", "arguments": {"message": "else"}, "requestState": asked["requestState"]}
    found = await peer.ask("tools/call", params, can=FORMS)

    assert found["error"]["code"] == -32602
    assert (await only_run(peer))["status"] == "waiting"


async def test_a_client_without_forms_is_told_which_capability_is_missing(offer: Any) -> None:
    peer = await offer([call("launch"), "done"])

    found = await peer.ask("tools/call", {"name": "assistant", "arguments": {"message": "go"}})

    assert found["error"]["code"] == -32021
    assert found["error"]["data"]["requiredCapabilities"] == {"elicitation": {}}


# -- the end of a stream


async def test_closing_the_stream_cancels_the_run(offer: Any) -> None:
    peer = await offer([[say("one "), asyncio.Event()]])
    body = peer.asking("tools/call", {"name": "assistant", "arguments": {"message": "go"}}, progressToken=1)

    async with asyncio.timeout(10), peer.streaming(body, MODERN) as frames:
        async for _ in frames:
            break
    run = (await only_run(peer))["run_id"]
    async with asyncio.timeout(10):
        await peer.client.get(f"/v1/runs/{run}/events/stream")

    assert await status(peer, run) == "cancelled"


# -- refusals


async def refusal(peer: Peer, body: Any, **headers: str | None) -> tuple[int, int]:
    response = await peer.post(body, **headers)
    found = response.json()
    assert found["jsonrpc"] == "2.0"
    assert found["error"]["message"]
    return response.status_code, found["error"]["code"]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"mcp_protocol_version": None}, (400, -32020)),
        ({"mcp_protocol_version": "2025-11-25"}, (400, -32020)),
        ({"mcp_method": None}, (400, -32020)),
        ({"mcp_method": "tools/list"}, (400, -32020)),
        ({"mcp_name": None}, (400, -32020)),
        ({"mcp_name": "other"}, (400, -32020)),
        ({"mcp_name": "=?base64?!?="}, (400, -32020)),
        ({"origin": "https://evil.example"}, (403, -32600)),
        ({"accept": "application/json"}, (406, -32600)),
    ],
)
async def test_headers_that_do_not_say_what_the_body_says_are_refused(
    offer: Any, headers: Any, expected: tuple[int, int]
) -> None:
    peer = await offer(["never"])
    body = peer.asking("tools/call", {"name": "assistant", "arguments": {"message": "go"}})

    assert await refusal(peer, body, **headers) == expected
    assert (await peer.client.get("/v1/runs")).json()["items"] == []


async def test_names_in_base64_are_read_before_they_are_compared(offer: Any) -> None:
    peer = await offer(["hello"])
    body = peer.asking("tools/call", {"name": "assistant", "arguments": {"message": "go"}})
    name = base64.b64encode(b"assistant").decode()

    response = await peer.post(body, mcp_name=f"=?base64?{name}?=")

    assert not peer.read(body, response)["result"]["isError"]


async def test_two_headers_of_one_name_are_refused(offer: Any) -> None:
    peer = await offer()
    body = peer.asking("tools/list")
    headers = [*peer.headers(body).items(), ("Mcp-Method", "tools/list")]

    response = await peer.client.post(PATH, json=body, headers=headers)

    assert (response.status_code, response.json()["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize("missing", ["protocolVersion", "clientCapabilities"])
async def test_an_envelope_with_a_hole_is_refused(offer: Any, missing: str) -> None:
    peer = await offer()
    body = peer.asking("tools/list")
    del body["params"]["_meta"][f"{META}{missing}"]

    assert await refusal(peer, body) == (400, -32602)


async def test_unknown_versions_are_told_which_ones_there_are(offer: Any) -> None:
    peer = await offer()
    body = peer.asking("tools/list")
    body["params"]["_meta"][f"{META}protocolVersion"] = "1999-01-01"

    response = await peer.post(body, mcp_protocol_version="1999-01-01")

    assert response.status_code == 400
    error = response.json()["error"]
    assert error["code"] == -32022
    assert error["data"] == {"supported": [MODERN, "2025-11-25", "2025-06-18", "2025-03-26"], "requested": "1999-01-01"}


@pytest.mark.proves("P01")
@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "tasks/list", "x"])
async def test_methods_this_version_does_not_have_are_not_found(offer: Any, method: str) -> None:
    peer = await offer()

    assert await refusal(peer, peer.asking(method)) == (404, -32601)


async def test_pages_of_this_machine_and_those_listed_may_call(offer: Any) -> None:
    peer = await offer(config={"cors_origins": ("https://good.example",)})

    for origin in ("http://localhost:6274", "http://127.0.0.1", "https://good.example"):
        assert (await peer.post(peer.asking("tools/list"), origin=origin)).status_code == 200
    assert (await peer.post(peer.asking("tools/list"), origin="null")).status_code == 403


@pytest.mark.proves("P01")
async def test_a_name_rebound_to_this_machine_is_no_page_of_ours(offer: Any) -> None:
    peer = await offer()

    found = await refusal(peer, peer.asking("tools/list"), origin="http://evil.example", host="evil.example")

    assert found == (403, -32600)


async def test_scopes_do_not_see_one_another(offer: Any) -> None:
    peer = await offer(["hi"], config={"api_tokens": {"a": "ta", "b": "tb"}})
    body = peer.asking("tools/call", {"name": "assistant", "arguments": {"message": "go"}})
    ours = peer.read(body, await peer.post(body, authorization="Bearer ta"))
    thread = ours["result"]["structuredContent"]["threadId"]
    read = peer.asking("resources/read", {"uri": f"wakeful://threads/{thread}"})

    assert (await peer.post(read, authorization="Bearer ta")).status_code == 200
    assert (await peer.post(read, authorization="Bearer tb")).status_code == 400
    assert (await peer.post(read)).status_code == 401
