"""Work that was handed through too many agents, or comes back in a circle, is refused before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from wakeful.contracts.event import RunFinished
from wakeful.contracts.message import TextPart
from wakeful.contracts.query import RunQuery
from wakeful.contracts.request import InputMessage
from wakeful.contracts.spec import AgentSpec
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.runtime.chain import KEY, LONGEST, Chains

if TYPE_CHECKING:
    from tests.runtime.conftest import House


async def end(house: House, chain: Any) -> RunFinished:
    """How a run ends whose message came with a chain."""
    message = InputMessage("user", (TextPart("Hello"),), None, {KEY: chain})
    finished = (await house.events(await house.mailbox_submit((message,))))[-1]
    assert isinstance(finished, RunFinished)
    return finished


async def own_link(house: House) -> str:
    """What the newest runtime calls its agent in chains."""
    receipt = await house.submit("Hi")
    await house.events(receipt)
    metadata = await Chains(house.runtimes[-1].store, house.clock).onward(await house.run(receipt), ())
    return metadata[KEY][0]


async def test_work_that_comes_back_is_refused_with_the_way_it_took(house: House):
    await house.open("Hi", "never said")
    link = await own_link(house)

    finished = await end(house, [link, "elsewhere/other"])

    assert finished.error is not None
    assert finished.error.code == "handed_too_far"
    assert "assistant -> other -> assistant" in finished.error.message


async def test_an_installation_keeps_its_name_over_restarts(house: House):
    await house.open("Hi")
    before = await own_link(house)
    await house.open("Hi")

    assert await own_link(house) == before


@pytest.mark.parametrize(("links", "outcome"), [(LONGEST - 1, "completed"), (LONGEST, "failed")])
async def test_work_that_was_handed_on_too_often_is_refused(house: House, links: int, outcome: str):
    await house.open("Hi")

    assert (await end(house, [f"elsewhere/{number}" for number in range(links)])).outcome == outcome


@pytest.mark.parametrize("chain", ["words", [1], {"a": 1}, None])
async def test_what_is_no_chain_is_none(house: House, chain: Any):
    await house.open("Hi")

    assert (await end(house, chain)).outcome == "completed"


async def test_a_delegate_is_told_through_whom_its_work_came(house: House):
    house.agents = [
        AgentSpec(id="assistant", model="scripted:any", delegates=("researcher",)),
        AgentSpec(id="researcher", model="other:any"),
    ]
    ask = call("researcher", {"message": "Find it"})
    await house.open(ask, "Done", more={"other": ScriptedProvider(["Found"])})
    message = InputMessage("user", (TextPart("Hello"),), None, {KEY: ["elsewhere/boss"]})

    await house.events(await house.mailbox_submit((message,)))

    store = house.runtimes[-1].store
    threads = [await store.get_thread("s", run.thread_id) for run in await runs(house)]
    (chain,) = [
        found.metadata[KEY]
        for thread in threads
        if thread is not None and thread.parent_thread_id
        for found in await store.history(thread.key)
        if found.metadata
    ]
    assert [link.rpartition("/")[2] for link in chain] == ["boss", "assistant"]


async def runs(house: House) -> Any:
    return (await house.runtimes[-1].store.list_runs(RunQuery(scope="s", limit=10))).items
