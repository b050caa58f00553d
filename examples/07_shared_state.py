"""State that an agent's tools and its clients share: written by a tool, seen by every client as it changes."""

import asyncio

from wakeful import Agent, AgentRuntime, ToolContext, tool
from wakeful.contracts.event import StateChanged, StateReplaced
from wakeful.providers.scripted import ScriptedProvider, call


@tool(effect="idempotent")
def add_to_list(context: ToolContext, item: str) -> str:
    """Put something on the shopping list. Again changes nothing, so it may run again after a crash."""

    def with_item(items: list[str]) -> list[str]:
        return items if item in items else [*items, item]

    # Both calls of a step run together: `update_state` lets neither undo what the other did.
    items = context.update_state("items", with_item, default=[])
    context.state["newest"] = item  # AG-UI clients see each change as a STATE_DELTA
    return f"{len(items)} things to buy"


async def main() -> None:
    """Two runs on one thread: the second finds what the first left."""
    model = ScriptedProvider(
        [
            [call("add_to_list", {"item": "milk"}), call("add_to_list", {"item": "bread"})],
            "Milk and bread are on the list.",
            [call("add_to_list", {"item": "tea"})],
            "Tea too.",
        ]
    )
    agent = Agent("shopper", model="scripted:any", tools=[add_to_list])
    async with AgentRuntime(agents=[agent], providers=[model]) as runtime:
        for text in ("milk and bread, please", "and tea"):
            async for event in runtime.stream("shopper", text, thread_id="list"):
                match event:
                    case StateReplaced(state):
                        print("starts with", state)
                    case StateChanged(patch=patch):
                        print("changes by ", list(patch))
                    case _:
                        pass


if __name__ == "__main__":
    asyncio.run(main())
