"""Agents of code: what they yield is shown and kept, they ask, and they are as durable as any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from wakeful import (
    AgentFailed,
    AgentRequest,
    AgentRuntime,
    Artifact,
    AskAuthorisation,
    AskUser,
    Data,
    Decision,
    FilePart,
    Reasoning,
    Refused,
    Status,
    agent,
)
from wakeful.contracts.errors import BadRequest, ConfigurationError
from wakeful.contracts.event import ArtifactChanged, DataEmitted, Event, RunFinished, StatusNoted, StepRestarted
from wakeful.contracts.interrupt import ASK_AUTHORISATION, ASK_USER
from wakeful.contracts.message import ArtifactPart, DataPart, ReasoningPart, TextPart
from wakeful.embed import RunResult
from wakeful.sdk.function_agent import FunctionAgent


async def answer(made: FunctionAgent, text: str = "Hello") -> RunResult:
    async with asyncio.timeout(10), AgentRuntime(agents=[made]) as runtime:
        return await runtime.run(made.spec.id, text)


async def events(made: FunctionAgent) -> list[Event]:
    async with (
        asyncio.timeout(10),
        AgentRuntime(agents=[made]) as runtime,
        aclosing(runtime.stream(made.spec.id, "Hello")) as shown,
    ):
        return [event async for event in shown]


class Place(BaseModel):
    name: str


@agent("everything")
async def everything(request: AgentRequest) -> AsyncIterator[Any]:
    """Shows all there is.

    This is not for others.
    """
    yield Status("looking")
    yield Reasoning("hmm")
    yield "Hello "
    yield "there."
    yield FilePart("image/png", "data:image/png;base64,AA==", "a.png")
    yield {"a": 1}
    yield Data(Place(name="Rome"), "place")
    yield Artifact("doc", "One ", name="Document", description="Words")
    yield Artifact("doc", "two", append=True)
    yield Artifact("doc", {"rows": 3}, append=True, last=True)


async def test_everything_it_yields_becomes_part_of_its_one_message():
    result = await answer(everything)

    (message,) = result.messages
    assert message.parts == (
        ReasoningPart("hmm", provider="function"),
        TextPart("Hello there."),
        FilePart("image/png", "data:image/png;base64,AA==", "a.png"),
        DataPart({"a": 1}),
        DataPart({"name": "Rome"}, "place"),
        ArtifactPart("doc", (TextPart("One two"), DataPart({"rows": 3})), "Document", "Words"),
    )
    assert result.run.status == "completed"
    assert result.text == "Hello there."


async def test_what_it_yields_is_shown_as_it_comes():
    shown = await events(everything)

    assert StatusNoted("looking") in shown
    assert DataEmitted({"name": "Rome"}, "place") in shown
    assert [event.append for event in shown if isinstance(event, ArtifactChanged)] == [False, True, True]


async def test_the_first_paragraph_of_its_docstring_is_its_public_description():
    assert everything.spec.description == "Shows all there is."


async def test_a_new_artifact_of_the_same_name_begins_anew():
    @agent("again")
    async def again(request: AgentRequest) -> AsyncIterator[Any]:
        yield Artifact("doc", "old")
        yield Artifact("doc", "new")

    (message,) = (await answer(again)).messages

    assert message.parts == (ArtifactPart("doc", (TextPart("new"),)),)


async def test_it_reads_the_message_with_its_ids():
    seen: list[AgentRequest] = []

    @agent("reader")
    async def reader(request: AgentRequest) -> str:
        seen.append(request)
        return request.text.upper()

    result = await answer(reader, "shout")

    assert result.text == "SHOUT"
    (request,) = seen
    assert (request.run_id, request.thread_id, request.agent_id) == (result.run.id, result.run.thread_id, "reader")
    assert (request.step, request.answers, request.metadata) == (1, {}, {})


async def test_a_class_with_run_is_an_agent_too():
    @agent("counter")
    class Counter:
        async def run(self, request: AgentRequest) -> AsyncIterator[str]:
            for number in range(3):
                yield str(number)

    assert (await answer(Counter)).text == "012"


# -- questions


@agent("booker")
async def booker(request: AgentRequest) -> AsyncIterator[Any]:
    yield Status("booking")
    if "dates" not in request.answers and "dates" not in request.declined:
        yield "One question. "
        yield AskUser("When?", key="dates", schema={"type": "string", "minLength": 3})
        raise AssertionError("the code is left at its question")
    yield f"Booked for {request.answers.get('dates', 'no day')}."


async def test_a_question_makes_the_run_wait_and_its_answer_reaches_the_next_turn():
    async with asyncio.timeout(10), AgentRuntime(agents=[booker]) as runtime:
        asked = await runtime.run("booker", "Hello")
        (question,) = asked.interrupts
        assert (question.kind, question.tool, question.message) == ("frontend_tool", ASK_USER, "When?")
        assert question.response_schema == {"type": "string", "minLength": 3}

        with pytest.raises(BadRequest):
            await runtime.decide(asked.run.id, Decision(question.id, output="May"[:2]))
        result = await runtime.decide(asked.run.id, Decision(question.id, output="in May"))

    assert result.run.status == "completed"
    assert [message.text for message in result.messages if message.role == "assistant"] == [
        "One question. ",
        "Booked for in May.",
    ]


@pytest.mark.parametrize("refusal", [{"output": "no", "failed": True}, {"approved": False}])
async def test_a_refused_question_is_declined_and_no_answer(refusal: dict[str, Any]):
    async with asyncio.timeout(10), AgentRuntime(agents=[booker]) as runtime:
        asked = await runtime.run("booker", "Hello")
        result = await runtime.decide(asked.run.id, Decision(asked.interrupts[0].id, **refusal))

    assert result.text == "Booked for no day."


async def test_another_run_of_the_thread_asks_anew():
    async with asyncio.timeout(10), AgentRuntime(agents=[booker]) as runtime:
        asked = await runtime.run("booker", "Hello")
        await runtime.decide(asked.run.id, Decision(asked.interrupts[0].id, output="in May"))
        again = await runtime.run("booker", "Once more", thread_id=asked.run.thread_id)

    assert again.run.status == "waiting"


async def test_several_questions_are_asked_together():
    @agent("form")
    async def form(request: AgentRequest) -> AsyncIterator[Any]:
        if not request.answers:
            yield AskUser("Name?", key="name", more=True)
            yield AskAuthorisation("May I?", key="key", url="https://example.com/auth")
        else:
            yield f"{request.answers['name']} {request.answers['key']}"

    async with asyncio.timeout(10), AgentRuntime(agents=[form]) as runtime:
        asked = await runtime.run("form", "Hello")
        assert [question.tool for question in asked.interrupts] == [ASK_USER, ASK_AUTHORISATION]
        name, key = asked.interrupts
        result = await runtime.decide(asked.run.id, Decision(name.id, output="Ann"), Decision(key.id, output="k"))

    assert result.text == "Ann k"


# -- failures


async def test_a_refusal_ends_the_run_as_blocked():
    @agent("prim")
    async def prim(request: AgentRequest) -> AsyncIterator[Any]:
        yield Refused("I will not.")
        yield "Never said."

    result = await answer(prim)

    assert (result.run.stop_reason, result.text) == ("content_filter", "I will not.")


async def test_its_own_failure_is_told_and_another_exception_is_not_shown():
    @agent("failing")
    async def failing(request: AgentRequest) -> AsyncIterator[Any]:
        yield "Half"
        raise AgentFailed("the backend is closed on Sundays") if request.text == "Sunday" else KeyError("hunter2")

    told = await answer(failing, "Sunday")
    hidden = await answer(failing, "Monday")

    assert told.run.error is not None
    assert told.run.error.message == "the backend is closed on Sundays"
    assert hidden.run.error is not None
    assert "hunter2" not in hidden.run.error.message
    assert told.text == "Half"


@pytest.mark.parametrize("value", [1, 2.5, True, b"x", None, object()])
async def test_what_cannot_be_shown_fails_the_run(value: object):
    @agent("odd")
    async def odd(request: AgentRequest) -> AsyncIterator[Any]:
        yield value

    result = await answer(odd)

    assert result.run.error is not None
    assert result.run.error.code == "agent_failed"


async def test_a_cancelled_agent_is_left_at_once_and_keeps_what_it_said():
    begun = asyncio.Event()
    left = asyncio.Event()

    @agent("slow")
    async def slow(request: AgentRequest) -> AsyncIterator[Any]:
        yield "First."
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            left.set()

    async with asyncio.timeout(10), AgentRuntime(agents=[slow]) as runtime:
        receipt = await runtime.send("slow", "Hello")
        await begun.wait()
        await runtime.cancel(receipt.run.id)
        await left.wait()
        await runtime.inner.control.rest(receipt.run, 5000)
        messages = await runtime.inner.store.history(receipt.run.thread_key)

    assert [message.text for message in messages] == ["Hello", "First."]


# -- durability


async def test_after_a_shutdown_the_code_is_run_again_and_finds_its_memory(tmp_path: Path):
    begun = asyncio.Event()
    turns: list[object] = []

    @agent("worker")
    async def worker(request: AgentRequest) -> AsyncIterator[Any]:
        turns.append(await request.memory.read())
        yield "Working. "
        if len(turns) == 1:
            await request.memory.write({"job": 7})
            await request.thread_memory.write({"customer": 1})
            begun.set()
            await asyncio.Event().wait()
        yield f"Job {len(turns)}."

    store = f"sqlite:///{tmp_path / 'agents.db'}"
    async with asyncio.timeout(20):
        async with AgentRuntime(agents=[worker], store=store) as runtime:
            receipt = await runtime.send("worker", "Hello")
            await begun.wait()
            runtime.inner.cut_off()
        async with AgentRuntime(agents=[worker], store=store) as runtime:
            run = await runtime.inner.control.rest(receipt.run, 10_000)
            log = await runtime.inner.store.read_log(run.key, after=0, limit=1000)
            await runtime.run("worker", "Once more", thread_id=run.thread_id)

    events = [entry.event for entry in log.entries]
    assert turns == [None, {"job": 7}, None]
    assert any(isinstance(event, StepRestarted) for event in events)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].outcome == "completed"


# -- mistakes of the author


async def plain(request: AgentRequest) -> str:
    return "fine"


@pytest.mark.parametrize(
    ("made_of", "fields", "problem"),
    [
        (lambda request: "x", {}, "async generator"),
        (42, {}, "async generator"),
        (plain, {"model": "demo:any"}, "remove its model"),
        (plain, {"colour": "red"}, "colour"),
        (type("Odd", (), {"__init__": lambda self, more: None}), {}, "without arguments"),
    ],
)
def test_a_mistake_is_told_where_it_is_made(made_of: Any, fields: dict[str, Any], problem: str):
    with pytest.raises(ConfigurationError, match=problem):
        agent("x", **fields)(made_of)


def test_an_agent_with_neither_model_nor_code_is_refused():
    from wakeful import AgentSpec

    with pytest.raises(ConfigurationError, match="neither a model"):
        AgentRuntime(agents=[AgentSpec(id="empty")])
