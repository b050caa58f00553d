"""What waits on a thread: listing it, changing it, taking it back, and how much may wait."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.event import TextDelta

if TYPE_CHECKING:
    from tests.protocols.native.conftest import Talk, Talking

MAILBOX = "/v1/threads/thread/mailbox"
pytestmark = pytest.mark.proves("R18")


@pytest.fixture
def gate() -> asyncio.Event:
    """What run `r` waits for."""
    return asyncio.Event()


@pytest.fixture
async def full(talking: Talking, gate: asyncio.Event) -> Talk:
    """Run `r` is carried; `a`, `b` and `c` wait behind it."""
    talk = await talking([TextDelta("Well"), gate], *["Fine"] * 5)
    await talk.say("go", run_id="r")
    await talk.until("r", "text_delta")
    for name in "abc":
        await talk.say(f"do {name}", run_id=name)
    return talk


def revision(mailbox: dict[str, Any], run: str) -> int:
    return next(item["revision"] for item in mailbox["items"] if item["run_id"] == run)


async def edit(talk: Talk, run: str, text: str, at: int) -> Any:
    body = {"messages": [{"content": text}], "revision": at}
    return await talk.client.patch(f"{MAILBOX}/{run}", json=body)


async def order(talk: Talk, runs: list[str], at: str) -> Any:
    return await talk.client.put(f"{MAILBOX}/order", json={"run_ids": runs, "revision": at})


async def test_what_waits_is_listed_in_the_order_of_its_turns(full: Talk):
    mailbox = await full.mailbox()

    run = await full.run("b")
    assert [(item["run_id"], item["position"]) for item in mailbox["items"]] == [("a", 0), ("b", 1), ("c", 2)]
    assert mailbox["total"] == 3
    entry = mailbox["items"][1]
    (message,) = entry.pop("messages")
    assert entry == {
        "run_id": "b",
        "dispatch_id": entry["dispatch_id"],
        "agent_id": "assistant",
        "mode": "queue",
        "revision": entry["revision"],
        "position": 1,
        "created_at": run["created_at"],
    }
    parts = [{"type": "text", "text": "do b"}]
    assert message == {"id": message["id"], "role": "user", "parts": parts, "metadata": None}


async def test_an_idle_thread_has_an_empty_mailbox(talking: Talking):
    mailbox = await (await talking()).mailbox()

    assert (mailbox["items"], mailbox["total"]) == ([], 0)
    assert mailbox["revision"]


async def test_an_edited_entry_is_what_the_agent_is_told(full: Talk, gate: asyncio.Event):
    before = await full.mailbox()

    response = await edit(full, "a", "do it well", revision(before, "a"))
    stale = await edit(full, "a", "do it badly", revision(before, "a"))
    gate.set()
    await full.ended("r", "a")

    after = response.json()
    assert (response.status_code, stale.status_code) == (200, 409)
    assert after["items"][0]["messages"][0]["parts"] == [{"type": "text", "text": "do it well"}]
    assert after["items"][0]["messages"][0]["id"] == before["items"][0]["messages"][0]["id"]
    assert revision(after, "a") > revision(before, "a")
    assert after["revision"] != before["revision"]
    assert full.told(1) == ["go", "do it well"]


async def test_a_new_order_is_the_order_in_which_they_run(full: Talk, gate: asyncio.Event):
    before = await full.mailbox()

    response = await order(full, ["c", "a", "b"], before["revision"])
    stale = await order(full, ["a", "b", "c"], before["revision"])
    gate.set()
    await full.ended("a", "b", "c")

    assert response.status_code == 200
    assert [item["run_id"] for item in response.json()["items"]] == ["c", "a", "b"]
    assert stale.status_code == 409
    assert full.told(3) == ["go", "do c", "do a", "do b"]


@pytest.mark.parametrize(
    ("runs", "status"),
    [(["a", "b"], 400), (["a", "b", "c", "c"], 400), ([], 400), (["a", "b", "x"], 409), (["r", "a", "b", "c"], 409)],
)
async def test_an_order_that_names_other_runs_is_refused(full: Talk, runs: list[str], status: int):
    response = await order(full, runs, (await full.mailbox())["revision"])

    assert response.status_code == status
    assert await full.waiting() == ["a", "b", "c"]


@pytest.mark.parametrize("named", [True, False], ids=["with its revision", "as it is"])
async def test_what_is_withdrawn_never_runs(full: Talk, gate: asyncio.Event, named: bool):
    query = f"?revision={revision(await full.mailbox(), 'b')}" if named else ""

    response = await full.client.delete(f"{MAILBOX}/b{query}")
    again = await full.client.delete(f"{MAILBOX}/b")
    gate.set()
    endings = await full.ended("a", "b", "c")

    assert response.status_code == 200
    assert [(item["run_id"], item["position"]) for item in response.json()["items"]] == [("a", 0), ("c", 1)]
    assert again.status_code == 409
    assert endings == [("completed", "answered"), ("cancelled", "withdrawn"), ("completed", "answered")]
    assert full.told(2) == ["go", "do a", "do c"]


async def test_an_entry_of_another_revision_is_not_withdrawn(full: Talk):
    response = await full.client.delete(f"{MAILBOX}/b?revision={revision(await full.mailbox(), 'b') + 1}")

    assert response.status_code == 409
    assert await full.waiting() == ["a", "b", "c"]


@pytest.mark.parametrize("consumed", ["running", "finished"])
async def test_what_is_carried_or_over_cannot_be_changed(full: Talk, gate: asyncio.Event, consumed: str):
    if consumed == "finished":
        gate.set()
        await full.ended("r", "a", "b", "c")

    edited = await edit(full, "r", "no", 1)
    withdrawn = await full.client.delete(f"{MAILBOX}/r")

    assert (edited.status_code, withdrawn.status_code) == (409, 409)
    assert edited.json()["code"] == "conflict"


async def test_what_waits_elsewhere_is_404(full: Talk):
    await full.client.post("/v1/threads", json={"id": "elsewhere"})

    for run in ("a", "nobody"):
        body = {"messages": [{"content": "no"}], "revision": 1}
        edited = await full.client.patch(f"/v1/threads/elsewhere/mailbox/{run}", json=body)
        withdrawn = await full.client.delete(f"/v1/threads/elsewhere/mailbox/{run}")
        assert (edited.status_code, withdrawn.status_code) == (404, 404)
    assert await full.waiting() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "a", {"messages": [{"content": "no"}]}),
        ("PATCH", "a", {"messages": [], "revision": 1}),
        ("PATCH", "a", {"messages": [{"content": " "}], "revision": 1}),
        ("PATCH", "a", {"messages": [{"content": "no", "id": "a/b"}], "revision": 1}),
        ("PATCH", "a", {"messages": [{"content": "no"}], "revision": "1"}),
        ("PATCH", "a", {"messages": [{"content": "no"}], "revision": 10**30}),
        ("PATCH", "a", {"messages": [{"content": "no"}], "revision": 1, "surprise": 1}),
        ("PUT", "order", {"run_ids": ["a", "b", "c"]}),
        ("PUT", "order", {"run_ids": "a", "revision": "x"}),
        ("PUT", "order", {"run_ids": ["a", "b", "c"], "revision": "x", "surprise": 1}),
        ("DELETE", "a?revision=x", None),
        ("DELETE", f"a?revision={10**30}", None),
    ],
)
async def test_a_change_of_another_shape_is_400(full: Talk, method: str, path: str, body: Any):
    response = await full.client.request(method, f"{MAILBOX}/{path}", json=body)

    assert response.status_code == 400
    assert await full.waiting() == ["a", "b", "c"]


async def test_a_thread_with_too_much_behind_it_takes_no_more(
    talking: Talking, gate: asyncio.Event, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WAKEFUL_MAX_BACKLOG", "2")
    talk = await talking([TextDelta("Well"), gate], *["Fine"] * 5)
    await talk.say("go", run_id="r")
    await talk.until("r", "text_delta")

    statuses = [(await talk.say(f"do {name}", run_id=name)).status_code for name in "ab"]
    refused = await talk.say("do c", run_id="c")
    anchored = await talk.add("r", messages=[{"content": "do d"}], run_id="d")
    urgent = await talk.say("now", mode="interrupt", run_id="urgent")
    gate.set()

    assert statuses == [202, 429]
    assert (refused.status_code, refused.json()["code"]) == (429, "backlogged")
    assert int(refused.headers["retry-after"]) >= 1
    assert anchored.status_code == 429
    assert urgent.status_code == 202
    assert await talk.ended("urgent") == [("completed", "answered")]
    assert (await talk.client.get("/v1/runs/c")).status_code == 404
