"""An agent without a server: run it, stream it, answer its question."""

import asyncio

from wakeful import Agent, AgentRuntime, Decision, tool
from wakeful.contracts.event import TextDelta, ToolCallFinished


@tool(effect="pure")
def get_weather(city: str) -> str:
    """Tell the weather in a city.

    Args:
        city: The city's name.
    """
    return f"sunny in {city}"


@tool(approval=True)
def send_email(to: str, body: str) -> str:
    """Send an email. A human approves first."""
    return f"sent {body!r} to {to}"


async def main() -> None:
    """Three runs on one thread. Everything is kept in memory; pass `store="sqlite:///agents.db"` to keep it."""
    # `demo:offline` is a model that needs no key; it obeys a few fixed phrases.
    agent = Agent("assistant", model="demo:offline", tools=[get_weather, send_email])

    async with AgentRuntime(agents=[agent]) as runtime:
        result = await runtime.run("assistant", "hello", thread_id="t1")
        print("run:   ", result.text)

        async for event in runtime.stream("assistant", "weather in Paris", thread_id="t1"):
            if isinstance(event, ToolCallFinished):
                print("tool:  ", event.name, "gave", event.output)
            elif isinstance(event, TextDelta):
                print("delta: ", event.delta)

        # The run rests until somebody decides; nothing is held in memory for it meanwhile.
        asked = await runtime.run("assistant", "email bob@example.com hi", thread_id="t1")
        question = asked.interrupts[0]
        print("asks:  ", question.message, question.arguments)
        answered = await runtime.decide(asked.run.id, Decision(question.id, approved=True))
        print("then:  ", answered.text)


if __name__ == "__main__":
    asyncio.run(main())
