"""Messages and what becomes of them, over both bindings, every answer judged by the SDK's types."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tests.protocols.a2a.talking import NEW, ROOT, Gate, Talk, approver, message, payloads, state, states, text

from wakeful.providers.scripted import ScriptedProvider, call

Serve = Callable[..., Awaitable[Any]]
PATIENCE = 10


@pytest.mark.proves("A03")
async def test_a_message_is_answered_by_its_task_once_it_is_done(talk: Talk) -> None:
    task = await talk.send("hello")

    assert state(task) == "COMPLETED"
    assert [text(artifact) for artifact in task.artifacts] == ["You said: hello"]
    assert [one.parts[0].text for one in task.history] == ["hello"]
    assert (await talk.get(task.id)) == task
    assert [one.id for one in (await talk.list()).tasks] == [task.id]
    assert [one.id for one in (await Talk(talk.client, rpc=talk.rpc, root=f"{ROOT}/worker").list()).tasks] == [task.id]


async def test_a_path_may_end_with_a_slash(talk: Talk) -> None:
    body = {"message": message("hello")}

    plain = await talk.client.post(f"{ROOT}/message:send/", json=body, headers=NEW)
    named = await talk.client.post(f"{ROOT}/second/", json=_rpc("SendMessage", body), headers=NEW)

    assert plain.json()["task"]["status"]["state"] == "TASK_STATE_COMPLETED"
    assert named.json()["error"]["data"][0]["reason"] == "INVALID_PARAMS", "the message's id was used already"


def _rpc(method: str, params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}


@pytest.mark.proves("A08")
async def test_a_stream_shows_the_task_its_text_as_it_comes_and_the_artifact_before_the_end(talk: Talk) -> None:
    stream = await talk.stream("report")

    assert stream[0].HasField("task")
    assert states(stream) == ["SUBMITTED", "WORKING", "WORKING", "COMPLETED"]
    assert stream[2].status_update.status.message.parts[0].text == "Looking it up."
    assert stream[-1].HasField("status_update"), "the terminal status comes last"
    updates = [item.artifact_update for item in stream if item.HasField("artifact_update")]
    reply = updates[0].artifact.artifact_id
    assert [(update.artifact.artifact_id == reply, update.append, update.last_chunk) for update in updates] == [
        (True, False, False),
        (True, True, False),
        (True, True, False),
        (True, True, False),
        (False, False, False),
        (False, True, True),
        (True, True, True),
    ]
    assert updates[2].artifact.parts[0].metadata["name"] == "table"
    assert updates[3].artifact.parts[0].raw == b"x"
    stored = await talk.get(stream[0].task.id)
    answer, doc = stored.artifacts
    assert [part.WhichOneof("content") for part in answer.parts] == ["text", "data", "raw"]
    assert answer.parts[0].text == "Here it is."
    assert (doc.artifact_id, doc.name, text(doc)) == ("doc", "Report", "Chapter one. Chapter two.")


@pytest.mark.proves("A04")
async def test_whoever_does_not_want_to_wait_is_answered_at_once(talk: Talk, gate: Gate) -> None:
    task = await talk.send("slow", configuration={"returnImmediately": True})
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()
    running = await talk.get(task.id)
    gate.open.set()

    assert state(task) in {"SUBMITTED", "WORKING"}
    assert (state(running), running.artifacts[0].parts[0].text) == ("WORKING", "One, ")


@pytest.mark.proves("A11")
async def test_a_task_that_was_just_submitted_can_be_cancelled(talk: Talk, gate: Gate) -> None:
    running = await talk.send("slow", contextId="c", configuration={"returnImmediately": True})
    queued = await talk.send("hello", contextId="c", configuration={"returnImmediately": True})

    assert state(queued) == "SUBMITTED"
    assert [one.parts[0].text for one in queued.history] == ["hello"]
    assert state(await talk.cancel(queued.id)) == "CANCELED"
    assert state(await talk.cancel(running.id)) == "CANCELED"


@pytest.mark.proves("A08")
async def test_every_subscriber_gets_the_task_and_then_the_same_changes(working: Any, talk: Talk, gate: Gate) -> None:
    task = await talk.send("slow", configuration={"returnImmediately": True})
    async with asyncio.timeout(PATIENCE):
        await gate.reached.wait()
    if talk.rpc:
        how = ("POST", ROOT, {"json": _rpc("SubscribeToTask", {"id": task.id})})
        ways = [how, how]
    else:
        ways = [(method, f"{ROOT}/tasks/{task.id}:subscribe", {}) for method in ("GET", "POST")]

    begun = [asyncio.Event() for _ in ways]
    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        readers = [group.create_task(_read(working, *way, first)) for way, first in zip(ways, begun, strict=True)]
        for first in begun:
            await first.wait()
        gate.open.set()
    one, other = ([talk.read(f"data: {data}")[0] for data in reader.result()] for reader in readers)

    for stream in (one, other):
        assert stream[0].HasField("task")
        assert state(stream[0].task) == "WORKING"
        assert states(stream)[-1] == "COMPLETED"
    assert one[-3:] == other[-3:], "the text, the end of the artifact, the end of the task"


async def _read(working: Any, method: str, path: str, more: Any, first: asyncio.Event) -> list[str]:
    found: list[str] = []
    async with working.stream(method, path, headers=NEW, **more) as frames:
        async for frame in frames:
            if frame.data:
                found.append(frame.data)
                first.set()
    return found


@pytest.mark.proves("A08")
async def test_a_stream_that_was_cut_goes_on_after_what_was_seen(working: Any, gate: Gate) -> None:
    client = working.client
    body = {"message": message("slow")}
    async with asyncio.timeout(PATIENCE):
        async with working.stream("POST", f"{ROOT}/message:stream", json=body, headers=NEW) as frames:
            async for frame in frames:
                if frame.data and "One, " in frame.data:
                    cut = frame
                    break
        task_id = cut.json["artifactUpdate"]["taskId"]
        headers = {**NEW, "last-event-id": str(cut.id)}
        async with working.stream("GET", f"{ROOT}/tasks/{task_id}:subscribe", headers=headers) as frames:
            gate.open.set()
            rest = [frame.json async for frame in frames if frame.data]

    assert [next(iter(one)) for one in rest] == ["artifactUpdate", "artifactUpdate", "statusUpdate"]
    assert rest[0]["artifactUpdate"]["artifact"]["parts"] == [{"text": "two."}]
    assert (await client.get(f"{ROOT}/tasks/{task_id}", headers=NEW)).json()["status"] == rest[-1]["statusUpdate"][
        "status"
    ]


@pytest.mark.proves("A07")
async def test_a_question_is_answered_by_a_text_to_its_task(talk: Talk) -> None:
    asking = await talk.stream("ask")
    waiting = await talk.get(asking[0].task.id)

    answered = await talk.send("Paris", taskId=waiting.id)

    assert states(asking)[-1] == state(waiting) == "INPUT_REQUIRED"
    assert waiting.status.message.parts[0].text == "Which city?"
    assert (answered.id, state(answered)) == (waiting.id, "COMPLETED")
    assert text(answered.artifacts[-1]) == "The weather in Paris is fine."
    assert [one.parts[0].text for one in answered.history] == ["ask", "Which city?", "Paris"]


@pytest.mark.proves("A07")
async def test_the_stream_of_an_answer_begins_with_the_task_at_work(talk: Talk) -> None:
    waiting = await talk.send("ask")

    stream = await talk.stream("Rome", taskId=waiting.id)

    assert states(stream) == ["WORKING", "COMPLETED"]


async def test_an_answer_that_comes_twice_is_one_answer(talk: Talk) -> None:
    waiting = await talk.send("ask")
    answer = {"taskId": waiting.id, "messageId": f"answer-{waiting.id}"}

    first = await talk.send("Oslo", **answer)
    again = await talk.send("Oslo", **answer)

    assert first == again
    assert (await talk.list()).total_size == 1


async def test_a_message_that_comes_twice_is_one_task(talk: Talk) -> None:
    first = await talk.send("hello", messageId=f"twice-{talk.rpc}")
    again = await talk.send("hello", messageId=f"twice-{talk.rpc}")

    assert first.id == again.id


async def test_text_may_be_the_json_a_question_wants(talk: Talk) -> None:
    waiting = await talk.send("number")

    wrong = await talk.call("POST", "/message:send", "SendMessage", {"message": message("many", taskId=waiting.id)})
    right = await talk.send("21", taskId=waiting.id)

    assert talk.fault_in(wrong)[1] == "INVALID_PARAMS"
    assert right.artifacts[-1].parts[0].data.struct_value["twice"] == 42


async def test_several_questions_are_answered_by_their_ids(talk: Talk) -> None:
    waiting = await talk.send("both")
    ids = [one["interruptId"] for one in waiting.status.message.metadata["questions"]]

    unclear = await talk.call("POST", "/message:send", "SendMessage", {"message": message("Rome", taskId=waiting.id)})
    one = await talk.send({"data": {"interruptId": ids[1], "output": "Oslo"}}, taskId=waiting.id)
    both = await talk.send({"data": {"interruptId": ids[0], "output": "Rome"}}, taskId=waiting.id)

    assert talk.fault_in(unclear)[1] == "INVALID_PARAMS"
    assert state(one) == "INPUT_REQUIRED"
    assert [part.text for part in one.status.message.parts] == ["From where?"]
    assert text(both.artifacts[-1]) == "From Rome to Oslo."


async def test_a_request_for_a_right_says_where_to_give_it(talk: Talk) -> None:
    waiting = await talk.send("login")

    done = await talk.send("done", taskId=waiting.id)

    assert state(waiting) == "AUTH_REQUIRED"
    assert waiting.status.message.metadata["questions"][0]["url"] == "https://login.example.com/"
    assert text(done.artifacts[-1]) == "You are in."


@pytest.mark.parametrize("answer", [{"data": {"approved": True}}, '{"approved": true}'])
async def test_only_an_explicit_true_approves(serve: Serve, answer: Any) -> None:
    provider = ScriptedProvider([call("launch", {"name": "a"}), "Up it went."])
    server = await serve(agents=[approver()], providers=[provider])
    talk = Talk(server.client, rpc=True)

    waiting = await talk.send("go")
    done = await talk.send(answer, taskId=waiting.id)

    assert state(waiting) == "AUTH_REQUIRED"
    assert '{"approved": true}' in waiting.status.message.parts[0].text
    facts = waiting.status.message.metadata["questions"][0]
    assert (facts["kind"], facts["tool"], facts["arguments"]["name"]) == ("approval", "launch", "a")
    assert state(done) == "COMPLETED"
    assert "launched a" in str(provider.requests[-1].messages)


@pytest.mark.parametrize("answer", ["yes", {"data": {"approved": "true"}}, {"data": {"approved": False}}])
async def test_anything_else_is_no_approval(serve: Serve, answer: Any) -> None:
    provider = ScriptedProvider([call("launch", {"name": "a"}), "Then not."])
    server = await serve(agents=[approver()], providers=[provider])
    talk = Talk(server.client, rpc=True)

    waiting = await talk.send("go")
    done = await talk.send(answer, taskId=waiting.id)

    assert (done.id, state(done)) == (waiting.id, "COMPLETED")
    assert "launched" not in str(provider.requests[-1].messages)


async def test_a_message_to_a_task_at_work_reaches_it(serve: Serve) -> None:
    begun, gate = asyncio.Event(), asyncio.Event()

    def first(_: Any) -> Any:
        begun.set()
        return [gate, call("look", {"name": "a"})]

    provider = ScriptedProvider([first, "Seen."])
    server = await serve(agents=[approver()], providers=[provider])
    talk = Talk(server.client, rpc=True)
    task = await talk.send("go", configuration={"returnImmediately": True})
    async with asyncio.timeout(PATIENCE):
        await begun.wait()

    handed = await talk.send("and hurry", taskId=task.id, configuration={"returnImmediately": True})
    gate.set()
    done = await talk.send("and hurry", taskId=task.id, messageId=handed.history[0].message_id + "x")

    assert handed.id == done.id == task.id
    assert "and hurry" in str(provider.requests[-1].messages)


@pytest.mark.proves("A05")
async def test_tasks_of_a_context_have_their_own_history_and_the_last_agent_goes_on(working: Any, talk: Talk) -> None:
    second = Talk(working.client, rpc=talk.rpc, root=f"{ROOT}/second")
    first = await talk.send("one", contextId="shared")
    switched = await second.send("two", contextId="shared")
    inferred = await talk.send("three", contextId="shared")

    assert len({first.id, switched.id, inferred.id}) == 3
    assert text(inferred.artifacts[0]) == "second heard three"
    assert [one.parts[0].text for one in inferred.history] == ["three"]
    listed = await talk.list(contextId="shared")
    assert [one.id for one in listed.tasks] == [inferred.id, switched.id, first.id]
    assert await second.fault("GET", "/tasks/{id}", "GetTask", {"id": first.id}) == (
        -32001 if talk.rpc else 404,
        "TASK_NOT_FOUND",
    )


async def test_a_new_message_takes_the_place_of_a_task_that_waits(talk: Talk) -> None:
    waiting = await talk.send("ask", contextId="c")

    new = await talk.send("hello", contextId="c")
    old = await talk.get(waiting.id)

    assert (state(old), state(new)) == ("CANCELED", "COMPLETED")
    assert old.status.message.parts[0].text == "Superseded by newer input."


async def test_how_a_task_ended_is_told(talk: Talk) -> None:
    refused, failed = await talk.send("refuse"), await talk.send("fail")

    assert (state(refused), state(failed)) == ("REJECTED", "FAILED")
    assert failed.status.message.parts[0].text == "The disk is full."


async def test_a_task_that_a_limit_ended_has_failed_and_says_why(serve: Serve) -> None:
    provider = ScriptedProvider([call("look"), "never"])
    server = await serve(agents=[approver(max_steps=1)], providers=[provider])
    talk = Talk(server.client, rpc=False)

    task = await talk.send("go")
    listed = await talk.list(status="TASK_STATE_FAILED")

    assert state(task) == "FAILED"
    assert "most steps" in task.status.message.parts[0].text
    assert [one.id for one in listed.tasks] == [task.id]
    assert listed.tasks[0].status == task.status or state(listed.tasks[0]) == "FAILED"


async def test_files_data_and_metadata_arrive(talk: Talk) -> None:
    task = await talk.send(
        "metadata",
        {"raw": "eA==", "mediaType": "text/plain", "filename": "x.txt"},
        {"data": [1, None, {"a": "b"}]},
        metadata={"trace": {"snake_case": None}},
    )

    assert task.artifacts[0].parts[0].data.struct_value["trace"]["snake_case"] is None
    assert [part.WhichOneof("content") for part in task.history[0].parts] == ["text", "raw", "data"]
    assert task.history[0].metadata == task.artifacts[0].parts[0].data.struct_value


async def test_the_history_is_as_long_as_was_asked_for(talk: Talk) -> None:
    waiting = await talk.send("ask")
    done = await talk.send("Paris", taskId=waiting.id)

    assert [one.parts[0].text for one in (await talk.get(done.id, historyLength=1)).history] == ["Paris"]
    assert not (await talk.get(done.id, historyLength=0)).history


async def test_names_of_the_proto_and_nulls_are_understood(talk: Talk) -> None:
    sent = {"message_id": "m-proto", "role": "ROLE_USER", "parts": [{"text": "hi"}], "context_id": None}
    response = await talk.call("POST", "/message:send", "SendMessage", {"message": sent, "configuration": None})

    assert response.status_code == 200
    assert "error" not in response.json(), response.text


async def test_a_stream_of_nothing_new_ends(talk: Talk) -> None:
    body = {"message": message("hello", messageId=f"again-{talk.rpc}")}
    first = await talk.call("POST", "/message:stream", "SendStreamingMessage", body)
    again = await talk.call("POST", "/message:stream", "SendStreamingMessage", body)

    assert payloads(first.text)[1:] == payloads(again.text)[1:]
