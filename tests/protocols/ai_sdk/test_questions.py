"""What running calls ask, over the AI SDK: a data part asks, and an output of the call is the answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from wakeful import AgentRequest, AskUser, agent
from wakeful.contracts.errors import ToolQuestion
from wakeful.contracts.tool import ToolContext
from wakeful.protocols.ai_sdk import build, chunks
from wakeful.providers.scripted import ScriptedProvider, call
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

CHAT = "/v1/ai-sdk/agents/assistant/runs"
USER = {"id": "u", "role": "user", "parts": [{"type": "text", "text": "book it"}]}


async def asking(context: ToolContext) -> str:
    """Asks twice."""
    answer = context.answer
    if answer is None:
        raise ToolQuestion("When?", resume="when")
    if answer.resume == "when":
        raise ToolQuestion("Window or aisle?", resume="nothing" if answer.declined else str(answer.output))
    return f"{answer.resume} {'declined' if answer.declined else answer.output}"


@agent("assistant")
async def clerk(request: AgentRequest) -> AsyncIterator[Any]:
    """Asks for a name."""
    if "name" not in request.answers:
        yield AskUser("Who?", key="name")
    yield f"Hello {request.answers['name']}."


class Page:
    """A client that keeps one message as it streams in, and answers with outputs of calls as `useChat` does."""

    def __init__(self, server: Any, reader: Any) -> None:
        self.server = server
        self.client = reader()

    async def send(self, *messages: Any) -> int:
        answer = await self.server.client.post(CHAT, json={"id": "t", "messages": [USER, *messages]})
        for line in answer.text.splitlines():
            if line.startswith("data: {"):
                self.client.feed(line.removeprefix("data: ").encode())
        return answer.status_code

    @property
    def call(self) -> dict[str, Any]:
        return next(part for part in self.client.parts if part["type"].startswith("tool-"))

    @property
    def questions(self) -> list[tuple[str, bool]]:
        return [
            (part["data"]["message"], part["data"].get("answered", False))
            for part in self.client.parts
            if part["type"] == "data-question"
        ]

    def with_output(self, **output: Any) -> dict[str, Any]:
        """The message with an output of the call, as the client's own `addToolOutput` leaves it."""
        self.call.update(output)
        return json.loads(json.dumps({"id": "a", "role": "assistant", "parts": self.client.parts}))

    async def answer(self, **output: Any) -> int:
        message = self.with_output(**output)
        self.client.begin()
        return await self.send(message)


@pytest.fixture(params=[False, True], ids=["plain", "approved"])
async def page(request: pytest.FixtureRequest, serve: Any, reader: Any) -> Page:
    """A page whose agent called a tool that asks; with an approval before that, or without."""
    book = tool(asking, name="book", approval=request.param)
    agents = [Agent("assistant", model="scripted:any", tools=[book])]
    opened = Page(
        await serve(agents=agents, providers=[ScriptedProvider([call("book", call_id="b"), "Booked."])]), reader
    )
    await opened.send()
    if request.param:
        approval = opened.call["approval"] | {"approved": True}
        await opened.answer(state="approval-responded", approval=approval)
    return opened


async def test_outputs_of_the_call_are_the_answers_until_the_real_one_comes(page: Page):
    asked = page.questions
    await page.answer(state="output-available", output="Friday")
    more, state = page.questions, page.call["state"]
    await page.answer(state="output-available", output="aisle")

    assert asked == [("When?", False)]
    assert (more, state) == ([("When?", True), ("Window or aisle?", False)], "input-available")
    assert (page.call["state"], page.call["output"]) == ("output-available", "Friday aisle")
    assert page.questions == [("When?", True), ("Window or aisle?", True)]


async def test_an_error_as_output_declines(page: Page):
    await page.answer(state="output-error", errorText="none of your business")
    await page.answer(state="output-error", errorText="no")

    assert page.call["output"] == "nothing declined"


async def test_the_answer_to_the_first_question_is_never_taken_for_the_second(page: Page):
    first = page.with_output(state="output-available", output="Friday")
    await page.answer(state="output-available", output="Friday")

    again = await page.server.client.post(CHAT, json={"id": "t", "messages": [USER, first]})

    (open_one,) = [
        one["message"] for one in (await page.server.client.get("/v1/threads/t/runs/active")).json()["interrupts"]
    ]
    assert again.status_code in (200, 409)
    assert open_one == "Window or aisle?"


async def test_a_reloaded_page_has_the_question_and_can_answer(page: Page):
    history = (await page.server.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"]
    page.client.parts = history[-1]["parts"]

    asked = page.questions
    await page.answer(state="output-available", output="Friday")
    reloaded = (await page.server.client.get("/v1/ai-sdk/threads/t/messages")).json()["messages"][-1]["parts"]

    kept = [
        (part["data"]["message"], part["data"].get("answered")) for part in reloaded if part["type"] == "data-question"
    ]
    assert asked == [("When?", False)]
    assert kept == [("When?", True), ("Window or aisle?", None)]


async def test_a_question_of_an_agent_without_a_model_is_a_call_of_the_page(serve: Any, reader: Any):
    page = Page(await serve(agents=[clerk]), reader)
    await page.send()
    asked = page.call

    assert (asked["type"], asked["state"], asked["input"]["question"]) == ("tool-ask_user", "input-available", "Who?")
    message = page.with_output(state="output-available", output="Ann")
    page.call.update(state="input-available")
    page.client.begin()
    await page.send(message)
    assert page.client.parts[-1]["text"] == "Hello Ann."


def test_no_value_of_an_agent_passes_for_a_part_of_our_own():
    own = {str(kind.__struct_config__.tag).removeprefix("data-") for kind in chunks.Data.__subclasses__()}

    assert own | {"artifact", "artifact-delta", "question", "approval-request"} == build.OWN_DATA
