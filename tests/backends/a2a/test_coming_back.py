"""After a crash the remote task is found again: nothing is sent as something new, nothing is shown twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

import pytest
from tests.backends.a2a.working import Gate, tasks

from wakeful.backends.a2a.backend import A2ABackend
from wakeful.contracts.backend import Turn
from wakeful.contracts.event import TextDelta, ToolCallDelta, ToolCallProposed
from wakeful.contracts.json import JsonObject
from wakeful.contracts.lifecycle import RunStatus
from wakeful.contracts.message import Message, TextPart, ToolCallPart, ToolResultPart
from wakeful.contracts.run import Run
from wakeful.contracts.spec import AgentSpec, Endpoint
from wakeful.runtime.clock import SystemClock

PATIENCE = 30


class Kept:
    """What is remembered."""

    def __init__(self) -> None:
        self.value: JsonObject | None = None

    async def read(self) -> JsonObject | None:
        return self.value

    async def write(self, value: JsonObject) -> None:
        self.value = value

    def forget(self, **fields: Any) -> None:
        """As if the process had been lost before it knew better."""
        assert self.value is not None
        self.value = {**self.value, **fields}


class Asker:
    """One run's turns, asked of the other server as the engine would."""

    def __init__(self, spec: AgentSpec, backend: A2ABackend) -> None:
        self.spec = spec
        self.backend = backend
        self.memory, self.thread = Kept(), Kept()

    def turn(self, *history: Message) -> Turn:
        run = Run(
            key=1,
            thread_key=1,
            scope="default",
            id="r",
            thread_id="t",
            agent_id="remote",
            status=RunStatus.RUNNING,
            origin="test",
            created_at=1,
            updated_at=1,
        )
        step = 1 + sum(message.role == "assistant" for message in history)
        return Turn(
            run=run,
            agent=self.spec,
            step=step,
            history=history,
            state={},
            run_memory=self.memory,
            thread_memory=self.thread,
        )

    async def chunks(self, turn: Turn) -> list[Any]:
        found: list[Any] = []
        async with asyncio.timeout(PATIENCE), aclosing(self.backend.stream(turn)) as batches:
            async for batch in batches:
                found.extend(batch)
        return found

    async def text(self, turn: Turn) -> str:
        return words(await self.chunks(turn))


def words(chunks: Sequence[Any]) -> str:
    return "".join(chunk.delta for chunk in chunks if isinstance(chunk, TextDelta))


def said(text: str) -> Message:
    return Message("m", "user", (TextPart(text),), 1, run_id="r")


async def nothing(_: Turn) -> JsonObject:
    return {}


@pytest.fixture
async def asker(remote: Any) -> AsyncIterator[Asker]:
    endpoint = Endpoint(url=f"http://127.0.0.1:{remote.port}")
    spec = AgentSpec(id="remote", endpoint=endpoint)
    backend = A2ABackend(spec, endpoint, SystemClock(), metadata=nothing)
    yield Asker(spec, backend)
    await backend.aclose()


async def test_a_message_that_was_sent_before_the_crash_is_the_same_task(asker: Asker, remote: Any):
    turn = asker.turn(said("report"))
    before = await asker.text(turn)
    asker.memory.value = asker.thread.value = None

    assert await asker.text(turn) == before == "Here it is."
    assert len(await tasks(remote)) == 1


async def test_a_task_that_is_known_is_told_again_from_its_beginning(asker: Asker, remote: Any, gate: Gate):
    turn = asker.turn(said("slow"))
    async with asyncio.timeout(PATIENCE), aclosing(asker.backend.stream(turn)) as batches:
        async for batch in batches:
            if TextDelta("One, ") in batch:
                break  # here the process is lost

    again = asyncio.create_task(asker.text(turn))
    gate.open.set()

    assert await again == "One, two."
    assert len(gate.asked) == 1


@pytest.mark.proves("A13")
async def test_the_task_is_remembered_before_more_of_it_is_awaited(asker: Asker, gate: Gate):
    async with asyncio.timeout(PATIENCE), aclosing(asker.backend.stream(asker.turn(said("slow")))) as batches:
        await anext(aiter(batches))

        assert asker.memory.value is not None
        assert asker.memory.value["task_id"]
    gate.open.set()


async def asked(asker: Asker) -> tuple[Turn, list[Any]]:
    """The turn that answers the question of the first."""
    question = said("ask")
    chunks = await asker.chunks(asker.turn(question))
    (call,) = [chunk for chunk in chunks if isinstance(chunk, ToolCallProposed)]
    arguments = "".join(chunk.delta for chunk in chunks if isinstance(chunk, ToolCallDelta))
    reply = Message("a", "assistant", (ToolCallPart(call.call_id, call.name, arguments),), 1, run_id="r", step=1)
    result = ToolResultPart(call.call_id, call.name, "succeeded", "3")
    return asker.turn(question, reply, Message("b", "tool", (result,), 1, run_id="r", step=1)), chunks


async def test_what_an_earlier_step_has_shown_is_not_shown_again(asker: Asker):
    turn, before = await asked(asker)

    assert words(before) == "Weather: "
    assert await asker.text(turn) == "Weather: fine for 3 days."


async def test_an_answer_that_arrived_before_the_crash_is_not_given_twice(asker: Asker, gate: Gate):
    turn, _ = await asked(asker)
    before = await asker.text(turn)
    asker.memory.forget(delivered=False)

    assert await asker.text(turn) == before
    assert len(gate.asked) == 2


async def test_an_answer_that_may_not_have_arrived_is_given(asker: Asker):
    turn, _ = await asked(asker)
    async with aclosing(asker.backend.stream(turn)) as batches:
        opening = asyncio.ensure_future(anext(aiter(batches)))
        await asyncio.sleep(0)
        opening.cancel()  # the process is lost before it sent anything
        await asyncio.wait([opening])

    assert await asker.text(turn) == "Weather: fine for 3 days."


async def test_a_cancelled_task_that_is_over_needs_no_stopping(asker: Asker, remote: Any):
    turn = asker.turn(said("report"))
    await asker.text(turn)

    await asker.backend.abandon(turn.run, asker.memory)

    assert [run.status for run in await tasks(remote)] == ["completed"]
