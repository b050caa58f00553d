"""Typed tools: context, progress, approval, effects, and errors the model may read."""

import asyncio
from typing import Literal

from pydantic import BaseModel

from wakeful import Agent, AgentRuntime, ToolContext, ToolError, tool
from wakeful.contracts.event import RunFinished, ToolCallFinished, ToolProgressed
from wakeful.providers.scripted import ScriptedProvider, call

STOCK = {"tea": 3, "coffee": 0}


class Line(BaseModel):
    """One line of an order: a tool receives it as this object, the model sees its schema."""

    item: Literal["tea", "coffee"]
    amount: int = 1


@tool(effect="pure")
def in_stock(item: Literal["tea", "coffee"]) -> int:
    """How many are there. `pure`: may simply run again after a crash."""
    return STOCK[item]


@tool(effect="idempotent")
async def order(context: ToolContext, lines: list[Line]) -> dict[str, object]:
    """Order goods. `idempotent`: may run again after a crash, under the same key.

    Args:
        lines: What to order.
    """
    for number, line in enumerate(lines, start=1):
        if STOCK[line.item] < line.amount:
            # The model reads this and may do better. The text of any other exception stays in the server's log.
            raise ToolError(f"there are only {STOCK[line.item]} of {line.item}")
        context.progress(f"packing {line.item}", progress=number, total=len(lines))
    return {"order": context.idempotency_key, "lines": len(lines)}


async def main() -> None:
    """A scripted model orders too much, then looks, then orders what there is."""
    model = ScriptedProvider(
        [
            [call("order", {"lines": [{"item": "coffee"}]})],
            [call("in_stock", {"item": "tea"}), call("in_stock", {"item": "coffee"})],
            [call("order", {"lines": [{"item": "tea", "amount": 2}]})],
            "Two teas are on their way.",
        ]
    )
    agent = Agent("shop", model="scripted:any", tools=[in_stock, order])
    async with AgentRuntime(agents=[agent], providers=[model]) as runtime:
        async for event in runtime.stream("shop", "two coffees, please"):
            match event:
                case ToolProgressed():
                    print(f"  {event.message} {event.progress:g}/{event.total:g}")
                case ToolCallFinished():
                    print(event.name, event.status, event.output)
                case RunFinished():
                    print("run", event.outcome)
                case _:
                    pass


if __name__ == "__main__":
    asyncio.run(main())
