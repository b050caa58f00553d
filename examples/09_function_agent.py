"""An agent of code instead of a model: it says what it does, asks, and makes a document."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from wakeful import AgentRequest, AgentRuntime, Artifact, AskUser, Data, Decision, Status, agent
from wakeful.contracts.event import ArtifactChanged, DataEmitted, Event, RunWaiting, StatusNoted, TextDelta
from wakeful.contracts.interrupt import Interrupt
from wakeful.contracts.message import TextPart


@agent("planner")
async def planner(request: AgentRequest) -> AsyncIterator[Any]:
    """Plans a journey."""
    if "day" not in request.answers:
        yield Status("looking at the calendar")
        yield AskUser("Which day suits you?", key="day", schema={"type": "string", "minLength": 3})
    day = request.answers["day"]  # the code is left at its question, and run again once there is an answer
    yield f"You leave on {day}."
    yield Data({"day": day, "to": request.text}, "journey")
    yield Artifact("plan", f"{day}: ", name="Plan")
    yield Artifact("plan", f"the train to {request.text}", append=True, last=True)


async def show(events: AsyncIterator[Event]) -> tuple[Interrupt, ...]:
    """Prints what happens; returns what the run asks at the end, if anything."""
    questions: tuple[Interrupt, ...] = ()
    async for event in events:
        match event:
            case StatusNoted(message):
                print("status:", message)
            case TextDelta(text):
                print("text:", text)
            case DataEmitted(data, name):
                print(f"{name}:", data)
            case ArtifactChanged(id=id, part=TextPart(text)):
                print(f"{id}:", text)
            case RunWaiting(interrupts):
                questions = interrupts
            case _:
                pass
    return questions


async def main() -> None:
    """The run waits for the answer, which this process or any later one may give, and goes on with it."""
    async with AgentRuntime(agents=[planner]) as runtime:
        (question,) = await show(runtime.stream("planner", "Rome", run_id="journey"))
        print("asks:", question.message)
        await show(runtime.stream_decide("journey", Decision(question.id, output="Friday")))


if __name__ == "__main__":
    asyncio.run(main())
