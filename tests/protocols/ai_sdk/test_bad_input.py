"""Chat requests that make no sense, and large or odd ones that do, each with what it leaves on the thread."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from wakeful.contracts.thread import MAX_STATE_BYTES

CHAT = "/v1/ai-sdk/agents/assistant/runs"
JSON = {"content-type": "application/json"}
Serve = Callable[..., Awaitable[Any]]


def says(text: str, id: str = "new") -> dict[str, Any]:
    return {"id": id, "role": "user", "parts": [{"type": "text", "text": text}]}


def parts(*sent: Any) -> list[Any]:
    return [{"id": "new", "role": "user", "parts": list(sent)}]


def answers(part: dict[str, Any]) -> list[Any]:
    return [{"id": "a", "role": "assistant", "parts": [part]}]


async def kept(server: Any, thread: str = "t", **options: Any) -> Any:
    """Everything a client can learn of a thread."""
    paths = f"/v1/threads/{thread}/messages?limit=200", f"/v1/ai-sdk/threads/{thread}/messages", "/v1/runs?limit=200"
    answers = [await server.client.get(path, **options) for path in paths]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    return [answer.json() for answer in answers]


async def refused(server: Any, body: Any, thread: str = "t", **options: Any) -> Any:
    """The answer to a request that must be refused in JSON and leave the thread as it is."""
    before = await kept(server, thread, **options)
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = JSON | options.get("headers", {})
    answer = await server.client.post(CHAT, content=content, headers=headers)
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["error"]
    assert await kept(server, thread, **options) == before
    return answer


@pytest.fixture
async def talked(server: Any) -> Any:
    """A server whose thread `t` has one finished turn, and thread `other` waits for an approval in run `r`."""
    await server.run("hello", thread="t")
    await server.run("email bob@example.com hi", thread="other", run="r")
    return server


@pytest.mark.parametrize(
    "sent",
    [
        {"messages": parts({"type": "hologram", "data": 1})},
        {"messages": parts({"type": "source-url", "sourceId": "s", "url": "https://example.org"})},
        {"messages": parts({"type": "tool-x", "toolCallId": "c", "state": "output-available", "output": 1})},
        {"messages": parts({"type": "data-x", "data": {}}, {"type": "step-start"}, {"type": "reasoning", "text": "x"})},
        {"messages": parts({"type": "text", "text": 3})},
        {"messages": parts({"type": 3, "text": "x"})},
        {"messages": parts(3)},
        {"messages": parts(None)},
        {"messages": [{"id": "new", "role": "user", "parts": "hello"}]},
        {"messages": [{"id": "new", "role": "user", "content": 5}]},
        {"messages": [{"id": 7, "role": "user", "content": "x"}]},
        {"messages": [{"id": "new", "role": 5, "content": "x"}]},
        {"messages": [{"id": "new", "role": "robot", "content": "x"}]},
        {"messages": [{"id": "new", "content": "x"}]},
        {"messages": {"id": "new"}},
        {"messages": "hello"},
        {"messages": [None]},
        {"messages": [says("hi")], "trigger": 9},
        {"messages": [says("hi")], "messageId": 9},
        {"messages": [says("hi")], "messageId": " "},
        {"messages": [says("hi")], "runId": ["r"]},
    ],
)
async def test_a_request_of_unknown_parts_or_wrong_types_is_refused(talked: Any, sent: dict[str, Any]) -> None:
    await refused(talked, {"id": "t", **sent})


@pytest.mark.parametrize("text", ['"\\ud800"', '"\\udc00 x"', '"\\ud83d\\u0041"'])
async def test_lone_surrogates_are_refused_wherever_they_stand(talked: Any, text: str) -> None:
    for body in (
        '{"id":"t","messages":[{"id":"new","role":"user","content":%s}]}',
        '{"id":"t","messages":[{"id":"new","role":"user","parts":[{"type":"text","text":%s}]}]}',
        '{"id":"t","messages":[{"id":%s,"role":"user","content":"x"}]}',
        '{"id":"t","messages":[{"id":"new","role":"user","content":"x"}],"state":{"a":%s}}',
    ):
        await refused(talked, (body % text).encode())


@pytest.mark.parametrize("body", [b'{"id":"t","messages":[{"id":"n","role":"user","content":"\xff"}]}', b"\x00", b"["])
async def test_bytes_that_are_no_json_are_refused(talked: Any, body: bytes) -> None:
    await refused(talked, body)


@pytest.mark.parametrize("id", ["a\x00b", "a\nb", "\x1f", "a/b", "..", "x" * 201, " "])
@pytest.mark.parametrize("place", ["id", "message", "runId"])
async def test_ids_that_fit_no_path_are_refused(talked: Any, place: str, id: str) -> None:
    if (place, id) == ("message", " "):
        return  # a blank id of a message is no id: the server gives it one
    body = {"id": "t", "messages": [says("hi", id if place == "message" else "new")]}

    await refused(talked, body if place == "message" else body | {place: id})


@pytest.mark.parametrize("state", [[1], "x", 3, 0, True, False, {"a": "x" * MAX_STATE_BYTES}])
async def test_a_state_that_is_no_object_or_too_large_is_refused(talked: Any, state: Any) -> None:
    answer = await refused(talked, {"id": "t", "messages": [says("hi")], "state": state})

    assert isinstance(state, dict) or "expected 'state' to be a JSON object" in answer.json()["error"]


async def test_a_state_that_is_nested_too_deeply_is_refused(talked: Any) -> None:
    nested = '{"a":' * 150 + "1" + "}" * 150

    await refused(
        talked, b'{"id":"t","messages":[{"id":"n","role":"user","content":"x"}],"state":%b}' % nested.encode()
    )


@pytest.mark.parametrize("state", [None, {}, [], ""])
async def test_an_empty_state_is_none_at_all(talked: Any, state: Any) -> None:
    answer = await talked.client.post(CHAT, json={"id": "t", "messages": [says("hi")], "state": state})

    assert answer.status_code == 200
    assert "data-state-snapshot" not in answer.text


@pytest.mark.parametrize(
    "messages",
    [
        [says("one", "same"), says("two", "same")],
        [says("one", "same"), {"id": "a", "role": "assistant", "parts": []}, says("two", "same")],
        [{"id": "same", "role": "assistant", "parts": []}, says("two", "same")],
    ],
)
async def test_a_new_message_under_the_id_of_another_one_of_the_request_is_refused(talked: Any, messages: Any) -> None:
    answer = await refused(talked, {"id": "t", "messages": messages})

    assert "'same' twice" in answer.json()["error"]


async def test_old_messages_may_have_one_id_twice(talked: Any) -> None:
    twice = [{"id": "a", "role": "assistant", "parts": []}] * 2

    answer = await talked.client.post(CHAT, json={"id": "t", "messages": [*twice, says("hi")]})

    assert answer.status_code == 200


@pytest.mark.parametrize("known", [True, False])
async def test_an_answer_of_another_thread_cannot_be_given_again(talked: Any, known: bool) -> None:
    history = (await talked.client.get("/v1/ai-sdk/threads/other/messages")).json()["messages"]
    before = await kept(talked, "other")

    answer = await refused(
        talked,
        {
            "id": "t",
            "messages": [says("hi")],
            "trigger": "regenerate-message",
            "messageId": history[-1]["id"] if known else "nobody",
        },
    )

    assert answer.status_code == 400
    assert await kept(talked, "other") == before


async def test_a_question_of_another_thread_cannot_be_answered_here(talked: Any) -> None:
    history = (await talked.client.get("/v1/ai-sdk/threads/other/messages")).json()["messages"]
    (part,) = [part for part in history[-1]["parts"] if part.get("approval")]
    yes = part | {"state": "approval-responded", "approval": part["approval"] | {"approved": True}}
    before = await kept(talked, "other")

    answer = await refused(talked, {"id": "t", "messages": answers(yes)})

    assert answer.status_code == 409
    assert await kept(talked, "other") == before


async def test_a_question_of_another_scope_cannot_be_answered_there_nor_its_thread_be_seen(serve: Serve) -> None:
    server = await serve(api_tokens={"a": "token-a", "b": "token-b"})
    one, two = ({"authorization": f"Bearer token-{scope}"} for scope in "ab")
    asked = await server.client.post(
        CHAT, json={"id": "t", "messages": [says("email bob@example.com hi")]}, headers=one
    )
    history = (await server.client.get("/v1/ai-sdk/threads/t/messages", headers=one)).json()["messages"]
    (part,) = [part for part in history[-1]["parts"] if part.get("approval")]
    yes = part | {"state": "approval-responded", "approval": part["approval"] | {"approved": True}}
    before = await kept(server, headers=one)

    there = await server.client.post(CHAT, json={"id": "t", "messages": answers(yes)}, headers=two)
    seen = await server.client.get("/v1/ai-sdk/threads/t/messages", headers=two)

    assert asked.status_code == 200
    assert (there.status_code, seen.status_code) == (409, 404)
    assert await kept(server, headers=one) == before


async def test_an_approval_of_a_call_that_has_its_result_is_refused(talked: Any) -> None:
    history = (await talked.client.get("/v1/ai-sdk/threads/other/messages")).json()["messages"]
    (part,) = [part for part in history[-1]["parts"] if part.get("approval")]
    no = part | {"state": "approval-responded", "approval": part["approval"] | {"approved": False}}
    yes = part | {"state": "approval-responded", "approval": part["approval"] | {"approved": True}}
    await talked.client.post(CHAT, json={"id": "other", "messages": answers(no)})

    answer = await refused(talked, {"id": "other", "messages": answers(yes)}, "other")

    assert answer.status_code == 409


async def test_of_ten_thousand_messages_of_history_only_the_new_one_is_stored(talked: Any) -> None:
    history = [
        {"id": f"h{n}", "role": ("user", "assistant")[n % 2], "parts": [{"type": "text", "text": f"line {n}"}]}
        for n in range(10_000)
    ]
    before = await talked.held()

    answer = await talked.client.post(CHAT, json={"id": "t", "messages": [*history, says("hi")]})

    threads, runs, messages = await talked.held()
    assert answer.text.endswith("data: [DONE]\n\n")
    assert (threads, runs, messages) == (before[0], before[1] + 1, before[2] + 2)


@pytest.mark.proves("S04")
async def test_fifty_kilobytes_of_any_text_arrive_unchanged(talked: Any) -> None:
    text = ('日本👩‍🚀\u2028\x00\x01\x1b[31m\r\n\t\x7f"\\</script>' * 2500)[:50_000]

    await talked.client.post(CHAT, json={"id": "t", "messages": [says(text)]})

    history = (await talked.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"]
    assert len(text) == 50_000
    assert [part["text"] for message in history if message["id"] == "new" for part in message["parts"]] == [text]


async def test_parts_no_model_reads_are_left_out_and_the_rest_is_taken(talked: Any) -> None:
    sent = parts({"type": "hologram", "x": 1}, {"type": "text", "text": "hi"}, {"type": "data-mine", "data": 3})

    await talked.client.post(CHAT, json={"id": "t", "messages": sent, "unknown": {"key": 1}})

    history = (await talked.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"]
    (message,) = [message for message in history if message["id"] == "new"]
    assert message["parts"] == [{"type": "text", "text": "hi"}]


@pytest.mark.proves("S26")
async def test_a_link_to_a_host_that_is_not_allowed_is_refused_and_says_which_are(serve: Serve) -> None:
    server = await serve(file_hosts=("files.example.com",))
    link = {"type": "file", "mediaType": "image/png", "url": "https://elsewhere.example.org/a.png"}

    answer = await server.client.post(CHAT, json={"id": "t", "messages": parts(link)})

    assert answer.status_code == 400
    assert "https URL of files.example.com" in answer.json()["error"]
    assert await server.held() == (0, 0, 0)
