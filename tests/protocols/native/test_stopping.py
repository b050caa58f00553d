"""Stopping what a thread does: cancel, interrupt, runs that others started, and waiting for the effect."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.event import TextDelta
from wakeful.providers.scripted import call
from wakeful.sdk.tool import tool

if TYPE_CHECKING:
    from tests.protocols.native.conftest import Talk, Talking

CANCEL = "/v1/threads/thread/cancel"
INTERRUPT = "/v1/threads/thread/interrupt"


@tool(approval=True)
async def delete(path: str) -> str:
    """Delete a file."""
    return f"deleted {path}"


@pytest.fixture
async def busy(talking: Talking) -> Talk:
    """Run `r` shows its first word and goes on for ever."""
    talk = await talking([TextDelta("Well"), asyncio.Event()], *["Fine"] * 5)
    await talk.say("go", run_id="r")
    await talk.until("r", "text_delta")
    return talk


@pytest.fixture
async def waits(talking: Talking) -> Talk:
    """Run `r` waits for an approval; the reply after that never ends."""
    talk = await talking(call("delete", {"path": "a"}), [TextDelta("Well"), asyncio.Event()], tools=[delete])
    await talk.say("tidy", run_id="r")
    await talk.asked()
    return talk


# -- a thread


async def test_cancelling_a_thread_stops_its_run_and_the_next_one_begins(busy: Talk):
    await busy.say("next", run_id="next")

    response = await busy.client.post(f"{CANCEL}?wait=5")

    assert response.status_code == 202
    assert response.json() == {"status": "cancel_requested", "run_id": "r", "run_status": "cancelled"}
    assert await busy.ended("r", "next") == [("cancelled", "cancelled"), ("completed", "answered")]
    assert await busy.transcript() == [("user", "go"), ("assistant", "Well"), ("user", "next"), ("assistant", "Fine")]


async def test_cancelling_a_thread_ends_its_wait(waits: Talk):
    response = await waits.client.post(CANCEL)

    assert response.json() == {"status": "cancel_requested", "run_id": "r", "run_status": "cancelled"}


async def test_cancelling_an_idle_thread_is_404(talking: Talking):
    response = await (await talking()).client.post(CANCEL)

    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
    assert response.json()["details"]["kind"] == "active run"


@pytest.mark.proves("R09")
async def test_an_interrupt_ends_what_runs_and_what_is_queued_and_counts(busy: Talk):
    for name in "ab":
        await busy.say(f"do {name}", run_id=name)

    response = await busy.client.post(f"{INTERRUPT}?wait=5")

    thread = (await busy.client.get("/v1/threads/thread")).json()
    assert response.status_code == 202
    assert response.json() == {
        "status": "interrupt_requested",
        "thread_id": "thread",
        "generation": 1,
        "cancelled_run_id": "r",
        "run_status": "cancelled",
        "superseded_count": 2,
        "superseded_run_ids": ["a", "b"],
    }
    assert thread["generation"] == 1
    assert await busy.ended("r", "a", "b") == [("cancelled", "superseded")] * 3
    assert await busy.transcript() == [("user", "go"), ("assistant", "Well")]


@pytest.mark.proves("R09")
async def test_an_interrupt_of_an_idle_thread_ends_nothing(talking: Talking):
    talk = await talking()

    first, second = await talk.client.post(INTERRUPT), await talk.client.post(f"{INTERRUPT}?wait=5")

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == {
        "status": "interrupt_requested",
        "thread_id": "thread",
        "generation": 1,
        "cancelled_run_id": None,
        "run_status": None,
        "superseded_count": 0,
        "superseded_run_ids": [],
    }
    assert second.json()["generation"] == 2


@pytest.mark.proves("R09")
async def test_an_interrupt_ends_a_wait(waits: Talk):
    response = await waits.client.post(INTERRUPT)

    body = response.json()
    assert (body["cancelled_run_id"], body["run_status"], body["superseded_count"]) == ("r", "cancelled", 0)
    assert await waits.transcript() == [("user", "tidy"), ("assistant", "delete"), ("tool", "cancelled")]


# -- runs


@pytest.mark.proves("R16")
async def test_cancelling_a_run_cancels_the_runs_it_started(talking: Talking):
    talk = await talking(*[[TextDelta("Well"), asyncio.Event()]] * 4)
    family = {"parent": None, "child": "parent", "grandchild": "child", "stranger": None}
    for run, parent in family.items():
        await talk.client.post("/v1/threads", json={"id": run})
        body = {"messages": [{"content": "go"}], "run_id": run}
        if parent is None:
            await talk.client.post(f"/v1/threads/{run}/messages", json=body)
        else:
            started = {**body, "thread_id": run, "parent_run_id": parent}
            async with talk.server.stream("POST", "/v1/runs", json=started) as frames:
                await anext(frames)
        await talk.until(run, "text_delta")

    await talk.client.post("/v1/runs/parent/cancel")

    assert await talk.ended("parent", "child", "grandchild") == [("cancelled", "cancelled")] * 3
    assert await talk.status("stranger") == ("running", None)


async def test_cancelling_again_says_that_it_was_over(busy: Talk):
    first = await busy.client.post("/v1/runs/r/cancel?wait=5")
    again = await busy.client.post("/v1/runs/r/cancel")

    assert first.json() == {"status": "cancel_requested", "run_id": "r", "run_status": "cancelled"}
    assert again.json() == {"status": "already_finished", "run_id": "r", "run_status": "cancelled"}


@pytest.mark.proves("R13")
async def test_a_summary_counts_unfinished_runs_by_status(busy: Talk):
    for name in "ab":
        await busy.say(f"do {name}", run_id=name)

    response = await busy.client.get("/v1/runs/summary")

    assert response.status_code == 200
    assert response.json() == {"queued": 2, "running": 1, "waiting": 0}


@pytest.mark.proves("R13")
async def test_a_summary_counts_only_the_callers_runs(serve: Any):
    client = (await serve(api_tokens={"red": "r3d", "blue": "b1ue"})).client
    red, blue = ({"authorization": f"Bearer {token}"} for token in ("r3d", "b1ue"))
    await client.post("/v1/runs", json={"messages": [{"content": "email bob@example.com hi"}]}, headers=red)

    summaries = [(await client.get("/v1/runs/summary", headers=who)).json() for who in (red, blue)]

    assert summaries == [{"queued": 0, "running": 0, "waiting": 1}, {"queued": 0, "running": 0, "waiting": 0}]


# -- waiting for the effect


@pytest.mark.parametrize("path", ["/v1/runs/r/cancel", CANCEL, INTERRUPT, "/v1/runs/r/decision"])
@pytest.mark.parametrize("wait", ["-1", "30.1", "nan", "inf", "soon", ""])
async def test_a_wait_beyond_its_bounds_is_400_and_nothing_is_done(waits: Talk, path: str, wait: str):
    (target,) = await waits.asked()
    body = {"target": target, "approved": True} if path.endswith("decision") else None

    response = await waits.client.post(f"{path}?wait={wait}", json=body)

    assert response.status_code == 400
    assert "wait" in response.json()["error"]
    assert await waits.status("r") == ("waiting", None)


async def test_a_wait_that_is_over_answers_with_where_the_run_is(waits: Talk):
    (target,) = await waits.asked()

    response = await waits.client.post("/v1/runs/r/decision?wait=0.01", json={"target": target, "approved": True})

    assert response.status_code == 202
    assert response.json()["resumed"] is True
    assert response.json()["run_status"] in {"queued", "running"}
