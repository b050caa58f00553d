"""The agent behind the chat: an offline model, and one tool of each kind a page has to show.

Serve it with: wakeful serve agents.py:agents --store sqlite:///chat.db
"""

from __future__ import annotations

import zlib
from typing import Literal

from wakeful import Agent, tool

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
def send_email(to: str, body: str) -> dict[str, str | bool]:
    """Pretend to send an email. Somebody has to approve each call first.

    Args:
        to: The address.
        body: The text.
    """
    return {"sent": True, "to": to, "body": body}


@tool(frontend=True)
def pick_color(question: str = "Which color do you like?") -> Literal["teal", "plum", "amber"]:
    """Let the user pick a color. The page carries this call out, so the body is never run.

    Args:
        question: What to ask the user.
    """
    raise NotImplementedError


agents = [
    Agent(
        "assistant",
        # With a key, any other model: "openai:gpt-4.1", "anthropic:claude-sonnet-4-5", ...
        model="demo:offline",
        instructions="You are a friendly assistant.",
        tools=[get_weather, send_email, pick_color],
    )
]
