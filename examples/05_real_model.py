"""OpenAI, Anthropic, or anything that speaks like them (pip install "wakeful[models]").

OPENAI_API_KEY=… python examples/05_real_model.py
ANTHROPIC_API_KEY=… python examples/05_real_model.py
OPENAI_BASE_URL=http://127.0.0.1:11434/v1 MODEL=openai:llama3.2 python examples/05_real_model.py    # Ollama
"""

import asyncio
import os
import sys

from wakeful import Agent, AgentRuntime, tool
from wakeful.contracts.event import ReasoningDelta, RunFinished, TextDelta


@tool(effect="pure")
def multiply(a: float, b: float) -> float:
    """Multiply two numbers."""
    return a * b


def choose_model() -> str | None:
    """The model named by MODEL, else one there is a key for."""
    if "MODEL" in os.environ:
        return os.environ["MODEL"]
    if "ANTHROPIC_API_KEY" in os.environ:
        return "anthropic:claude-sonnet-4-5"
    return "openai:gpt-4.1-mini" if "OPENAI_API_KEY" in os.environ else None


async def main() -> None:
    """One question, streamed."""
    model = choose_model()
    if model is None:
        sys.exit("Set OPENAI_API_KEY or ANTHROPIC_API_KEY, or OPENAI_BASE_URL and MODEL for a server of your own.")
    agent = Agent("assistant", model=model, instructions="Use the tool to calculate.", tools=[multiply])
    async with AgentRuntime(agents=[agent]) as runtime:
        async for event in runtime.stream("assistant", "What is 12.5 times 48?"):
            if isinstance(event, TextDelta | ReasoningDelta):
                print(event.delta, end="", flush=True)
            elif isinstance(event, RunFinished):
                print(f"\n{event.outcome}: {event.error or event.usage}")


if __name__ == "__main__":
    asyncio.run(main())
