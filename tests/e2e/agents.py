"""The demo agent with a tool that its pages carry out, and agents that are cut short."""

from __future__ import annotations

from typing import Any

from wakeful import Agent, tool
from wakeful.bootstrap.demo import get_weather, send_email


@tool(frontend=True)
def ask_page(question: str) -> Any:
    """Ask the page a question.

    Args:
        question: What to ask.
    """


TOOLS = [get_weather, send_email, ask_page]
agents = [
    Agent("assistant", model="demo:offline", tools=TOOLS),
    Agent("hasty", model="demo:offline", tools=TOOLS, max_steps=1),
    Agent("impatient", model="demo:offline", tools=[send_email], question_timeout_seconds=0.1),
]
