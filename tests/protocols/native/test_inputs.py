"""More input for a thread or a run: what each mode does, and how often it is done."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.event import TextDelta
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.protocols.native.conftest import Talk, Talking

MODES = ["queue", "steer", "live_then_queue", "interrupt", "interrupt_then_queue", "resume", "resume_open_run"]


@tool(effect="pure")
async def note() -> str:
    """Take a note."""
    return "noted"


@tool(approval=True)
async def delete(path: str) -> str:
    """Delete a file."""
    return f"deleted {path}"


@pytest.fixture
def gate() -> asyncio.Event:
    """What a model waits for in the middle of its first reply."""
    return asyncio.Event()


@pytest.fixture
async def busy(talking: Talking, gate: asyncio.Event) -> Talk:
    """Run `r` of the thread is in its first step and takes another one after the gate."""
    talk = await talking([TextDelta("Well"), gate, call("note")], *["Fine"] * 5, tools=[note])
    await talk.say("go", run_id="r")
    await talk.until("r", "text_delta")
    return talk


@pytest.fixture
async def waits(talking: Talking) -> Talk:
    """Run `r` of the thread waits for two approvals."""
    asks = [call("delete", {"path": path}) for path in ("a", "b")]
    talk = await talking(asks, *["Fine"] * 5, tools=[delete])
    await talk.say("tidy", run_id="r")
    await talk.asked()
    return talk


def yes(target: str) -> dict[str, Any]:
    return {"interrupt_id": target, "approved": True}


# -- modes


@pytest.mark.proves("R12")
@pytest.mark.parametrize("mode", MODES)
async def test_any_mode_starts_a_run_on_an_idle_thread(talking: Talking, mode: str):
    talk = await talking("Hi")

    response = await talk.say("hello", mode=mode, run_id="r")

    body = response.json()
    assert response.status_code == 202
    assert (body["status"], body["effect"], body["run_id"], body["thread_id"]) == ("accepted", "started", "r", "thread")
    assert body["dispatch_id"]
    assert await talk.ended("r") == [("completed", "answered")]


@pytest.mark.proves("R12")
@pytest.mark.parametrize("mode", ["steer", "live_then_queue"])
@pytest.mark.parametrize("by", ["thread", "run"])
async def test_steering_reaches_the_running_run_at_its_next_step(busy: Talk, gate: asyncio.Event, mode: str, by: str):
    steered = {"messages": [{"content": "shorter"}], "mode": mode, "run_id": "s"}

    response = await (busy.add("r", **steered) if by == "run" else busy.say("shorter", mode=mode, run_id="s"))
    waiting = (await busy.mailbox())["items"]
    gate.set()
    endings = await busy.ended("r", "s")

    body = response.json()
    assert response.status_code == 202
    assert (body["effect"], body["run_id"], body["thread_id"]) == ("steered", "r", "thread")
    assert [(item["run_id"], item["mode"], item["dispatch_id"]) for item in waiting] == [
        ("s", "steer", body["dispatch_id"])
    ]
    assert endings == [("completed", "answered"), ("completed", "steered")]
    assert busy.told(1) == ["go", "shorter"]
    assert await busy.waiting() == []


async def test_steering_a_run_that_is_over_queues_behind_the_one_that_runs(talking: Talking):
    talk = await talking("Hi", [TextDelta("Well"), asyncio.Event()])
    await talk.say("go", run_id="over")
    await talk.ended("over")
    await talk.say("next", run_id="next")
    await talk.until("next", "text_delta")

    response = await talk.add("over", messages=[{"content": "too late"}], mode="steer", run_id="late")

    assert (response.json()["effect"], response.json()["run_id"]) == ("queued", "late")
    assert [(entry["run_id"], entry["mode"]) for entry in (await talk.mailbox())["items"]] == [("late", "queue")]


async def test_steering_a_queued_run_leaves_the_running_one_alone(busy: Talk):
    await busy.say("next", run_id="next")

    response = await busy.add("next", messages=[{"content": "more"}], mode="steer", run_id="more")

    entries = (await busy.mailbox())["items"]
    assert (response.json()["effect"], response.json()["run_id"]) == ("queued", "more")
    assert [(entry["run_id"], entry["mode"]) for entry in entries] == [("next", "queue"), ("more", "queue")]


@pytest.mark.proves("R12")
@pytest.mark.parametrize("mode", ["resume", "resume_open_run"])
@pytest.mark.parametrize("by", ["thread", "run"])
async def test_resuming_continues_the_waiting_run_under_its_id(waits: Talk, mode: str, by: str):
    again = {"messages": [{"content": "leave them"}], "mode": mode}

    response = await (waits.add("r", **again) if by == "run" else waits.say("leave them", mode=mode))

    assert (response.status_code, response.json()["effect"], response.json()["run_id"]) == (202, "resumed", "r")
    assert await waits.ended("r") == [("completed", "answered")]
    assert [role for role, _ in await waits.transcript()].count("user") == 2
    assert [text for role, text in await waits.transcript() if role == "tool"] == ["denied", "denied"]
    assert "leave them" in waits.told(1)
    assert (await waits.client.get("/v1/runs?thread_id=thread")).json()["total"] == 1


async def test_resuming_a_run_while_another_one_waits_is_409(talking: Talking):
    talk = await talking("Hi", call("delete", {"path": "a"}), tools=[delete])
    await talk.say("hello", run_id="over")
    await talk.ended("over")
    await talk.say("tidy", run_id="waits")
    await talk.asked("waits")

    response = await talk.add("over", messages=[{"content": "go on"}], mode="resume")

    assert response.status_code == 409
    assert await talk.status("waits") == ("waiting", None)


@pytest.mark.parametrize("body", [{"mode": "shout"}, {"surprise": 1}, {"messages": []}, {"agent_id": " "}])
async def test_a_message_of_another_shape_is_400(busy: Talk, body: dict[str, Any]):
    assert (await busy.say("hello", **body)).status_code == 400


# -- anchored at a run


@pytest.mark.proves("R12")
async def test_input_for_a_run_goes_to_its_thread_and_its_agent(talking: Talking):
    talk = await talking(*["Hi"] * 3)
    await talk.say("hello", agent_id="other", run_id="first")
    await talk.say("hello", agent_id="assistant", run_id="second")
    await talk.ended("second")

    response = await talk.add("first", messages=[{"content": "more"}], runId="third")

    run = await talk.run("third")
    assert (response.status_code, response.json()["effect"]) == (202, "started")
    assert (run["thread_id"], run["agent_id"], run["parent_run_id"]) == ("thread", "other", None)


@pytest.mark.proves("R11")
async def test_decisions_alone_continue_the_waiting_run(waits: Talk):
    a, b = await waits.asked()

    first = await waits.add("r", decisions=[yes(a)])
    second = await waits.add("r", decisions=[yes(b)])

    assert [(one.status_code, one.json()["effect"], one.json()["run_id"]) for one in (first, second)] == [
        (202, "waiting", "r"),
        (202, "resumed", "r"),
    ]
    assert await waits.ended("r") == [("completed", "answered")]
    assert [text for role, text in await waits.transcript() if role == "tool"] == ["succeeded", "succeeded"]


@pytest.mark.proves("R11")
async def test_decisions_with_messages_continue_the_run_and_start_one_linked_to_it(waits: Talk):
    decisions = [yes(target) for target in await waits.asked()]

    response = await waits.add("r", decisions=decisions, messages=[{"content": "and then"}], run_id="child")
    again = await waits.add("r", decisions=decisions, messages=[{"content": "and then"}], run_id="child")

    assert (response.status_code, response.json()["run_id"]) == (202, "child")
    assert again.json() == {**response.json(), "effect": "replayed"}
    assert await waits.ended("r", "child") == [("completed", "answered")] * 2
    assert (await waits.run("child"))["parent_run_id"] == "r"
    assert [text for role, text in await waits.transcript() if role in {"tool", "user"}] == [
        "tidy",
        "succeeded",
        "succeeded",
        "and then",
    ]


@pytest.mark.parametrize("mode", ["steer", "interrupt", "resume"])
async def test_decisions_with_messages_only_queue(waits: Talk, mode: str):
    decisions = [yes(target) for target in await waits.asked()]

    response = await waits.add("r", decisions=decisions, messages=[{"content": "and then"}], mode=mode)

    assert response.status_code == 400
    assert await waits.status("r") == ("waiting", None)


@pytest.mark.parametrize(
    "body",
    [{}, {"messages": [], "decisions": []}, {"decisions": [{"target": "x"}]}, {"surprise": 1}, {"agent_id": "other"}],
)
async def test_input_of_another_shape_is_400(waits: Talk, body: dict[str, Any]):
    assert (await waits.add("r", **body)).status_code == 400


async def test_decisions_for_a_run_that_never_asked_are_404_and_start_nothing(waits: Talk):
    response = await waits.add("r", decisions=[yes("other")], messages=[{"content": "and then"}])

    assert response.status_code == 404
    assert (await waits.client.get("/v1/runs?thread_id=thread")).json()["total"] == 1


# -- the same request twice


@pytest.mark.parametrize("mode", ["queue", "steer", "interrupt"])
@pytest.mark.parametrize("by", ["thread", "run"])
async def test_a_key_used_twice_is_one_request(busy: Talk, gate: asyncio.Event, mode: str, by: str):
    async def send(text: str) -> Any:
        if by == "run":
            return await busy.add("r", messages=[{"content": text}], mode=mode, key="k")
        return await busy.say(text, mode=mode, key="k")

    first, again, other = await send("once"), await send("once"), await send("another")
    gate.set()
    known = again.json()
    await busy.ended("r", known["run_id"])

    assert (again.status_code, known["effect"]) == (202, "replayed")
    assert known["dispatch_id"] == first.json()["dispatch_id"]
    assert other.status_code == 409
    assert (await busy.client.get("/v1/runs?thread_id=thread")).json()["total"] == 2
    assert [text for role, text in await busy.transcript() if role == "user"] == ["go", "once"]


async def test_a_key_used_twice_resumes_once(waits: Talk):
    first = await waits.say("leave them", mode="resume", key="k")
    await waits.ended("r")
    again = await waits.say("leave them", mode="resume", key="k")

    assert (first.json()["effect"], again.json()["effect"]) == ("resumed", "replayed")
    assert first.json()["run_id"] == again.json()["run_id"] == "r"
    assert [text for role, text in await waits.transcript() if role == "user"] == ["tidy", "leave them"]
