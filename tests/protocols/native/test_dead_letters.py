"""Runs that were given up: seeing them and trying them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.model_errors import Overloaded
from wakeful.providers.scripted import ScriptedProvider
from wakeful.sdk.agent import Agent

if TYPE_CHECKING:
    from tests.protocols.native.conftest import Talk, Talking

PATH = "/v1/dead-letters"
pytestmark = pytest.mark.proves("R19")


@pytest.fixture
async def failed(talking: Talking, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """Runs `a` and `b` were given up after their first attempt."""
    monkeypatch.setenv("WAKEFUL_MAX_ATTEMPTS", "1")
    talk = await talking(Overloaded("too busy"), Overloaded("still too busy"), "There", max_retries=0)
    for name in "ab":
        await talk.say(f"do {name}", run_id=name)
        await talk.ended(name)
    return talk


async def letters(talk: Talk) -> list[dict[str, Any]]:
    return (await talk.client.get(PATH)).json()["items"]


async def test_what_was_given_up_is_listed_newest_first(failed: Talk):
    page = (await failed.client.get(PATH)).json()

    newest = page["items"][0]
    assert (page["has_more"], page["next_cursor"]) == (False, None)
    assert [item["run_id"] for item in page["items"]] == ["b", "a"]
    assert newest == {
        "dispatch_id": newest["dispatch_id"],
        "run_id": "b",
        "thread_id": "thread",
        "agent_id": "assistant",
        "failures": 1,
        "error": newest["error"],
        "at": newest["at"],
        "retried_run_id": None,
    }
    assert "still too busy" in newest["error"]["message"]
    assert await failed.status("b") == ("failed", "error")


async def test_the_list_has_pages(failed: Talk):
    first = (await failed.client.get(f"{PATH}?limit=1")).json()
    second = (await failed.client.get(f"{PATH}?limit=1&cursor={first['next_cursor']}")).json()

    assert [item["run_id"] for item in first["items"]] == ["b"]
    assert [item["run_id"] for item in second["items"]] == ["a"]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert (await failed.client.get(f"{PATH}?cursor=junk")).status_code == 400


async def test_a_retry_is_one_new_run_linked_to_the_one_that_failed(failed: Talk):
    newest = (await letters(failed))[0]

    response = await failed.client.post(f"{PATH}/{newest['dispatch_id']}/retry")
    again = await failed.client.post(f"{PATH}/{newest['dispatch_id']}/retry")

    body = response.json()
    run = body["run_id"]
    assert (response.status_code, body["effect"], body["thread_id"]) == (202, "started", "thread")
    assert again.json() == {**body, "effect": "replayed"}
    assert await failed.ended(run) == [("completed", "answered")]
    assert (await failed.run(run))["parent_run_id"] == "b"
    assert [item["retried_run_id"] for item in await letters(failed)] == [run, None]
    assert (await failed.transcript())[-1] == ("assistant", "There")


async def test_an_unknown_one_is_404(failed: Talk):
    response = await failed.client.post(f"{PATH}/nothing/retry")

    assert response.status_code == 404
    assert response.json()["details"] == {"kind": "dead letter", "id": "nothing"}


async def test_those_of_another_scope_do_not_exist(serve: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAKEFUL_MAX_ATTEMPTS", "1")
    model = ScriptedProvider([Overloaded("too busy")])
    agents = [Agent("assistant", model="scripted:any", max_retries=0)]
    client = (await serve(agents=agents, providers=[model], api_tokens={"red": "r3d", "blue": "b1ue"})).client
    red, blue = ({"authorization": f"Bearer {token}"} for token in ("r3d", "b1ue"))
    await client.post("/v1/runs", json={"messages": [{"content": "go"}]}, headers=red)
    (letter,) = (await client.get(PATH, headers=red)).json()["items"]

    listed = (await client.get(PATH, headers=blue)).json()["items"]
    retried = await client.post(f"{PATH}/{letter['dispatch_id']}/retry", headers=blue)

    assert (listed, retried.status_code) == ([], 404)
    assert (await client.get("/v1/runs", headers=red)).json()["total"] == 1
