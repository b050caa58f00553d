"""Agents on servers made with the official SDK: other habits, the same protocol."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.backends.a2a.conftest import Here
from tests.backends.a2a.other import Elsewhere, Executor

from wakeful import Decision
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.message import ArtifactPart, DataPart

PATIENCE = 30


@pytest.fixture
async def executor() -> Executor:
    return Executor()


@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
@pytest.mark.parametrize("streaming", [True, False])
async def test_its_words_are_the_answer(
    here: Here, listen: Callable[..., Any], executor: Executor, binding: str, streaming: bool
):
    async with listen(Elsewhere(executor, binding=binding, streaming=streaming)) as port, asyncio.timeout(PATIENCE):
        result = await (await here.open(f"http://127.0.0.1:{port}")).run("remote", "says")

        assert (result.run.status, result.text) == ("completed", "One, two.")


@pytest.mark.parametrize(("deed", "text"), [("message", "Just words."), ("words", "Said at the end.")])
async def test_an_answer_may_be_a_message_only(
    here: Here, listen: Callable[..., Any], executor: Executor, deed: str, text: str
):
    async with listen(Elsewhere(executor)) as port, asyncio.timeout(PATIENCE):
        assert (await (await here.open(f"http://127.0.0.1:{port}")).run("remote", deed)).text == text


async def test_values_of_an_artifact_keep_whole_numbers(here: Here, listen: Callable[..., Any], executor: Executor):
    async with listen(Elsewhere(executor)) as port, asyncio.timeout(PATIENCE):
        result = await (await here.open(f"http://127.0.0.1:{port}")).run("remote", "table")

    (part,) = result.messages[0].parts
    assert part == ArtifactPart("t", (DataPart({"rows": 2}),), "Table")
    assert isinstance(part, ArtifactPart)
    assert isinstance(part.parts[0], DataPart)
    assert isinstance(part.parts[0].data["rows"], int)


@pytest.mark.parametrize(
    ("deed", "tool", "words"), [("ask", ASK_USER, "Which city?"), ("login", ASK_AUTHORISATION, "Please log in.")]
)
async def test_it_asks_and_is_answered_in_plain_words(
    here: Here, listen: Callable[..., Any], executor: Executor, deed: str, tool: str, words: str
):
    async with listen(Elsewhere(executor)) as port, asyncio.timeout(PATIENCE):
        runtime = await here.open(f"http://127.0.0.1:{port}")
        asked = await runtime.run("remote", deed)
        (question,) = asked.interrupts
        result = await runtime.decide(asked.run.id, Decision(question.id, output="Rome"))

    assert (question.tool, question.message) == (tool, words)
    assert (result.run.status, result.text) == ("completed", "Rome it is.")
    first, second = executor.messages
    assert (second.task_id, second.context_id) != ("", "")
    assert first.message_id != second.message_id


async def test_a_refusal_is_told_in_its_words(here: Here, listen: Callable[..., Any], executor: Executor):
    async with listen(Elsewhere(executor)) as port, asyncio.timeout(PATIENCE):
        result = await (await here.open(f"http://127.0.0.1:{port}")).run("remote", "reject")

    assert result.run.error is not None
    assert (result.run.status, result.run.error.code) == ("failed", "agent_refused")
    assert "Not my department." in result.run.error.message


async def test_cancelling_here_cancels_there(here: Here, listen: Callable[..., Any], executor: Executor):
    async with listen(Elsewhere(executor)) as port, asyncio.timeout(PATIENCE):
        runtime = await here.open(f"http://127.0.0.1:{port}")
        receipt = await runtime.send("remote", "slow")
        await executor.reached.wait()
        await until_known(runtime, receipt.run)

        await runtime.cancel(receipt.run.id)
        await executor.open.wait()

    assert len(executor.cancelled) == 1


async def until_known(runtime: Any, run: Any) -> None:
    """Return when it is remembered which task works for the run."""
    while True:
        found = await runtime.inner.store.get_document("default", "memory", f"run/{run.id}")
        if found is not None and found.value.get("task_id"):
            return
        await asyncio.sleep(0.02)
