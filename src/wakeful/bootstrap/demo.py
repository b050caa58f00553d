"""The agent shown when nothing else is given: an offline model and two tools, so that everything can be tried."""

from __future__ import annotations

import zlib

from wakeful.contracts.tool import ToolContext
from wakeful.sdk.agent import Agent
from wakeful.sdk.tool import tool

SKIES = ("sunny", "cloudy", "rainy", "windy")


@tool(effect="pure")
def get_weather(city: str) -> dict[str, str | int]:
    """Tell the weather in a city. Made up, but always the same for a city.

    Args:
        city: The city's name.
    """
    seed = zlib.crc32(city.strip().lower().encode())
    return {"city": city, "sky": SKIES[seed % len(SKIES)], "celsius": seed % 30}


@tool(approval=True)
async def send_email(context: ToolContext, to: str, body: str) -> dict[str, str | bool]:
    """Pretend to send an email; asks for approval first.

    Args:
        to: The address.
        body: The text.
    """
    context.progress("handing over to the postman", progress=1, total=1)
    return {"sent": True, "to": to, "body": body, "message_id": context.idempotency_key}


def demo_agents() -> list[Agent]:
    """One agent, `assistant`."""
    return [
        Agent(
            "assistant",
            model="demo:offline",
            instructions="You are a friendly assistant.",
            description="Answers offline, so that every feature can be tried without a key.",
            tools=[get_weather, send_email],
        )
    ]
