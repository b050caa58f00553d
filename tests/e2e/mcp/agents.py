"""What the MCP clients are served: the demo's agent, two tools, a resource and a prompt."""

from __future__ import annotations

import os

from wakeful import Agent, tool
from wakeful.bootstrap.demo import get_weather, send_email
from wakeful.embed import AgentRuntime
from wakeful.sdk.exposure import Exposed, prompt, resource


@tool(effect="pure")
def add(a: int, b: int) -> dict[str, int]:
    """Add two numbers."""
    return {"sum": a + b}


@tool(approval=True)
def erase(name: str) -> str:
    """Erase something."""
    return f"erased {name}"


@resource("docs:guide", media_type="text/markdown")
def guide() -> str:
    """How to do it."""
    return "# Guide"


@prompt(complete={"tone": ["kind", "harsh"]})
def review(code: str, tone: str = "") -> str:
    """Review some code."""
    return f"Review {code}."


runtime = AgentRuntime(
    agents=[
        Agent(
            "assistant",
            model="demo:offline",
            instructions="the secret prompt",
            description="Answers offline.",
            tools=[get_weather, send_email],
        )
    ],
    store=os.environ["MCP_STORE"],
    exposed=Exposed(
        agents=["assistant"], tools=[add, erase], resources=[guide], prompts=[review], task_after_seconds=0.2
    ),
)
