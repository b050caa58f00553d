"""The agent behind the page: an offline model, a tool with a card, one that asks first, one that shares its state.

Serve it with: wakeful serve agents.py:agents --store sqlite:///wakeful.db
"""

from __future__ import annotations

import zlib

from pydantic import TypeAdapter

from wakeful import Agent, ToolContext, tool

SKIES = ("sunny", "cloudy", "rainy", "windy")
ITEMS = TypeAdapter(list[str])


@tool(effect="pure")
def get_weather(city: str) -> dict[str, str | int]:
    """Tell the weather in a city. Made up, but always the same for a city.

    Args:
        city: The city's name.
    """
    seed = zlib.crc32(city.strip().lower().encode())
    return {"city": city, "sky": SKIES[seed % len(SKIES)], "celsius": seed % 30}


@tool(approval=True)
def send_email(to: str, body: str) -> dict[str, str | bool]:
    """Pretend to send an email. Somebody has to approve each call first.

    Args:
        to: The address.
        body: The text.
    """
    return {"sent": True, "to": to, "body": body}


@tool(effect="pure")
def add_to_list(context: ToolContext, item: str) -> list[str]:
    """Put something on the shopping list, which the page shows and changes, too. Answers with the list.

    Args:
        item: What to buy.
    """
    items = ITEMS.validate_python(context.state.get("items", []))
    if item not in items:
        items.append(item)
    context.state["items"] = [*items]
    return items


agents = [
    Agent(
        "assistant",
        # With a key, any other model: "openai:gpt-4.1", "anthropic:claude-sonnet-4-5", ...
        model="demo:offline",
        instructions="You are a friendly assistant.",
        tools=[get_weather, send_email, add_to_list],
    )
]
