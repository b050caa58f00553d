"""Answers of AG-UI clients where front-end calls are open, beside approvals or alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tests.protocols.ag_ui.asking import (
    PAINT,
    RUNS,
    USER,
    Chat,
    agent,
    entry,
    events,
    refused,
    result,
    without_messages,
)

from wakeful.providers.scripted import ScriptedProvider, call


@pytest.fixture
async def both(serve: Callable[..., Any]) -> tuple[Chat, str, str]:
    """A thread whose run waits for an approval and for a front-end call: (chat, interrupt, call)."""
    replies = [[call("launch"), call("paint", call_id="painting")], "Done."]
    chat = Chat(await serve(agents=[agent()], providers=[ScriptedProvider(replies)]))
    (question,) = await chat.ask(messages=[USER], tools=[PAINT])
    return chat, question, "painting"


async def test_an_approval_and_a_front_end_call_are_answered_in_one_request(both: tuple[Chat, str, str]) -> None:
    chat, question, painting = both

    found = await chat.answer(entry(question), messages=[USER, result(painting)])

    assert [event["toolCallId"] for event in found if event["type"] == "TOOL_CALL_RESULT"].count(painting) == 1
    assert found[-1]["outcome"] == {"type": "success"}


@pytest.mark.parametrize("version", [None, "1.0"])
async def test_an_approval_alone_leaves_the_front_end_call_to_the_client(
    both: tuple[Chat, str, str], version: str | None
) -> None:
    chat, question, painting = both

    approved = await chat.answer(entry(question), version=version)
    again = await chat.answer(entry(question), version=version, runId="t-2")
    returned = events((await chat.server.client.get("/v1/ag-ui/threads/t/stream?protocolVersion=1.0")).text)
    painted = events((await chat.post(version, messages=[USER, result(painting)])).text)

    assert [event["type"] for event in approved] == ["RUN_STARTED", "RUN_FINISHED"]
    expected = {"type": "success", "pendingToolCallIds": [painting]}
    assert approved[-1].get("outcome") == (expected if version else None)
    assert again == approved
    assert returned[-1]["outcome"] == expected
    assert painted[-1]["type"] == "RUN_FINISHED"
    assert [event["type"] for event in painted].count("TOOL_CALL_RESULT") == 2


async def test_a_front_end_result_alone_is_refused_while_an_approval_is_open(both: tuple[Chat, str, str]) -> None:
    chat, question, painting = both
    before = await chat.stored()

    found = events((await chat.post(messages=[USER, result(painting)])).text)

    assert refused(found, "INTERRUPTS_OPEN")
    assert question in found[0]["message"]
    assert await chat.stored() == before


async def test_a_tool_message_is_no_answer_to_an_approval(chat: Chat) -> None:
    (question,) = await chat.ask("email a@example.com hi")
    call_id = (await chat.server.client.get("/v1/threads/t/runs/active")).json()["interrupts"][0]["call_id"]
    before = await chat.stored()

    found = events((await chat.post(messages=[result(call_id, '{"approved":true}')])).text)

    assert refused(found, "INTERRUPTS_OPEN")
    assert question in found[0]["message"]
    assert await chat.stored() == before


@pytest.mark.proves("G11")
async def test_the_result_of_a_front_end_call_again_is_the_same_continuation(both: tuple[Chat, str, str]) -> None:
    chat, question, painting = both
    body = {"messages": [USER, result(painting)]}
    once = await chat.answer(entry(question), **body)
    before = await chat.stored()

    again = await chat.answer(entry(question), runId="t-2", **body)
    alone = events((await chat.post(runId="t-2", **body)).text)
    other = events((await chat.post(messages=[USER, result(painting, "blue")])).text)

    assert without_messages(again) == without_messages(alone) == once
    assert refused(other, "INTERRUPT_MISMATCH")
    assert await chat.stored() == before


async def test_what_the_page_did_is_kept_when_new_text_follows_it(serve: Callable[..., Any]) -> None:
    replies = [[call("paint", {}, call_id="painting"), call("paint", {}, call_id="other")], "Hello."]
    chat = Chat(await serve(agents=[agent()], providers=[ScriptedProvider(replies)]))
    await chat.ask(messages=[USER], tools=[PAINT])
    asked = {"id": "a", "role": "assistant", "toolCalls": []}
    hello = {"id": "h", "role": "user", "content": "hello"}

    response = await chat.post(messages=[USER, asked, result("painting", "it is dark"), hello], tools=[PAINT])

    messages, runs = await chat.stored()
    outputs = {part["call_id"]: part["output"] for one in messages for part in one["parts"] if "output" in part}
    assert events(response.text)[-1]["outcome"] == {"type": "success"}
    assert outputs == {"painting": "it is dark", "other": "The run was ended before this call was answered."}
    assert sorted(runs) == ["cancelled", "completed"]


async def test_a_thread_is_stopped_over_the_protocol(chat: Chat) -> None:
    body = {"threadId": "t", "runId": "r", "messages": [{**USER, "content": "count to 500 every 20 ms"}]}
    lines: list[str] = []
    async with chat.server.client.stream("POST", RUNS, json={**body, "protocolVersion": "1.0"}) as stream:
        async for line in stream.aiter_lines():
            lines.append(line)
            if "TEXT_MESSAGE_CONTENT" in line:
                stopped = await chat.server.client.post("/v1/ag-ui/threads/t/stop")
                assert (stopped.status_code, stopped.json()["status"]) == (202, "cancel_requested")

    assert events("\n".join(lines))[-1]["outcome"] == {"type": "cancelled"}
