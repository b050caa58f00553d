"""How to test an agent: play the model's part with a list, and look at what it was asked.

Run it as it is, or with pytest.
"""

import asyncio

from wakeful import Agent, AgentRuntime, tool
from wakeful.contracts.model_errors import Overloaded
from wakeful.providers.scripted import ScriptedProvider, call, think

booked: list[str] = []


@tool
def book_table(name: str, people: int) -> str:
    """Book a table."""
    booked.append(name)
    return f"a table for {people} under {name}"


def waiter(model: str) -> Agent:
    """The agent under test; only its model differs from production."""
    return Agent("waiter", model=model, instructions="You book tables.", tools=[book_table])


async def check_that_the_waiter_books() -> None:
    """The model thinks, calls the tool, is overloaded once, then answers."""
    model = ScriptedProvider(
        [
            [think("They want a table."), call("book_table", {"name": "Ada", "people": 2})],
            Overloaded("try again"),
            "See you tonight, Ada.",
        ]
    )

    async with AgentRuntime(agents=[waiter("scripted:any")], providers=[model]) as runtime:
        result = await runtime.run("waiter", "A table for two, Ada.")

    assert result.text == "See you tonight, Ada."
    assert booked == ["Ada"]
    assert model.requests[0].instructions == "You book tables."
    assert [spec.name for spec in model.requests[0].tools] == ["book_table"]


def test_the_waiter_books() -> None:
    """What pytest finds."""
    asyncio.run(check_that_the_waiter_books())


if __name__ == "__main__":
    test_the_waiter_books()
    print("the waiter books")
