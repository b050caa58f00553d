"""An agent that hands work to another one: each delegate is a tool, each call a run of its own."""

import asyncio

from wakeful import Agent, AgentRuntime
from wakeful.contracts.event import SubagentFinished, SubagentStarted, TextDelta
from wakeful.providers.scripted import ScriptedProvider, call

editor = Agent(
    "editor",
    model="desk:any",
    instructions="Have the researcher find the facts, then write one sentence.",
    delegates=["researcher"],
)
researcher = Agent("researcher", model="library:any", description="Finds facts. Say exactly what you need.")


async def main() -> None:
    """Both models are scripted; the researcher's answer is the result of the editor's call."""
    desk = ScriptedProvider(
        [call("researcher", {"message": "How high is Mont Blanc?"}), "It is 4806 m high."], name="desk"
    )
    library = ScriptedProvider(["4806 metres."], name="library")
    async with AgentRuntime(agents=[editor, researcher], providers=[desk, library]) as runtime:
        async for event in runtime.stream("editor", "Write about Mont Blanc"):
            match event:
                case SubagentStarted(agent_id=name, run_id=run_id):
                    print(f"{name} works in run {run_id}")
                case SubagentFinished(outcome=outcome):
                    print("it", outcome)
                case TextDelta(text):
                    print(text, end="")
                case _:
                    pass
        print()


if __name__ == "__main__":
    asyncio.run(main())
