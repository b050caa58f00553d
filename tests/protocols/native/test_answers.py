"""Answers to several questions, with other arguments, by thread, and repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.protocols.native.conftest import Talk, Talking

DECISION = "/v1/runs/r/decision"
DECISIONS = "/v1/runs/r/decisions"
ON_THREAD = "/v1/threads/thread/decision"


@pytest.fixture
def deleted() -> list[str]:
    """What the tool was called with."""
    return []


@pytest.fixture
async def waits(talking: Talking, deleted: list[str]) -> Talk:
    """Run `r` waits for two approvals, to delete `a` and `b`."""

    @tool(approval=True)
    async def delete(path: str) -> str:
        """Delete a file."""
        deleted.append(path)
        return f"deleted {path}"

    asks = [call("delete", {"path": path}) for path in ("a", "b")]
    talk = await talking(asks, *["Fine"] * 3, tools=[delete])
    await talk.say("tidy", run_id="r")
    await talk.asked()
    return talk


def yes(target: str, **fields: Any) -> dict[str, Any]:
    return {"target": target, "approved": True, **fields}


async def test_all_answers_at_once_continue_the_run(waits: Talk, deleted: list[str]):
    a, b = await waits.asked()

    response = await waits.client.post(
        f"{DECISIONS}?wait=5", json={"decisions": [yes(a), {"target": b, "approved": False}]}
    )

    assert response.status_code == 202
    assert response.json() == {
        "status": "decision_submitted",
        "run_id": "r",
        "run_status": "completed",
        "accepted": [a, b],
        "already": [],
        "resumed": True,
    }
    assert deleted == ["a"]


async def test_the_run_waits_until_the_last_answer(waits: Talk, deleted: list[str]):
    a, b = await waits.asked()

    first = await waits.client.post(f"{DECISIONS}?wait=5", json={"decisions": [yes(b)]})
    before = list(deleted)
    second = await waits.client.post(f"{DECISIONS}?wait=5", json={"decisions": [yes(a), yes(b)]})

    assert (first.json()["resumed"], first.json()["run_status"], first.json()["accepted"]) == (False, "waiting", [b])
    assert (second.json()["resumed"], second.json()["run_status"]) == (True, "completed")
    assert (second.json()["accepted"], second.json()["already"]) == ([a], [b])
    assert (before, sorted(deleted)) == ([], ["a", "b"])


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"target": "other", "approved": True}, 404),
        ({"target": "b", "approved": "true"}, 400),
        ({"target": "b", "approved": 1}, 400),
        ({"target": "b", "approved": None}, 400),
        ({"target": "b"}, 400),
        ({"target": "b", "approved": True, "action": "resume"}, 400),
        ({"target": "b", "approved": True, "arguments": {"path": 5}}, 400),
        ({"target": "b", "approved": True, "arguments": [1]}, 400),
        ({"target": "b", "approved": False, "arguments": {"path": "c"}}, 400),
        ({"target": "a", "approved": False}, 409),
    ],
)
async def test_one_wrong_answer_of_several_takes_none(
    waits: Talk, deleted: list[str], wrong: dict[str, Any], status: int
):
    names = dict(zip("ab", await waits.asked(), strict=True))
    answer = {**wrong, "target": names.get(wrong["target"], "other")}

    response = await waits.client.post(DECISIONS, json={"decisions": [yes(names["a"]), answer]})
    active = (await waits.client.get("/v1/threads/thread/runs/active")).json()

    assert response.status_code == status, response.text
    assert len(active["interrupts"]) == 2
    assert deleted == []


@pytest.mark.parametrize("body", [{}, {"decisions": []}, {"decisions": {}}, {"decisions": [{}]}, {"surprise": 1}])
async def test_answers_of_another_shape_are_400(waits: Talk, body: dict[str, Any]):
    assert (await waits.client.post(DECISIONS, json=body)).status_code == 400


async def test_an_approved_call_runs_with_the_arguments_a_human_gave_it(waits: Talk, deleted: list[str]):
    a, b = await waits.asked()

    await waits.client.post(DECISION, json=yes(a, arguments={"path": "backup"}))
    await waits.client.post(f"{DECISION}?wait=5", json=yes(b))

    events = (await waits.client.get("/v1/runs/r/events?limit=200")).json()["items"]
    decided = [event for event in events if event["type"] == "interrupt_decided"]
    assert sorted(deleted) == ["b", "backup"]
    assert sorted(event.get("arguments", "") for event in decided) == ["", '{"path":"backup"}']


async def test_arguments_that_do_not_fit_are_refused_by_name(waits: Talk):
    a, _ = await waits.asked()

    response = await waits.client.post(DECISION, json=yes(a, arguments={"paths": "backup"}))

    assert response.status_code == 400
    assert "path" in response.json()["error"]
    assert len((await waits.client.get("/v1/threads/thread/runs/active")).json()["interrupts"]) == 2


async def test_a_thread_hands_an_answer_to_its_waiting_run(waits: Talk):
    a, b = await waits.asked()

    first = await waits.client.post(ON_THREAD, json=yes(a))
    second = await waits.client.post(f"{ON_THREAD}?wait=5", json=yes(b))
    again = await waits.client.post(ON_THREAD, json=yes(b))
    changed = await waits.client.post(ON_THREAD, json={"target": b, "approved": False})

    assert (first.json()["run_id"], first.json()["resumed"]) == ("r", False)
    assert (second.json()["resumed"], second.json()["run_status"]) == (True, "completed")
    assert (again.status_code, again.json()["already"], again.json()["resumed"]) == (202, [b], False)
    assert changed.status_code == 409


async def test_a_thread_on_which_nothing_waits_takes_no_answer(talking: Talking):
    talk = await talking("Hi")
    empty = await talk.client.post(ON_THREAD, json=yes("x"))
    await talk.say("hello", run_id="r")
    await talk.ended("r")

    response = await talk.client.post(ON_THREAD, json=yes("x"))

    assert (empty.status_code, response.status_code) == (409, 409)


@pytest.mark.parametrize("name", ["output", "payload"])
async def test_a_front_end_tool_is_answered_by_either_name(server: Any, name: str):
    offered = [{"name": "pick_colour", "description": "Pick", "parameters": {"type": "object"}}]
    message = {"id": "m", "role": "user", "content": "use pick_colour {}"}
    body = {"threadId": "thread", "runId": "r", "messages": [message], "tools": offered}
    await server.client.post("/v1/ag-ui/agents/assistant/runs", json=body)
    (question,) = (await server.client.get("/v1/threads/thread/runs/active")).json()["interrupts"]

    response = await server.client.post(f"{DECISION}?wait=5", json={"target": question["id"], name: "blue"})

    messages = (await server.client.get("/v1/threads/thread/messages")).json()["messages"]
    assert response.json()["run_status"] == "completed"
    assert messages[2]["parts"][0]["output"] == "blue"
    assert (await server.client.post(DECISION, json={"target": "x", "output": 1, "payload": 2})).status_code == 400


@pytest.mark.parametrize("by", ["decision", "decisions", "thread", "inputs"])
async def test_an_answer_must_fit_the_schema_of_its_question(talking: Talking, by: str):
    @tool(frontend=True)
    async def pick() -> Literal["red", "blue"]:
        """Let the user pick a colour."""
        raise AssertionError("the client does this")

    talk = await talking(call("pick"), "Fine", tools=[pick])
    await talk.say("go", run_id="r")
    (target,) = await talk.asked()
    path = {"decision": DECISION, "decisions": DECISIONS, "thread": ON_THREAD, "inputs": "/v1/runs/r/inputs"}[by]

    def body(payload: str) -> dict[str, Any]:
        answer = {"target": target, "payload": payload}
        return answer if by in {"decision", "thread"} else {"decisions": [answer]}

    refused = await talk.client.post(path, json=body("green"))
    during = await talk.status("r")
    taken = await talk.client.post(path, json=body("blue"))

    assert (refused.status_code, during) == (400, ("waiting", None))
    assert "green" in str(refused.json()["details"])
    assert taken.status_code == 202
    assert await talk.ended("r") == [("completed", "answered")]
