"""A remote agent as a delegate: its answer is a call's result, its questions are answered on its own run."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from pathlib import Path
from typing import Any

from tests.backends.a2a.working import tasks, until

from wakeful import Agent, AgentRuntime, Decision
from wakeful.contracts.event import SubagentStarted, TextDelta, ToolProgressed
from wakeful.contracts.spec import Endpoint
from wakeful.providers.scripted import ScriptedProvider, call

PATIENCE = 30


def house(remote: Any, folder: Path, message: str) -> AgentRuntime:
    """`boss` has the remote agent do something."""
    model = ScriptedProvider([call("remote", {"message": message}), "Thank you."])
    agents = [
        Agent("boss", model="scripted:any", delegates=["remote"]),
        Agent("remote", endpoint=Endpoint(url=f"http://127.0.0.1:{remote.port}")),
    ]
    return AgentRuntime(agents=agents, providers=[model], store=f"sqlite:///{folder / 'boss.db'}")


async def test_its_answer_is_the_result_of_the_call(remote: Any, tmp_path: Path):
    async with asyncio.timeout(PATIENCE), house(remote, tmp_path, "Hello") as runtime:
        result = await runtime.run("boss", "Do it")

    outputs = [part.output for message in result.messages if message.role == "tool" for part in message.parts]
    assert outputs == ["You said: Hello"]
    assert result.text == "Thank you."


async def test_its_question_reaches_the_callers_watcher_and_the_answer_lets_both_go_on(remote: Any, tmp_path: Path):
    child, said = "", ""
    async with (
        asyncio.timeout(PATIENCE),
        house(remote, tmp_path, "ask") as runtime,
        asyncio.TaskGroup() as group,
        aclosing(runtime.stream("boss", "Do it")) as events,
    ):
        async for event in events:
            match event:
                case SubagentStarted(run_id=run_id):
                    child = run_id
                case ToolProgressed(message=str(words)):
                    assert child in words
                    assert "How many days?" in words
                    run = await runtime.inner.store.get_run("default", child)
                    assert run is not None
                    await runtime.inner.feed.until_rest(run.key)
                    (record,) = await runtime.inner.store.interrupts(run.key)
                    group.create_task(runtime.decide(child, Decision(record.interrupt.id, output="3")))
                case TextDelta(text):
                    said += text
                case _:
                    pass

    assert said == "Thank you."
    assert [run.status for run in await tasks(remote)] == ["completed"]


async def test_stopping_the_caller_stops_the_task_over_there(remote: Any, tmp_path: Path, gate: Any):
    async with asyncio.timeout(PATIENCE), house(remote, tmp_path, "slow") as runtime:
        receipt = await runtime.send("boss", "Do it")
        await gate.reached.wait()
        await known(runtime)

        await runtime.cancel(receipt.run.id)

        await until(remote, "cancelled")


async def known(runtime: AgentRuntime) -> None:
    """Return when some run remembers which task works for it."""
    store = runtime.inner.store
    while True:
        listed = await store.list_documents("default", "memory", prefix="run/", after="", limit=5)
        if any(document.value.get("task_id") for document in listed):
            return
        await asyncio.sleep(0.02)
